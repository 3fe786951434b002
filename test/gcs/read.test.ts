import { mkdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { RemoteFile } from "../../pipeline/gcs/file";
import { readRange } from "../../pipeline/gcs/range";
import { RemoteBytes, RemoteStream } from "../../pipeline/gcs/source";
import { findFiles, findInputs, planSplits } from "../../pipeline/io/files";
import { gather, temporary } from "../pipeline/io/gather";
import { service } from "./service";

const gcs = service();
const local = temporary();

beforeAll(() => gcs.createBucket("inputs"));

/** Puts a file both into the bucket and on the disk. */
async function put(path: string, content: string | Uint8Array) {
  mkdirSync(dirname(join(local.path, path)), { recursive: true });
  local.write(path, content);
  await gcs.put(`gs://inputs/${path}`, content);
}

/** Bytes that tell where they are. */
const SIZE = 11_000_003;
const bytes = Buffer.alloc(SIZE);
for (let i = 0; i < SIZE; i++) bytes[i] = (i * 2654435761) >>> 24;
const big = { path: "gs://inputs/big", size: SIZE };
beforeAll(() => gcs.put(big.path, bytes));

const place = fc.oneof(fc.nat(SIZE), fc.constantFrom(0, 1, 1 << 20, (1 << 20) + 1, 5 << 20, SIZE - 1, SIZE));

test("a stretch of an object, wherever it begins and is meant to end, is the rest of its bytes", () =>
  fc.assert(
    fc.asyncProperty(place, place, fc.integer({ min: 1000, max: 3_000_000 }), async (start, until, size) => {
      const source = new RemoteBytes(big, start, until);
      const parts: Buffer[] = [];
      for (let count = -1; count !== 0; ) {
        const part = Buffer.alloc(size);
        count = await source.fill(part, 0);
        parts.push(part.subarray(0, count));
      }
      await source.close();
      expect(Buffer.concat(parts).equals(bytes.subarray(start))).toBe(true);
    }),
    { numRuns: 25 },
  ));

test("what is asked for ahead ends little behind the end that was told", async () => {
  const source = new RemoteBytes(big, 100, 2_000_000);
  await source.fill(Buffer.alloc(1_000_000), 0);
  await source.fill(Buffer.alloc(1_000_000), 0);
  const ends = gcs.proxy.seen.map(({ range }) => Number(/-(\d+)$/.exec(range!)![1]));
  await source.close();
  expect(Math.max(...ends)).toBe(2_000_000 + (64 << 10) - 1);
});

test("a stream that ends and begins again a little before is one text", async () => {
  const stream = new RemoteStream(big);
  const parts: Buffer[] = [];
  for (let at = 0; at < SIZE; ) {
    const from = at;
    for await (const part of stream.from(at)) {
      const used = part.subarray(0, Math.max(1, part.length - 1000));
      parts.push(used);
      at += used.length;
      if (at - from > 700_000 || used.length < part.length) break;
    }
  }
  await stream.close();
  expect(Buffer.concat(parts).equals(bytes)).toBe(true);
});

test("slices of an object are its bytes", () =>
  fc.assert(
    fc.asyncProperty(place, place, async (a, b) => {
      const file = new RemoteFile(big, SIZE);
      const [start, end] = [Math.min(a, b), Math.max(a, b)];
      expect(Buffer.from(await file.slice(start, end)).equals(bytes.subarray(start, end))).toBe(true);
      await file.close();
    }),
    { numRuns: 25 },
  ));

test.each([
  [-1, 5],
  [5, SIZE + 1],
  [6, 5],
])("bytes %d to %d lie outside", async (start, end) => {
  await expect(new RemoteFile(big, SIZE).slice(start, end)).rejects.toThrow(RangeError);
});

describe("what counts", () => {
  const PATHS = ["in/b.ndjson", "in/a.ndjson", "in/B.ndjson", "in/é.ndjson", "in/z/dt=2025-08-16/c.ndjson", "in/_SUCCESS", "in/.c.crc"];
  const MORE = [
    "in/_attempts/d.ndjson",
    "in/z/.hidden/e.ndjson",
    "_staging/dt=2025-08-17/f.ndjson",
    "_staging/_g.ndjson",
    "in/[1]/h.ndjson",
  ];
  beforeAll(async () => {
    for (const path of [...PATHS, ...MORE]) await put(path, "{}\n");
  });

  test.each([
    "in",
    "in/",
    "_staging/_g.ndjson",
    "_staging",
    "in/[1]",
    "in/*.ndjson",
    "in/{a,b}.ndjson",
    "in/**/*.ndjson",
    "in/**",
    "in/z/dt=*",
    "in/*/dt=2025-08-1?/*",
    "in/z*",
    "_staging/dt=*/*",
    "_staging/*",
    "**/c.ndjson",
    "in/!(a|b).ndjson",
  ])("%s gives what it gives on a disk", async (path) => {
    const files = findFiles(join(local.path, path), "clicks");
    const objects = await findInputs(`gs://inputs/${path}`, "clicks");
    expect(objects.map((object) => object.path.slice("gs://inputs/".length))).toEqual(files.map((file) => relative(local.path, file.path)));
    expect(objects.map(({ partition, size, format }) => ({ partition, size, format }))).toEqual(
      files.map(({ partition, size, format }) => ({ partition, size, format })),
    );
  });

  test.each(["nothing", "in/nothing*", "in/z/dt=2025-08-17", "in/*/d.ndjson"])("%s gives an error that names it", async (path) => {
    await expect(findInputs(`gs://inputs/${path}`, "clicks")).rejects.toThrow(`"gs://inputs/${path}"`);
  });

  test("markers of folders are no data", async () => {
    await gcs.put("gs://inputs/marked/a.ndjson", "{}\n");
    await gcs.put("gs://inputs/marked/sub_$folder$", "");
    expect((await findInputs("gs://inputs/marked", "clicks")).map(({ path }) => path)).toEqual(["gs://inputs/marked/a.ndjson"]);
  });

  test("a folder of more objects than a page has them all", async () => {
    await Promise.all(Array.from({ length: 1100 }, (_, i) => gcs.put(`gs://inputs/many/${i}.ndjson`, "{}\n")));
    expect(await findInputs("gs://inputs/many", "clicks")).toHaveLength(1100);
  });
});

describe("formats", () => {
  const rows = Array.from({ length: 5000 }, (_, i) => ({ id: i, text: `é${"x".repeat(i % 50)}` }));
  const ndjson = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  const csv = `id,text\n${rows.map(({ id, text }) => `${id},"${text}"\n`).join("")}`;
  const array = JSON.stringify(rows);
  const frames = Buffer.concat(ndjson.match(/(.*\n){1,100}/g)!.map((part) => zstdCompressSync(Buffer.from(part))));
  const cases: [name: string, content: string | Uint8Array][] = [
    ["lines.ndjson", ndjson],
    ["lines.json", ndjson],
    ["lines", ndjson],
    ["lines.ndjson.gz", gzipSync(ndjson)],
    ["lines.json.gz", gzipSync(ndjson)],
    ["lines.jsonl.zst", zstdCompressSync(Buffer.from(ndjson))],
    ["frames.ndjson.zst", frames],
    ["table.csv", csv],
    ["table.csv.gz", gzipSync(csv)],
    ["array.json", array],
    ["array.json.zst", zstdCompressSync(Buffer.from(array))],
    ["empty.ndjson", ""],
  ];
  test.each(cases)("%s is read as from a disk, however it is split", async (name, content) => {
    await put(`formats/${name}`, content);
    const [from, to] = [findFiles(join(local.path, "formats", name), "clicks"), await findInputs(`gs://inputs/formats/${name}`, "clicks")];
    for (const splitBytes of [1 << 30, 60_000]) {
      const expected = await gather(await planSplits("clicks", from, splitBytes), ["id", "text"]);
      expect(await gather(await planSplits("clicks", to, splitBytes), ["id", "text"])).toEqual(expected);
    }
  });

  test("an object that the service would unpack is read as it is stored", async () => {
    await gcs.put("gs://inputs/stored.ndjson", gzipSync(ndjson), { contentEncoding: "gzip" });
    const files = await findInputs("gs://inputs/stored.ndjson", "clicks");
    expect(files[0].compression).toBe("gzip");
    const { rows: read } = await gather(await planSplits("clicks", files, 60_000), ["id"]);
    expect(read.map(({ cells }) => cells![0])).toEqual(rows.map(({ id }) => id));
  });
});

test("a name may have any characters", async () => {
  for (const name of ["a b%20c+d&e?f=g#h.ndjson", "dt=2025%2D08/ü/'\"\\.ndjson", "🦊.ndjson"]) {
    await gcs.put(`gs://inputs/odd/${name}`, '{"id":1}\n');
    const [file] = await findInputs(`gs://inputs/odd/${name}`, "clicks");
    expect((await readRange(file, 0, file.size)).toString()).toBe('{"id":1}\n');
  }
});

test.each([
  null,
  { name: 7, size: "1", generation: "1" },
  { name: "a", size: "-1", generation: "1" },
  { name: "a", size: "1", generation: {} },
])("a listing with %j in it is an error of whoever answered", async (item) => {
  gcs.proxy.fault = () => ({ status: 200, body: { items: [item] } });
  await expect(findInputs("gs://inputs/listed/", "clicks")).rejects.toMatchObject({
    exitCode: 1,
    message: expect.stringMatching(/^cannot list "gs:\/\/inputs\/listed\/": the answer is no listing/),
  });
});
