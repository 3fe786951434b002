import { type List, listOf } from "./histories";
import { type ColumnName, type CompareOptions, LISTS } from "./options";
import { type Reason, reasonFor } from "./reasons";
import type { Place, Plan, Side } from "./side";
import { batchesOf, type Table } from "./table";
import { textOf } from "./values";

/** A row that differs, on both sides. */
export interface Example {
  here: Place;
  there: Place;
  /** first position at which the histories differ; null where they do not */
  position: number | null;
  /** columns that differ, without lists */
  columns: ColumnName[];
  /** customers' data, for those who ask */
  values?: { here: Record<string, string>; there: Record<string, string> };
}

/** How often a reason is likely; of these rows, how many have more, or newer, actions here, and how many there. */
export interface Counted {
  rows: number;
  moreHere: number;
  moreThere: number;
  example: Example;
}

/** A row looked at once more. */
interface Seen {
  list: List;
  values: Record<string, string>;
}

/** Looks at rows that differ, for the reason. */
export class Explained {
  rows = 0;
  private readonly found = new Map<Reason, Counted>();

  constructor(
    private readonly here: Table,
    private readonly there: Table,
    private readonly plan: Plan,
    private readonly options: CompareOptions,
  ) {}

  async look(a: Side, b: Side, pairs: readonly [number, number][]): Promise<void> {
    if (pairs.length === 0) return;
    const seenHere = await this.again(this.here, a, new Set(pairs.map(([row]) => row)));
    const seenThere = await this.again(this.there, b, new Set(pairs.map(([, row]) => row)));
    for (const [here, there] of pairs)
      this.explain(seenHere.get(here)!, seenThere.get(there)!, a.placeOf(here), b.placeOf(there), [a.longest, b.longest]);
  }

  /** Most frequent first. */
  reasons(): ({ reason: Reason } & Counted)[] {
    return [...this.found].map(([reason, each]) => ({ reason, ...each })).sort((a, b) => b.rows - a.rows);
  }

  private explain(here: Seen, there: Seen, placeHere: Place, placeThere: Place, rooms: [here: number, there: number]): void {
    this.rows++;
    const { reason, position, more } = reasonFor(here.list, there.list, rooms);
    let counted = this.found.get(reason);
    if (counted === undefined) {
      const columns = this.plan.content.filter((name) => flag(here.values[name]) !== flag(there.values[name]));
      const example: Example = { here: placeHere, there: placeThere, position: position < 0 ? null : position, columns };
      if (this.options.showValues) example.values = { here: shown(here, position), there: shown(there, position) };
      this.found.set(reason, (counted = { rows: 0, moreHere: 0, moreThere: 0, example }));
    }
    counted.rows++;
    if (more === "here") counted.moreHere++;
    if (more === "there") counted.moreThere++;
  }

  private async again(table: Table, side: Side, rows: ReadonlySet<number>): Promise<Map<number, Seen>> {
    const byFile = new Map<number, Map<number, number>>();
    for (const row of rows) {
      const [file, at] = side.locate(row);
      if (!byFile.has(file)) byFile.set(file, new Map());
      byFile.get(file)!.set(at, row);
    }
    const names: readonly ColumnName[] = [...this.plan.key, ...this.plan.content];
    // times tell reasons apart, even where one side alone has them
    const wanted = [...names, "action_times"];
    const columns = Object.fromEntries(Object.entries(table.columns).filter(([name]) => wanted.includes(name)));
    const seen = new Map<number, Seen>();
    for (const [file, places] of byFile) {
      let first = 0;
      for await (const batch of batchesOf(side.files[file], columns)) {
        for (let i = 0; i < batch.rows; i++) {
          const row = places.get(first + i);
          if (row === undefined) continue;
          const values = names.filter((name) => !LISTS.includes(name)).map((name) => [name, textOf(batch.columns[name]!, i)]);
          seen.set(row, { list: listOf(batch, i), values: Object.fromEntries(values) });
        }
        first += batch.rows;
      }
    }
    return seen;
  }
}

/** Booleans are integers in other programs. */
const flag = (text: string | undefined): string | undefined => (text === "true" ? "1" : text === "false" ? "0" : text);

/** The row, and its history from a little before the position on. */
function shown({ list, values }: Seen, position: number): Record<string, string> {
  if (position < 0) return values;
  const from = Math.max(0, position - 2);
  const actions = list.items.slice(from, position + 5).map((item, i) => `${item}(${list.types?.[from + i] ?? "?"})`);
  return { ...values, [`actions ${from}...`]: actions.join(" ") };
}
