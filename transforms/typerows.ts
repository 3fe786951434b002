/** Type codes are 1 to 127, padding is 0. */
export const TYPES = 128;

/** From a position to the next: not a power of two, else all positions would compete for the same few lines of the cache. */
const STRIDE = TYPES + 8;

export type TypeColumn = Uint8Array | Int32Array | number[];

/** Counts rows by type code, and by position and type code for the first positions, in typed arrays. */
export class TypeRows {
  /** whether anything was added since it was emptied */
  pending = false;
  private readonly rows = new Float64Array(TYPES);
  /** position x STRIDE + type code */
  private positionRows = new Float64Array(0);
  /** two tables that take turns: to increment a cell again, a processor waits for the increment before */
  private readonly even = new Int32Array(2 * TYPES);
  private readonly odd = new Int32Array(2 * TYPES);

  constructor(private readonly maxPositions: number) {}

  /**
   * Adds a history that `rows` slots share: types [from, to), 0 is padding.
   * @returns its real actions
   * @throws RangeError for a type code outside 0 to 127
   */
  add(types: TypeColumn, from: number, to: number, rows: number): number {
    this.pending = true;
    const near = Math.max(from, Math.min(to, from + this.maxPositions));
    if ((near - from) * STRIDE > this.positionRows.length) this.reserve(near - from);
    const real = this.addNear(types, from, near, rows);
    return (
      real + (to - near > TYPES && types instanceof Uint8Array ? this.addBytes(types, near, to, rows) : this.addFar(types, near, to, rows))
    );
  }

  /** Hands out what was counted, if anything, and is empty afterwards. */
  empty(ofType: (type: number, rows: number) => void, atPosition: (position: number, type: number, rows: number) => void): void {
    this.pending = false;
    const { rows, positionRows } = this;
    for (let type = 1; type < TYPES; type++) {
      if (rows[type] === 0) continue;
      ofType(type, rows[type]);
      for (let i = type; i < positionRows.length; i += STRIDE) {
        if (positionRows[i] !== 0) atPosition((i - type) / STRIDE, type, positionRows[i]);
      }
    }
    rows.fill(0);
    positionRows.fill(0);
  }

  /** Positions that are counted one by one. */
  private addNear(types: TypeColumn, from: number, to: number, rows: number): number {
    const { positionRows, rows: typeRows } = this;
    let real = 0;
    for (let i = from; i < to; i++) {
      const type = types[i];
      if (type === 0) continue;
      check(type);
      real++;
      typeRows[type] += rows;
      positionRows[(i - from) * STRIDE + type] += rows;
    }
    return real;
  }

  /** Positions beyond those. */
  private addFar(types: TypeColumn, from: number, to: number, rows: number): number {
    const { rows: typeRows } = this;
    let real = 0;
    for (let i = from; i < to; i++) {
      const type = types[i];
      if (type === 0) continue;
      check(type);
      real++;
      typeRows[type] += rows;
    }
    return real;
  }

  /** The same for many bytes: actions are counted first, and weighed with `rows` by type. */
  private addBytes(types: Uint8Array, from: number, to: number, rows: number): number {
    const { even, odd } = this;
    let i = from;
    for (; i + 1 < to; i += 2) {
      even[types[i]]++;
      odd[types[i + 1]]++;
    }
    if (i < to) even[types[i]]++;
    let real = 0;
    let beyond = 0;
    for (let type = 1; type < 2 * TYPES; type++) {
      const n = even[type] + odd[type];
      if (n === 0) continue;
      if (type < TYPES) this.rows[type] += n * rows;
      else beyond ||= type;
      real += n;
    }
    even.fill(0);
    odd.fill(0);
    if (beyond !== 0) check(beyond);
    return real;
  }

  private reserve(positions: number): void {
    const positionRows = new Float64Array(Math.min(this.maxPositions, Math.max(16, 2 * positions)) * STRIDE);
    positionRows.set(this.positionRows);
    this.positionRows = positionRows;
  }
}

function check(type: number): void {
  if ((type & (TYPES - 1)) !== type) throw new RangeError(`an action type must be 0 to 127; got ${type}.`);
}
