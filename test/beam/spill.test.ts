import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Reader, Writer } from "protobufjs";
import { ColumnsCoder } from "../../beam/coders";
import { bytesOf, fits, isSpilled, load, Stretches, spill, useRoom } from "../../beam/spill";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "spill-é "));
  useRoom({ bytes: 100, folder });
});
afterEach(() => {
  useRoom();
  rmSync(folder, { recursive: true });
});

const columns = fc.oneof(
  fc.uint8Array(),
  fc.int32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.int32Array({ minLength: 3 }).map((column) => column.subarray(1, 3)),
);
const value = fc.record({ a: columns, b: columns, nested: fc.record({ c: columns, n: fc.integer(), text: fc.string() }), d: columns });

test("what is loaded is what was spilled, in whatever order, in memory of either kind", () =>
  fc.assert(
    fc.property(fc.array(fc.array(value, { minLength: 1, maxLength: 4 }), { maxLength: 4 }), (writes) => {
      const spilled = writes.map((values) => spill(values));
      for (const memory of [ArrayBuffer, SharedArrayBuffer])
        expect(spilled.flatMap((values) => values.map((one) => load(one, memory))).toReversed()).toEqual(writes.flat().toReversed());
    }),
    { numRuns: 100 },
  ));

test("a stretch is the same elements of the column", () =>
  fc.assert(
    fc.property(
      fc.bigInt64Array({ maxLength: 50 }),
      fc.uint8Array({ minLength: 50, maxLength: 50 }),
      fc.nat(50),
      fc.nat(50),
      (ids, types, a, b) => {
        spill([{ types }]);
        const stretches = new Stretches<"ids" | "types">(spill([{ types, ids }])[0]);
        const [from, to] = [Math.min(a, b, ids.length), Math.min(Math.max(a, b), ids.length)];
        const out = new BigInt64Array(50);
        stretches.read("ids", from, to, out);
        expect(out.subarray(0, to - from)).toEqual(ids.subarray(from, to));
        const bytes = new Uint8Array(50);
        stretches.read("types", from, to, bytes);
        expect(bytes.subarray(0, to - from)).toEqual(types.subarray(from, to));
        expect([stretches.length("ids"), stretches.length("types")]).toEqual([ids.length, 50]);
      },
    ),
    { numRuns: 100 },
  ));

test("a value may hold a spilled one, which stays where it is", () => {
  const [inner] = spill([{ ids: BigInt64Array.of(7n) }]);
  const [outer] = spill([{ inner, days: Int32Array.of(1) }]);
  expect(load<{ inner: typeof inner }>(outer).inner).toEqual(inner);
});

test("a coder writes the columns, not where they lie: another machine could not read them", () => {
  const given = { key: 1, value: { ids: BigInt64Array.of(1n, -1n), n: 3 } };
  const [spilled] = spill([given.value]);
  const writer = new Writer();
  new ColumnsCoder<unknown>().encode({ key: 1, value: spilled }, writer, null as never);
  expect(new ColumnsCoder<unknown>().decode(new Reader(writer.finish()), null as never)).toEqual(given);
});

test("more columns than one write takes", () => {
  const many = Array.from({ length: 1500 }, (_, i) => ({ a: Uint8Array.of(i), b: Float64Array.of(i) }));
  const spilled = spill(many);
  expect([0, 341, 342, 1023, 1024, 1499].map((i) => load(spilled[i]))).toEqual([0, 341, 342, 1023, 1024, 1499].map((i) => many[i]));
});

test("each stage has its own room, and a value that does not fit takes none of it", () => {
  expect([fits("scanned", 60), fits("scanned", 60), fits("scanned", 40), fits("scanned", 1), fits("joined", 100)]).toEqual([
    true,
    false,
    true,
    false,
    true,
  ]);
  useRoom();
  expect(fits("scanned", Number.MAX_SAFE_INTEGER)).toBe(true);
});

test("the bytes of a value are those of its columns", () => {
  expect(bytesOf([{ a: new BigInt64Array(3), b: { c: new Uint8Array(5).subarray(1), n: 1, none: null } }, "text"])).toBe(28);
});

test("the folder is made when it is needed", () => {
  const within = join(folder, "a/b");
  useRoom({ bytes: 0, folder: within });
  expect(existsSync(within)).toBe(false);
  const [spilled] = spill([{ a: Uint8Array.of(1) }]);
  expect([isSpilled(spilled), isSpilled({ a: 1 }), readdirSync(within).length]).toEqual([true, false, 1]);
});

test("a file that was cut is an error, not a wait", () => {
  const [spilled] = spill([{ a: new Float64Array(100) }]);
  truncateSync(spilled.spilled, 50);
  expect(() => load(spilled)).toThrow(/ends before byte .*changed it during the run/);
});
