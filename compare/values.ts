/** Values of rows as 64-bit integers and bytes, so that a column compares equal whatever width its program has given it. */
import type { ArrowColumn, Bools, Lists } from "../verify/output/arrow";

/** A hash of 64 bits: two of 32 with other seeds, by the rounds and the finaliser of MurmurHash3 (see transforms/ids.ts). */
export class Hash {
  a = 0;
  b = 0;

  begin(): this {
    this.a = 0x2545f491;
    this.b = 0x9e3779b9 | 0;
    return this;
  }

  word(word: number): void {
    this.a = round(this.a, word, 0xcc9e2d51, 0x1b873593);
    this.b = round(this.b, word, 0x85ebca6b, 0xc2b2ae35);
  }

  end(): void {
    this.a = mixed(this.a);
    this.b = mixed(this.b);
  }
}

function round(h: number, word: number, c1: number, c2: number): number {
  const k = Math.imul(word, c1);
  const x = h ^ Math.imul((k << 15) | (k >>> 17), c2);
  return (Math.imul((x << 13) | (x >>> 19), 5) + 0xe6546b64) | 0;
}

function mixed(h: number): number {
  let x = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** Adds value i of a column, or its list. Numbers in text are the same as numbers: ids often are one here, the other there. */
export function addValue(hash: Hash, column: ArrowColumn, i: number): void {
  if (column.kind === "lists") {
    addElements(hash, column.values, column.offsets[i], column.offsets[i + 1]);
    return;
  }
  const integer = integerAt(column, i);
  if (integer !== undefined) {
    hash.word(Number(BigInt.asIntN(32, integer)));
    hash.word(Number(BigInt.asIntN(32, integer >> 32n)));
    return;
  }
  const text = textOf(column, i);
  hash.word(-1 - text.length);
  for (let at = 0; at < text.length; at++) hash.word(text.charCodeAt(at));
}

function integerAt(column: Exclude<ArrowColumn, Lists<BigInt64Array | Int32Array>>, i: number): bigint | undefined {
  if (column.kind === "bools") return BigInt(bitAt(column, i));
  if (column.kind === "ints") return BigInt(column.values[i]);
  const text = textOf(column, i);
  return /^-?(0|[1-9][0-9]{0,18})$/.test(text) ? BigInt(text) : undefined;
}

const bitAt = ({ bits, first }: Bools, i: number): number => (bits[(first + i) >> 3] >> ((first + i) & 7)) & 1;

/** Adds the elements [from, to) of a list column, as 64-bit integers. */
export function addElements(hash: Hash, values: BigInt64Array | Int32Array, from: number, to: number): void {
  hash.word(to - from);
  if (values instanceof Int32Array) {
    for (let i = from; i < to; i++) {
      hash.word(values[i]);
      hash.word(values[i] >> 31);
    }
    return;
  }
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  for (let i = 2 * from; i < 2 * to; i++) hash.word(words[i]);
}

/** Value i for people. */
export function textOf(column: ArrowColumn, i: number): string {
  if (column.kind === "bools") return String(bitAt(column, i) === 1);
  if (column.kind === "ints") return String(column.values[i]);
  if (column.kind === "lists") return column.values.subarray(column.offsets[i], column.offsets[i + 1]).join(" ");
  return column.bytes.toString("utf8", column.offsets[i], column.offsets[i + 1]);
}
