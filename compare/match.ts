import type { Side } from "./side";

/** Rows by their numbers in the two sides. */
export interface Matches {
  /** as many rows of each dt (by number of here) */
  same: number;
  different: [here: number, there: number][];
  onlyHere: number[];
  onlyThere: number[];
}

/**
 * Pairs the rows of two sides, each with one at most: first those that are the same, then those that only their key says are. So of rows
 * that are there several times, each counts.
 */
export function match(here: Side, there: Side): Matches {
  const { heads, next } = chains(here);
  const free = new Uint8Array(here.rows).fill(1);
  const left: number[] = [];
  let same = 0;
  const find = (row: number, isPartner: (h: number) => boolean): number => {
    for (let h = heads[place(there.keys, row, heads.length)]; h >= 0; h = next[h])
      if (free[h] === 1 && isEqual(here.keys, h, there.keys, row) && isPartner(h)) return h;
    return -1;
  };
  for (let row = 0; row < there.rows; row++) {
    const h = find(row, (h) => isEqual(here.contents, h, there.contents, row));
    if (h < 0) left.push(row);
    else {
      free[h] = 0;
      same++;
    }
  }
  const different: Matches["different"] = [];
  const onlyThere: number[] = [];
  for (const row of left) {
    const h = find(row, () => true);
    if (h < 0) onlyThere.push(row);
    else {
      free[h] = 0;
      different.push([h, row]);
    }
  }
  const onlyHere: number[] = [];
  for (let h = 0; h < here.rows; h++) if (free[h] === 1) onlyHere.push(h);
  different.sort(([a], [b]) => a - b);
  return { same, different, onlyHere, onlyThere };
}

/** Rows of the same place in a hash table, one behind the other, in order. */
function chains({ rows, keys }: Side): { heads: Int32Array; next: Int32Array } {
  const heads = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2, 2 * rows)))).fill(-1);
  const next = new Int32Array(rows);
  for (let row = rows - 1; row >= 0; row--) {
    const at = place(keys, row, heads.length);
    next[row] = heads[at];
    heads[at] = row;
  }
  return { heads, next };
}

const place = (keys: Int32Array, row: number, size: number): number => (keys[2 * row] ^ keys[2 * row + 1]) & (size - 1);
const isEqual = (a: Int32Array, i: number, b: Int32Array, j: number): boolean => a[2 * i] === b[2 * j] && a[2 * i + 1] === b[2 * j + 1];
