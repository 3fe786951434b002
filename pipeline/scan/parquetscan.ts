import type { RowGroup, SchemaTree } from "hyparquet";
import type { Cell } from "../../transforms/cells";
import type { ParquetFile } from "../io/parquetfile";
import type { GroupScanner } from "../io/parquetin";
import { readChunk } from "../io/parquetnested";
import { NOT_UTF8 } from "../io/parquettypes";
import type { RowSink } from "../io/rows";
import type { Leaf, LeafPlace } from "./parquetleaf";
import { chunkOf } from "./parquetstats";

/** Batches between two moments at which the sink may drain. */
const BATCHES_AT_ONCE = 16;

/**
 * Row groups by column, batch by batch. Rows that are not plain go to the sink as cells, as the careful reader would give them;
 * from where a column is not understood at all, the rest of the row group is left to it.
 */
export abstract class ParquetScanner implements GroupScanner {
  protected readonly odd: OddRows;
  /** the leaves that are read of the row group at hand */
  private opened: readonly Leaf[] = [];
  private readonly cells: Cell[];

  /**
   * @param columns in the order in which the sink wants their cells
   * @param leaves all that are read
   * @param batchRows rows of a batch
   */
  protected constructor(
    private readonly columns: readonly string[],
    private readonly leaves: readonly Leaf[],
    private readonly sink: RowSink,
    private readonly batchRows: number,
  ) {
    this.odd = new OddRows(batchRows);
    this.cells = columns.map(() => undefined);
  }

  /** The leaves that have to be read of a row group. */
  protected wanted(_group: RowGroup): readonly Leaf[] {
    return this.leaves;
  }

  /** Reads the next rows of the wanted leaves, and marks those that are not plain. */
  protected abstract read(rows: number): void;
  /** Hands on those of the rows read last that are plain. */
  protected abstract handOn(rows: number): void;
  /** What the careful reader would say of a column of a row read last; undefined if there is no such column. */
  protected abstract cell(column: string, row: number): Cell;

  async scan(parquet: ParquetFile, group: RowGroup, before: number, where: string): Promise<{ rows: number; complete: boolean }> {
    try {
      return await this.scanRows(parquet, group, before, where);
    } finally {
      for (const leaf of this.opened) leaf.close();
    }
  }

  private async scanRows(parquet: ParquetFile, group: RowGroup, before: number, where: string) {
    const count = Number(group.num_rows);
    let rows = 0;
    if (!(await this.open(parquet, group, where))) return { rows, complete: false };
    for (let batch = 1; rows < count; batch++) {
      const next = Math.min(this.batchRows, count - rows);
      if (!this.understands(next)) return { rows, complete: false };
      if (this.odd.count > 0) this.box(next, before + rows + 1);
      this.handOn(next);
      rows += next;
      if (batch % BATCHES_AT_ONCE === 0) await this.sink.drain();
    }
    return { rows, complete: this.opened.every((leaf) => leaf.ended) };
  }

  /** Whatever is wrong with a file, the careful reader comes to it too, and has the words for it. */
  private async open(parquet: ParquetFile, group: RowGroup, where: string): Promise<boolean> {
    try {
      this.opened = this.wanted(group);
      for (const leaf of this.opened) {
        const chunk = chunkOf(group, leaf.place);
        if (chunk === undefined) return false;
        leaf.open(chunk.meta_data!, new Uint8Array(await readChunk(parquet, chunk, where)));
      }
      return true;
    } catch {
      return false;
    }
  }

  private understands(rows: number): boolean {
    try {
      for (const leaf of this.opened) leaf.begin();
      this.odd.clear();
      this.read(rows);
      return true;
    } catch {
      return false;
    }
  }

  /** @param position of the first row */
  private box(rows: number, position: number) {
    const { cells, columns } = this;
    for (let row = 0; row < rows; row++) {
      if (this.odd.flags[row] === 0) continue;
      for (let k = 0; k < columns.length; k++) cells[k] = this.cell(columns[k], row);
      if (cells.includes(NOT_UTF8)) this.sink.reject("not UTF-8", position + row);
      else this.sink.row(cells, position + row);
    }
  }
}

/** The rows of a batch that are not plain. */
export class OddRows {
  count = 0;
  readonly flags: Uint8Array;

  constructor(rows: number) {
    this.flags = new Uint8Array(rows);
  }

  mark(row: number) {
    if (this.flags[row] === 0) this.count++;
    this.flags[row] = 1;
  }

  /** Marks rows without a value; each row is one entry of the leaf. */
  markLacking({ lacking, length, depths, place: { maxDefinition } }: Leaf) {
    if (lacking > 0) for (let row = 0; row < length; row++) if (depths[row] < maxDefinition) this.mark(row);
  }

  clear() {
    if (this.count > 0) this.flags.fill(0);
    this.count = 0;
  }
}

/** The place of a top-level column that is one value a row; undefined where there is none such. */
export function flatPlace(root: SchemaTree, column: string): LeafPlace | undefined {
  const nodes = root.children.filter(({ element }) => element.name === column);
  if (nodes.length !== 1 || nodes[0].children.length > 0) return undefined;
  const { element } = nodes[0];
  if (element.repetition_type === "REPEATED") return undefined;
  return { path: [column], element, maxDefinition: element.repetition_type === "REQUIRED" ? 0 : 1, maxRepetition: 0 };
}
