import fc from "fast-check";
import { StringDictionary } from "../../../pipeline/parquet/strings";
import { numbered } from "./rows";

test("StringDictionary numbers strings as a Map does, again and again, and orders them by their bytes", () => {
  const strings = fc.oneof(
    fc.array(fc.string({ minLength: 1, unit: "grapheme" }), { maxLength: 30 }),
    fc.integer({ min: 1000, max: 3000 }).map((n) => Array.from({ length: n }, (_, i) => `ranking ${i % 2500}`)),
  );
  fc.assert(
    fc.property(fc.array(strings, { maxLength: 3 }), (rounds) => {
      const dictionary = new StringDictionary();
      for (const texts of rounds) {
        dictionary.clear();
        const expected = numbered(texts);
        const indexes = texts.map((text) => dictionary.index(Buffer.from(`.${text}.`), 1, 1 + Buffer.byteLength(text)));
        expect(indexes).toEqual(expected.indexes);
        const plain = expected.distinct.map((text) => {
          const bytes = Buffer.from(text);
          const length = Buffer.alloc(4);
          length.writeUInt32LE(bytes.length);
          return Buffer.concat([length, bytes]);
        });
        expect(Buffer.compare(dictionary.plain(), Buffer.concat(plain))).toBe(0);
        expect(dictionary.byteLength).toBe(Buffer.concat(plain).length);
        for (let i = 1; i < Math.min(20, expected.distinct.length); i++) {
          const [a, b] = [expected.distinct[i - 1], expected.distinct[i]].map((text) => Buffer.from(text));
          expect(dictionary.before(i - 1, i)).toBe(Buffer.compare(a, b) < 0);
          expect(Buffer.compare(dictionary.value(i) as Uint8Array, b)).toBe(0);
        }
      }
    }),
    { numRuns: 30 },
  );
});

test("StringDictionary orders as bytes", () =>
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 3, max: 2 }),
      fc.uint8Array({ maxLength: 3 }),
      fc.uint8Array({ maxLength: 3 }),
      (start, a, b) => {
        const dictionary = new StringDictionary();
        const strings = [Buffer.concat([start, a]), Buffer.concat([start, b])];
        const [i, j] = strings.map((bytes) => dictionary.index(bytes, 0, bytes.length));
        expect(dictionary.before(i, j)).toBe(Buffer.compare(strings[0], strings[1]) < 0);
      },
    ),
    { numRuns: 500 },
  ));
