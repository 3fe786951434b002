import { parquetSchema, type RowGroup, type SchemaTree } from "hyparquet";
import type { Cell } from "../../transforms/cells";
import { ParquetFile } from "./parquetfile";
import { NestedColumn } from "./parquetnested";
import { BrokenFile, type ReadEnd, type RowSink, type Split } from "./rows";

/** rows read before the sink may drain */
const ROWS_AT_ONCE = 8192;

/** Reads row groups faster than row by row, as far as it understands them. */
export interface GroupScanner {
  /**
   * Hands on rows of a row group, from its first on.
   * @param before rows of the split before this group
   * @returns how many have been handed on, and whether it is certain that these are all: if not, the careful reader goes on from there
   */
  scan(parquet: ParquetFile, group: RowGroup, before: number, where: string): Promise<{ rows: number; complete: boolean }>;
}

/**
 * The rows of a run of row groups; columns that are not wanted are not read from disk. Positions are rows from 1 within the split.
 * Memory holds the wanted columns of one row group as they are on disk, and one unpacked page of each.
 * @param scannerOf makes what is tried first on each row group, if anything
 * @throws BrokenFile where the file is no Parquet, cut, encrypted, or a page cannot be read
 */
export async function readParquet(
  split: Split,
  columns: readonly string[],
  sink: RowSink,
  scannerOf: (root: SchemaTree) => GroupScanner | undefined = () => undefined,
): Promise<ReadEnd> {
  const { file } = split;
  if (file.size === 0) return { positions: 0 };
  const parquet = await ParquetFile.open(file);
  try {
    const { metadata } = parquet;
    const root = parquetSchema(metadata);
    const names = root.children.map((child) => child.element.name);
    if (columns.some((column) => !names.includes(column) && !sink.optional?.includes(column))) sink.columns(names);
    const scanner = scannerOf(root);
    const careful = new Rows(columns, sink);
    let positions = 0;
    for (const [k, group] of metadata.row_groups.slice(split.start, split.end).entries()) {
      const where = `"${file.path}": row group ${split.start + k + 1} of ${metadata.row_groups.length}`;
      const done = await scanner?.scan(parquet, group, positions, where);
      if (!done?.complete) await careful.readGroup(parquet, root, group, where, positions, done?.rows ?? 0);
      positions += Number(group.num_rows);
    }
    return { positions };
  } finally {
    await parquet.close();
  }
}

class Rows {
  private position = 0;
  private readonly cells: Cell[];

  constructor(
    private readonly columns: readonly string[],
    private readonly sink: RowSink,
  ) {
    this.cells = columns.map(() => undefined);
  }

  /**
   * @param before rows of the split before this group
   * @param skip rows of the group that have been handed on
   */
  async readGroup(parquet: ParquetFile, root: SchemaTree, group: RowGroup, where: string, before: number, skip: number) {
    const readers = await this.open(parquet, root, group, where);
    const count = Number(group.num_rows);
    for (let k = 0; k < skip; k++) for (const reader of readers) reader?.take();
    this.position = before + skip;
    for (let done = skip; done < count; ) {
      const until = Math.min(count, done + ROWS_AT_ONCE);
      for (; done < until; done++) this.row(readers);
      await this.sink.drain();
    }
    if (readers.some((reader) => reader && !reader.ended)) throw new BrokenFile(`${where} has more values than rows.`);
  }

  /** A reader for each wanted column that the file has. */
  private async open(parquet: ParquetFile, root: SchemaTree, group: RowGroup, where: string): Promise<(NestedColumn | undefined)[]> {
    const readers: (NestedColumn | undefined)[] = [];
    for (const column of this.columns) {
      const node = root.children.find((child) => child.element.name === column);
      readers.push(node && (await NestedColumn.open(parquet, root, node, group, where)));
    }
    return readers;
  }

  private row(readers: readonly (NestedColumn | undefined)[]) {
    this.position++;
    let legible = true;
    for (let k = 0; k < readers.length; k++) {
      const reader = readers[k];
      if (!reader) continue;
      this.cells[k] = reader.take();
      if (reader.legible) continue;
      // what is only looked at where it is there is no reason to leave a row out
      if (this.sink.optional?.includes(this.columns[k])) this.cells[k] = undefined;
      else legible = false;
    }
    if (legible) this.sink.row(this.cells, this.position);
    else this.sink.reject("not UTF-8", this.position);
  }
}
