import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { BACKSLASHES, COMMAS, skipScalar, skipUtf8 } from "../../../pipeline/scan/skip";
import { padded } from "./both";

const wide = fc.constantFrom(0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff);
const pieces = fc.oneof(
  fc.string({ unit: "binary" }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
  fc.array(wide, { maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
);

test.each([
  ["a backslash", BACKSLASHES, 0x5c],
  ["a comma", COMMAS, 0x2c],
])("skipUtf8: stops at the first quote, control or %s, or before, at the first byte that is no UTF-8", (_, stops, stop) =>
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 5 }), (given) => {
      const text = Buffer.concat([...given, Buffer.from("\n")]);
      const { bytes, view } = padded(text);
      const plain = text.findIndex((byte) => byte < 0x20 || byte === 0x22 || byte === stop);
      const end = skipUtf8(bytes, view, 0, stops);
      expect(isUtf8(text.subarray(0, end))).toBe(true);
      expect(end === plain).toBe(isUtf8(text.subarray(0, plain)));
    }),
    { numRuns: Number(process.env.RUNS ?? 500) },
  ),
);

test("skipScalar: a date, and every text that differs from one in one byte, up to its closing quote", () => {
  for (let at = 1; at < 12; at++) {
    for (let byte = 0; byte < 256; byte++) {
      const text = Buffer.from('"2024-02-29"z"\n');
      text[at] = byte;
      const { bytes, view } = padded(text);
      const end = text.indexOf('"', 1);
      const odd = text.subarray(1, end).some((each) => each < 0x20 || each === 0x5c || each >= 0x80);
      expect(skipScalar(bytes, view, 0)).toBe(odd ? -1 : end + 1);
    }
  }
});
