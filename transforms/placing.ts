import type { Ledger, Place } from "./ledger";
import type { Rules } from "./rules";

/** Where the actions of a join end; of each the index below. */
const PLACES = ["used", "beyond the history length", "outside every window", "customer never shown"] as const satisfies Place[];
export const USED = 0;
export const BEYOND = 1;
export const OUTSIDE = 2;
export const NEVER_SHOWN = 3;

/** Type codes fit a byte. */
const TYPES = 256;

/** Counts actions by place and type code in a typed array: a ledger is made of it once, at the end. */
export class ActionPlaces {
  private readonly counts = new Float64Array(PLACES.length * TYPES);

  /** Adds `n` actions of a type. */
  add(place: number, type: number, n: number): void {
    this.counts[place * TYPES + type] += n;
  }

  /** Adds the actions [from, to) of a column of types. */
  addAll(place: number, types: Uint8Array, from: number, to: number): void {
    const { counts } = this;
    const base = place * TYPES;
    for (let i = from; i < to; i++) counts[base + types[i]]++;
  }

  /** Adds what was counted to a ledger, under the names of the types' tables. */
  addTo(ledger: Ledger, { tables }: Rules): void {
    const names = new Map(tables.map(({ type, name }) => [type, name]));
    for (let i = 0; i < this.counts.length; i++) {
      const type = i % TYPES;
      if (this.counts[i] !== 0) placeRows(ledger, names.get(type) ?? `type ${type}`, PLACES[(i - type) / TYPES], this.counts[i]);
    }
  }
}

/** As `place` of the ledger, which this file must not import: kernels run in threads that do without the SDK. */
export function placeRows(ledger: Ledger, table: string, where: Place, n: number): void {
  if (n === 0) return;
  ledger[table] ??= { rows: 0, places: {}, reasons: {}, lacking: {}, columns: [], zeroItems: 0 };
  const { places } = ledger[table];
  places[where] = (places[where] ?? 0) + n;
}
