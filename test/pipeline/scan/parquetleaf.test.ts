/** Leaves by column, against the careful ones entry by entry. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { parquetSchema, type RowGroup, type SchemaTree } from "hyparquet";
import { ByteWriter } from "hyparquet-writer";
import { writePageHeader } from "hyparquet-writer/src/datapage.js";
import { findFiles } from "../../../pipeline/io/files";
import { LeafColumn } from "../../../pipeline/io/parquetcolumn";
import { ParquetFile } from "../../../pipeline/io/parquetfile";
import { NestedColumn, readChunk } from "../../../pipeline/io/parquetnested";
import type { PageFormat } from "../../../pipeline/io/parquetpage";
import type { Leaf, LeafPlace } from "../../../pipeline/scan/parquetleaf";
import { flatPlace, OddRows } from "../../../pipeline/scan/parquetscan";
import { ParquetSlots } from "../../../pipeline/scan/parquetslots";
import { BooleanLeaf, Int96Leaf, IntegerLeaf, TextLeaf } from "../../../pipeline/scan/parquetvalues";
import type { Cell } from "../../../transforms/cells";

const FIXTURES = join(__dirname, "../../fixtures/parquet-in");
const names = readdirSync(FIXTURES).filter((name) => name.endsWith(".parquet"));

/** Every kind of leaf takes every integer and text, whatever it means: its cells say that. */
function leafOf(place: LeafPlace): Leaf | undefined {
  if (place.element.type === "INT32" || place.element.type === "INT64") return new IntegerLeaf(place);
  if (place.element.type === "INT96") return new Int96Leaf(place);
  if (place.element.type === "BOOLEAN") return new BooleanLeaf(place);
  return place.element.type === "BYTE_ARRAY" ? new TextLeaf(place) : undefined;
}

async function carefulCells(parquet: ParquetFile, root: SchemaTree, node: SchemaTree, group: RowGroup): Promise<Cell[]> {
  const column = await NestedColumn.open(parquet, root, node, group, "here");
  return Array.from({ length: Number(group.num_rows) }, () => column.take());
}

/** Row counts of batches that end at `rows`. */
function batches(rows: number, of: number): number[] {
  return Array.from({ length: Math.ceil(rows / of) }, (_, k) => Math.min(of, rows - k * of));
}

async function eachGroup(name: string, check: (parquet: ParquetFile, root: SchemaTree, group: RowGroup) => Promise<void>) {
  const [file] = findFiles(join(FIXTURES, name), "clicks");
  const parquet = await ParquetFile.open(file);
  try {
    for (const group of parquet.metadata.row_groups) await check(parquet, parquetSchema(parquet.metadata), group);
  } finally {
    await parquet.close();
  }
}

let columns = 0;
let lists = 0;

describe.each(names)("%s", (name) => {
  test("flat columns are those of the careful reader, however many entries are read at a time", async () => {
    await eachGroup(name, async (parquet, root, group) => {
      for (const node of root.children) {
        const place = flatPlace(root, node.element.name);
        const leaf = place && leafOf(place);
        if (leaf === undefined) continue;
        columns++;
        const expected = await carefulCells(parquet, root, node, group);
        for (const size of [1, 7, 5000]) {
          const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === node.element.name)!;
          leaf.open(chunk.meta_data!, new Uint8Array(await readChunk(parquet, chunk, "here")));
          const cells = batches(expected.length, size).flatMap((rows) => {
            leaf.begin();
            leaf.read(rows);
            return Array.from({ length: rows }, (_, k) => leaf.cell(k));
          });
          expect(cells).toEqual(expected);
          expect(leaf.ended).toBe(true);
        }
      }
    });
  });

  test("lists of slots are those of the careful reader, and odd where something is missing", async () => {
    await eachGroup(name, async (parquet, root, group) => {
      for (const node of root.children) {
        const slots = ParquetSlots.of(root, node.element.name);
        if (slots === undefined) continue;
        lists++;
        const expected = await carefulCells(parquet, root, node, group);
        for (const size of [1, 7, 1000]) {
          for (const leaf of [slots.items, slots.orders]) {
            const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema.join() === leaf.place.path.join())!;
            leaf.open(chunk.meta_data!, new Uint8Array(await readChunk(parquet, chunk, "here")));
          }
          const odd = new OddRows(1000);
          const rows = batches(expected.length, size).flatMap((rows) => {
            for (const leaf of [slots.items, slots.orders]) leaf.begin();
            odd.clear();
            slots.read(rows, odd);
            return Array.from({ length: rows }, (_, k) => ({ cell: slots.cell(k), odd: odd.flags[k] === 1 }));
          });
          expect(rows.map(({ cell }) => cell)).toEqual(expected);
          expect(rows.map(({ odd }) => odd)).toEqual(expected.map((cell) => !isPlain(cell)));
        }
      }
    });
  });
});

afterAll(() => expect([columns > 60, lists > 6]).toEqual([true, true]));

function isPlain(cell: Cell): boolean {
  if (!Array.isArray(cell) || cell.length === 0) return false;
  const slots = cell as ({ item_id: Cell; is_order: Cell } | null)[];
  return slots.every((slot) => slot !== null && slot.item_id !== null && slot.is_order !== null);
}

/** An entry of a list: its levels, and a value if its definition is the highest. */
interface Entry {
  repetition: number;
  definition: number;
}

const element = { name: "v", type: "INT64", repetition_type: "OPTIONAL" } as const;

/** Levels bit by bit in one run of groups. */
function levels(values: number[], width: number): number[] {
  const bytes = new Array<number>(Math.ceil(values.length / 8) * width).fill(0);
  for (const [k, value] of values.entries())
    for (let b = 0; b < width; b++) bytes[(k * width + b) >> 3] |= ((value >> b) & 1) << ((k * width + b) & 7);
  const header = (Math.ceil(values.length / 8) << 1) | 1;
  const run = header < 128 ? [header, ...bytes] : [(header & 127) | 128, header >> 7, ...bytes];
  return [run.length & 255, run.length >> 8, 0, 0, ...run];
}

/** A chunk of pages of version 1, which may be cut anywhere, within a row too. */
function chunkOf(pages: Entry[][], repeated: boolean, maxDefinition: number): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  let value = -2n;
  for (const page of pages) {
    const longs = BigInt64Array.from(page.filter(({ definition }) => definition === maxDefinition).map(() => (value += 2n ** 31n - 1n)));
    const body = Buffer.concat([
      Buffer.from(
        repeated
          ? levels(
              page.map(({ repetition }) => repetition),
              1,
            )
          : [],
      ),
      Buffer.from(
        levels(
          page.map(({ definition }) => definition),
          32 - Math.clz32(maxDefinition),
        ),
      ),
      new Uint8Array(longs.buffer),
    ]);
    writePageHeader(writer, {
      type: "DATA_PAGE",
      uncompressed_page_size: body.length,
      compressed_page_size: body.length,
      data_page_header: { num_values: page.length, encoding: "PLAIN", definition_level_encoding: "RLE", repetition_level_encoding: "RLE" },
    });
    writer.appendBytes(body);
  }
  return writer.getBytes().slice();
}

const pages = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 4 })).chain(([repeated, maxDefinition]) => {
  const entry = fc.record({
    repetition: repeated ? fc.constantFrom(0, 1, 1) : fc.constant(0),
    definition: fc.oneof({ weight: 4, arbitrary: fc.constant(maxDefinition) }, fc.nat(maxDefinition)),
  });
  const all = fc.array(fc.array(entry, { maxLength: 20 }), { minLength: 1, maxLength: 8 });
  return fc.record({
    pages: all,
    repeated: fc.constant(repeated),
    maxDefinition: fc.constant(maxDefinition),
    size: fc.integer({ min: 1, max: 9 }),
  });
});

test("pages of version 1, cut anywhere: the same values and levels as entry by entry, and rows begin where repetition is 0", () => {
  fc.assert(
    fc.property(pages, ({ pages, repeated, maxDefinition, size }) => {
      const entries = pages.flat();
      if (entries.length === 0) return;
      entries[0].repetition = 0;
      const bytes = chunkOf(pages, repeated, maxDefinition);
      const metadata = { num_values: BigInt(entries.length), codec: "UNCOMPRESSED", type: "INT64" } as PageFormat["metadata"];
      const careful = new LeafColumn({ element, metadata, maxDefinition, maxRepetition: repeated ? 1 : 0 }, bytes.buffer, "here");
      const leaf = new IntegerLeaf({ path: ["v"], element, maxDefinition, maxRepetition: repeated ? 1 : 0 });
      leaf.open(metadata, bytes);
      const rows = entries.filter(({ repetition }) => repetition === 0).length;
      let at = 0;
      for (const count of batches(rows, size)) {
        leaf.begin();
        if (repeated) leaf.readRows(count);
        else leaf.read(count);
        const starts: number[] = [];
        for (let k = 0; k < leaf.length; k++, at++) {
          if (entries[at].repetition === 0) starts.push(k);
          expect(leaf.depths[k]).toBe(careful.definition);
          expect(leaf.cell(k)).toEqual(careful.take());
        }
        if (repeated) expect([...leaf.rowStarts.subarray(0, count + 1)]).toEqual([...starts, leaf.length]);
        expect(starts.length).toBe(count);
      }
      expect(at).toBe(entries.length);
      expect(careful.ended).toBe(true);
    }),
    { numRuns: 500 },
  );
});
