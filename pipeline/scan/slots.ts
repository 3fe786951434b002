import { readId } from "./digits";
import { At, Literal, Literals, Role } from "./literals";
import type { RankingRows } from "./rankingrows";
import { FALS, skipScalar, TRUE } from "./skip";

const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;
const BLANK = 0x20;
const SLOT = (1 << Role.item) | (1 << Role.isOrder);

/** Lists of slots: `[{"item_id":2,"is_order":false},…]`, other scalar members allowed. */
export class SlotReader {
  private readonly literals: Literals;

  /** @param quote what quotes a key; within a CSV cell it is `""`, and members with text are not understood */
  constructor(
    private readonly rows: RankingRows,
    quote: '"' | '""',
  ) {
    this.literals = new Literals((key) => (key === "item_id" ? Role.item : key === "is_order" ? Role.isOrder : Role.skip), quote);
  }

  /** Reads the list at `at` into the row. @returns the position behind it, -1 if it was not understood */
  read(bytes: Uint8Array, view: DataView, start: number): number {
    if (bytes[start] !== OPEN_BRACKET) return -1;
    let at = start;
    let slot = this.rows.firstSlot();
    do {
      at = this.slot(bytes, view, pastBlanks(bytes, at + 1), slot);
      if (at < 0) return -1;
      slot = this.rows.nextSlot();
      at = pastBlanks(bytes, at);
    } while (bytes[at] === COMMA);
    return bytes[at] === CLOSE_BRACKET ? at + 1 : -1;
  }

  private slot(bytes: Uint8Array, view: DataView, start: number, slot: number): number {
    const { literals } = this;
    const { out } = this.rows;
    const { table } = literals;
    let at = start;
    let seen = 0;
    let literal: number = Literal.start;
    do {
      literal = literals.step(bytes, view, at, literal);
      if (literal < 0) return -1;
      at = pastBlanks(bytes, at + table[literal + At.length]);
      const role = table[literal + At.role];
      if (role === Role.item) at = readId(bytes, view, at, out.slotItems, 2 * slot);
      else if (role === Role.isOrder) {
        const word = view.getInt32(at, true);
        out.slotOrders[slot] = word === TRUE ? 1 : 0;
        at = word === TRUE ? at + 4 : word === FALS && bytes[at + 4] === 0x65 ? at + 5 : -1;
      } else at = role === Role.skip ? skipScalar(bytes, view, at) : -1;
      if (at < 0) return -1;
      if (role !== Role.skip && seen & (1 << role)) return -1;
      seen |= (1 << role) & SLOT;
    } while (bytes[at] !== CLOSE_BRACE);
    return seen === SLOT ? at + 1 : -1;
  }
}

function pastBlanks(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] === BLANK) at++;
  return at;
}
