import { IdIndex } from "./ids";

/**
 * Actions that are counted instead of kept: so many of a customer and a type, seen by the days [first, last].
 * With them the ledger can still tell, once the customer's days are known, why an action was not used.
 */
export interface Tallies {
  customers: BigInt64Array;
  types: Uint8Array;
  firsts: Int32Array;
  lasts: Int32Array;
  counts: Float64Array;
}

export const EMPTY_TALLIES: Tallies = tallyColumns(0);

/** Adds up tallies, one row for each (customer, type, first, last). */
export class TallyBuilder {
  private readonly ids = new IdIndex();
  private readonly cells = new Map<string, Cell>();

  get length(): number {
    return this.cells.size;
  }

  /** Adds `count` actions of customers[row]. */
  add(customers: BigInt64Array, row: number, type: number, first: number, last: number, count: number): void {
    const low = Number(BigInt.asIntN(32, customers[row]));
    const high = Number(customers[row] >> 32n);
    const customer = this.ids.add(low, high);
    const key = `${customer},${type},${first},${last}`;
    const cell = this.cells.get(key);
    if (cell === undefined) this.cells.set(key, { customer, type, first, last, count });
    else cell.count += count;
  }

  addAll(tallies: Tallies): void {
    for (let i = 0; i < tallies.counts.length; i++)
      this.add(tallies.customers, i, tallies.types[i], tallies.firsts[i], tallies.lasts[i], tallies.counts[i]);
  }

  take(): Tallies {
    const out = tallyColumns(this.cells.size);
    const ids = this.ids.toArray();
    let i = 0;
    for (const cell of this.cells.values()) {
      out.customers[i] = ids[cell.customer];
      out.types[i] = cell.type;
      out.firsts[i] = cell.first;
      out.lasts[i] = cell.last;
      out.counts[i++] = cell.count;
    }
    return out;
  }
}

interface Cell {
  customer: number;
  type: number;
  first: number;
  last: number;
  count: number;
}

function tallyColumns(length: number): Tallies {
  return {
    customers: new BigInt64Array(length),
    types: new Uint8Array(length),
    firsts: new Int32Array(length),
    lasts: new Int32Array(length),
    counts: new Float64Array(length),
  };
}
