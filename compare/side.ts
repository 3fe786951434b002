import { ConfigError } from "../pipeline/errors";
import type { ArrowColumn } from "../verify/output/arrow";
import { extentOf } from "./histories";
import { type ColumnName, LISTS } from "./options";
import { type Batch, batchesOf, type Table, type TableFile } from "./table";
import { addElements, addValue, Hash } from "./values";

/** What of a table is compared. */
export interface Plan {
  /** that tell rows of a dt apart */
  key: readonly ColumnName[];
  /** that must be the same */
  content: readonly ColumnName[];
  ignorePadding: boolean;
  isWanted: (dt: string) => boolean;
}

/** Where a row is, for people. */
export interface Place {
  file: string;
  /** in its file, from 1 */
  row: number;
}

/** The rows of some files as hashes: 64 bits of what tells a row apart, 64 of what must be the same. */
export class Side {
  rows = 0;
  keys = new Int32Array(2 << 10);
  contents = new Int32Array(2 << 10);
  /** of each row: its dt, by number */
  dts = new Int32Array(1 << 10);
  /** elements of the longest list, which is what there is room for */
  longest = 0;
  readonly dtNames: string[] = [];
  private readonly dtNumbers = new Map<string, number>();
  /** the first row of each file */
  private readonly starts: number[] = [];
  /** of each file: its rows that are compared, where those are not all */
  private readonly numbers: (number[] | null)[] = [];

  constructor(
    private readonly table: Table,
    readonly files: readonly TableFile[],
    private readonly plan: Plan,
  ) {}

  async read(): Promise<this> {
    for (const file of this.files) await this.readFile(file);
    return this;
  }

  /** The number of a row's file, and of the row in it, from 0. */
  locate(row: number): [file: number, row: number] {
    let file = this.starts.length - 1;
    while (this.starts[file] > row) file--;
    const at = row - this.starts[file];
    return [file, this.numbers[file]?.[at] ?? at];
  }

  placeOf(row: number): Place {
    const [file, at] = this.locate(row);
    return { file: this.files[file].name, row: at + 1 };
  }

  private async readFile(file: TableFile): Promise<void> {
    const { key, content, isWanted } = this.plan;
    this.starts.push(this.rows);
    const numbers: number[] = [];
    let seen = 0;
    const wanted = new Set<ColumnName>([...key, ...content, ...(file.dt === undefined ? (["dt"] as const) : [])]);
    const columns = Object.fromEntries(Object.entries(this.table.columns).filter(([name]) => wanted.has(name as ColumnName)));
    if (file.dt === undefined || isWanted(file.dt)) {
      for await (const batch of batchesOf(file, columns)) {
        const lists = new ListHashes(batch, this.plan);
        for (let i = 0; i < batch.rows; i++, seen++) {
          const dt = file.dt ?? dayOf(batch.columns.dt, i);
          if (file.dt === undefined && !isWanted(dt)) continue;
          numbers.push(seen);
          this.add(dt, batch, i, lists);
        }
        this.longest = Math.max(this.longest, lists.longest);
      }
    }
    this.numbers.push(numbers.length === seen ? null : numbers);
  }

  private add(dt: string, { columns }: Batch, i: number, lists: ListHashes): void {
    if (this.rows === this.dts.length) this.grow();
    let number = this.dtNumbers.get(dt);
    if (number === undefined) this.dtNumbers.set(dt, (number = this.dtNames.push(dt) - 1));
    const row = this.rows++;
    this.dts[row] = number;
    hash.begin();
    for (let at = 0; at < dt.length; at++) hash.word(dt.charCodeAt(at));
    for (const name of this.plan.key) addValue(hash, columns[name]!, i);
    this.put(this.keys, row);
    hash.begin();
    for (const name of this.plan.content) if (!LISTS.includes(name)) addValue(hash, columns[name]!, i);
    lists.addTo(hash, i);
    this.put(this.contents, row);
  }

  private put(to: Int32Array, row: number): void {
    hash.end();
    to[2 * row] = hash.a;
    to[2 * row + 1] = hash.b;
  }

  private grow(): void {
    const twice = (column: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const larger = new Int32Array(2 * column.length);
      larger.set(column);
      return larger;
    };
    this.keys = twice(this.keys);
    this.contents = twice(this.contents);
    this.dts = twice(this.dts);
  }
}

const hash = new Hash();

/** The lists of a row, of which most are those of the row before: slots of a ranking share a history. */
class ListHashes {
  private readonly lists: { offsets: Int32Array; values: BigInt64Array | Int32Array }[];
  private readonly own = new Hash();
  private last = -1;
  longest = 0;

  constructor(
    private readonly batch: Batch,
    { content, ignorePadding }: Plan,
  ) {
    const names = content.filter((name) => LISTS.includes(name));
    this.lists = names.map((name) => {
      const column = batch.columns[name];
      if (column?.kind !== "lists") throw new ConfigError(`column ${name} is no list of integers. Take it out of --columns.`);
      return column;
    });
    this.extent = ignorePadding ? (i) => extentOf(this.batch, i) : undefined;
  }

  private readonly extent: ((i: number) => [number, number]) | undefined;

  addTo(hash: Hash, i: number): void {
    if (this.lists.length === 0) return;
    if (this.last < 0 || !this.isSame(this.last, i)) {
      this.own.begin();
      const extent = this.extent?.(i);
      for (const { offsets, values } of this.lists) {
        const [from, to] = extent === undefined ? [offsets[i], offsets[i + 1]] : [offsets[i] + extent[0], offsets[i] + extent[1]];
        addElements(this.own, values, from, to);
        this.longest = Math.max(this.longest, offsets[i + 1] - offsets[i]);
      }
      this.last = i;
    }
    hash.word(this.own.a);
    hash.word(this.own.b);
  }

  private isSame(i: number, j: number): boolean {
    return this.lists.every(
      ({ offsets, values }) => Buffer.compare(bytes(values, offsets[i], offsets[i + 1]), bytes(values, offsets[j], offsets[j + 1])) === 0,
    );
  }
}

const bytes = ({ buffer, byteOffset, BYTES_PER_ELEMENT: size }: BigInt64Array | Int32Array, from: number, to: number): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset + size * from, size * (to - from));

/** A dt in a column: a date, or text. */
function dayOf(column: ArrowColumn | undefined, i: number): string {
  if (column?.kind === "ints") return new Date(Number(column.values[i]) * 86_400_000).toISOString().slice(0, 10);
  if (column?.kind === "texts") return column.bytes.toString("utf8", column.offsets[i], column.offsets[i + 1]).replace(/^dt=/, "");
  return "?";
}
