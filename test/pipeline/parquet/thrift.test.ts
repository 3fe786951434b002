import fc from "fast-check";
import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { writePageHeader } from "hyparquet-writer/src/datapage.js";
import { serializeTCompactProtocol } from "hyparquet-writer/src/thrift.js";
import { Bytes } from "../../../pipeline/parquet/bytes";
import { PageEncoding, PageKind, putOffsetIndex, putPageHeader } from "../../../pipeline/parquet/thrift";

const ENCODINGS = { [PageEncoding.plain]: "PLAIN", [PageEncoding.rle]: "RLE", [PageEncoding.rleDictionary]: "RLE_DICTIONARY" } as const;

/** What the library writes, which makes any struct from names and values. */
function byLibrary(write: (out: ByteWriter) => void): number[] {
  const out = new ByteWriter();
  write(out);
  return [...out.getBytes()];
}

function ours(put: (out: Bytes) => void): number[] {
  const out = new Bytes(1);
  put(out);
  return [...out.view()];
}

const size = fc.integer({ min: 0, max: 2 ** 30 });
const heads = fc.record({
  kind: fc.constantFrom(PageKind.data, PageKind.dictionary),
  rawBytes: size,
  compressedBytes: size,
  crc: fc.oneof(fc.integer(), fc.constantFrom(0, -1, -(2 ** 31), 2 ** 31 - 1)),
  values: size,
  encoding: fc.constantFrom(PageEncoding.plain, PageEncoding.rleDictionary),
});

test("page headers are those of the library, byte for byte", () =>
  fc.assert(
    fc.property(heads, (head) => {
      const { kind, rawBytes, compressedBytes, crc, values, encoding } = head;
      const named = { num_values: values, encoding: ENCODINGS[encoding] };
      const theirs = byLibrary((out) =>
        writePageHeader(out, {
          type: kind === PageKind.data ? "DATA_PAGE" : "DICTIONARY_PAGE",
          uncompressed_page_size: rawBytes,
          compressed_page_size: compressedBytes,
          crc,
          ...(kind === PageKind.data
            ? { data_page_header: { ...named, definition_level_encoding: "RLE", repetition_level_encoding: "RLE" } }
            : { dictionary_page_header: named }),
        }),
      );
      expect(ours((out) => putPageHeader(out, head))).toEqual(theirs);
    }),
    { numRuns: 500 },
  ));

const place = fc.oneof(fc.nat(300), fc.nat(2 ** 31 - 1), fc.constantFrom(127, 128, 2 ** 31, 2 ** 32, 2 ** 40 + 5, 2 ** 52 - 1));
const locations = fc.array(fc.record({ offset: place, bytes: size, firstRow: place }), { minLength: 1, maxLength: 40 });

test("offset indexes are those of the library, byte for byte, also of files larger than 4 GiB", () =>
  fc.assert(
    fc.property(locations, (pages) => {
      const theirs = byLibrary((out) =>
        serializeTCompactProtocol(out, {
          field_1: pages.map(({ offset, bytes, firstRow }) => ({ field_1: BigInt(offset), field_2: bytes, field_3: BigInt(firstRow) })),
        }),
      );
      expect(ours((out) => putOffsetIndex(out, pages))).toEqual(theirs);
    }),
    { numRuns: 500 },
  ));
