import type { Cell } from "../../transforms/cells";
import { type JsonFault, whyMalformed } from "./jsonfault";
import { CLOSE_BRACE, JsonScanner, MALFORMED, OPEN_BRACE } from "./jsonscan";
import { Names } from "./names";

export type { JsonFault };

/** One JSON object a row: the wanted top-level members become cells. */
export class JsonRows extends JsonScanner {
  /** of the row read last, in the order of the columns; undefined where it has no such member */
  readonly cells: Cell[];
  private readonly columns = new Names();

  constructor(columns: readonly string[]) {
    super();
    for (const column of columns) this.columns.add(column);
    this.cells = columns.map(() => undefined);
  }

  /** Reads the text in bytes [start, end) into `cells`. @returns why it is no row, if it is none */
  read(bytes: Buffer, start: number, end: number): JsonFault | undefined {
    for (let k = 0; k < this.cells.length; k++) this.cells[k] = undefined;
    this.open(bytes, start, end);
    try {
      const isObject = this.peek() === OPEN_BRACE;
      if (isObject) this.row();
      else this.value(false);
      return this.close(start) ?? (isObject ? undefined : "not an object");
    } catch (error) {
      if (error !== MALFORMED) throw error;
      return whyMalformed(bytes.subarray(start, end));
    }
  }

  private row() {
    this.down();
    if (this.empty(CLOSE_BRACE)) return;
    do {
      this.key();
      const column = this.which(this.columns);
      this.colon();
      const cell = this.value(column >= 0);
      if (column >= 0) this.cells[column] = cell;
    } while (this.more(CLOSE_BRACE));
  }
}

class JsonText extends JsonScanner {
  read(bytes: Buffer): { cell: Cell } | { fault: JsonFault } {
    this.open(bytes, 0, bytes.length);
    try {
      const cell = this.value(true);
      const fault = this.close(0);
      return fault ? { fault } : { cell };
    } catch (error) {
      if (error !== MALFORMED) throw error;
      return { fault: whyMalformed(bytes) };
    }
  }
}

const texts = new JsonText();

/** Reads a JSON text that stands in a cell, such as a CSV's impressions: any value, by the same rules as a line. */
export function parseJson(text: string | Buffer): { cell: Cell } | { fault: JsonFault } {
  if (typeof text !== "string") return texts.read(text);
  return /\p{Surrogate}/u.test(text) ? { fault: "not JSON" } : texts.read(Buffer.from(text));
}
