/** A batch of scanned actions: row i of each column. It is filled again and again: who reads it is done with it when `flush` returns. */
export interface ScannedActions {
  length: number;
  readonly capacity: number;
  /** ids as (low, high) pairs of int32 */
  readonly customers: Int32Array;
  readonly items: Int32Array;
  /** whole microseconds: wall times or instants, all of one kind, as `flush` says; for a date column the midnight of that date */
  readonly times: Float64Array;
  /**
   * epoch day of the action's own dt, 0 where it is not wanted; of a column that is only compared (`said`) also NO_DAY_SAID, SAME_DAY_SAID as
   * lateness.ts has them
   */
  readonly ownDays: Int32Array;
  /** instant of the timestamp that is only compared (`clock`), NaN where there is none */
  readonly clocks: Float64Array;
  /** of these rows only customers, and whether an item is 0, were read: none of them is late */
  unread: boolean;
}

export function scannedActions(capacity = 4096): ScannedActions {
  return {
    length: 0,
    capacity,
    customers: new Int32Array(2 * capacity),
    items: new Int32Array(2 * capacity),
    times: new Float64Array(capacity),
    ownDays: new Int32Array(capacity),
    clocks: new Float64Array(capacity).fill(Number.NaN),
    unread: false,
  };
}

/** Which columns an action is made of. */
export interface ActionFields {
  customer: string;
  item: string;
  time: string;
  timeIs: "timestamp" | "date";
  /** column of the action's own day, null if nobody asks for it; may be the column of `time` if that is a date */
  ownDay: string | null;
  /** as Compared has them, in lateness.ts; a row may lack both */
  said?: string | null;
  clock?: string | null;
}

export interface ScanOptions {
  /** the time zone is UTC, so that wall times are instants */
  utc: boolean;
  /** columns that the folders supply, as InputFile has them; those nobody wants do not matter */
  partition?: Readonly<Record<string, string>>;
  /**
   * Undefined if any action may be of use. Of one outside only the customer is asked for, and whether the item is 0: its time may be
   * NaN instead, and its item another.
   */
  useful?: Useful;
  /** the instant of a wall time; needed where the zone is not UTC and there is a `clock` */
  instant?: (wall: number) => number;
}

/** The instants that any action must lie within to be of use: from `first`, before `end`. */
export interface Useful {
  first: number;
  end: number;
}

/** Where the actions go. */
export interface ActionSink {
  readonly out: ScannedActions;
  /** `out` is full, or the kind of its times is about to change; the scanner empties it afterwards. Never called with no rows. */
  flush(wall: boolean): void;
  careful: Careful;
}

/** A batch of scanned rankings, by column as RankingBatch has them; ids as (low, high) pairs of int32. Filled again and again, as above. */
export class ScannedRankings {
  length = 0;
  readonly customers: Int32Array;
  readonly days: Int32Array;
  /** the id of ranking r is idBytes[idStarts[r] … idStarts[r + 1]), ASCII */
  readonly idStarts: Int32Array;
  idBytes = new Uint8Array(1 << 14);
  /** its slots are [slotStarts[r] … slotStarts[r + 1]) of the slot columns */
  readonly slotStarts: Int32Array;
  slotItems = new Int32Array(2 << 12);
  slotOrders = new Uint8Array(1 << 12);

  constructor(readonly capacity = 1024) {
    this.customers = new Int32Array(2 * capacity);
    this.days = new Int32Array(capacity);
    this.idStarts = new Int32Array(capacity + 1);
    this.slotStarts = new Int32Array(capacity + 1);
  }

  /** Makes room for `bytes` bytes of ids and more. */
  growIds(bytes: number) {
    const old = this.idBytes;
    this.idBytes = new Uint8Array(2 * bytes);
    this.idBytes.set(old);
  }

  growSlots() {
    const { slotItems, slotOrders } = this;
    this.slotItems = new Int32Array(slotItems.length * 2);
    this.slotItems.set(slotItems);
    this.slotOrders = new Uint8Array(slotOrders.length * 2);
    this.slotOrders.set(slotOrders);
  }
}

/** Where the rankings go; as for actions. */
export interface RankingSink {
  readonly out: ScannedRankings;
  flush(): void;
  careful: Careful;
}

/**
 * Takes what the scanner does not fully understand, bytes [start, end) without the line feed (a CR before it is still
 * there). `line` is the index of its first line within this call of `scan`.
 */
export type Careful = (start: number, end: number, line: number) => void;

export interface LineScanner {
  /**
   * Scans the lines in bytes [from, to): a line feed stands at to - 1, and at least 64 bytes follow `to`, whatever they are.
   * `view` looks at the same memory as `bytes`, position for position. Every line that is not blank is either taken or handed
   * to `careful`, in their order. @returns the number of lines, blank ones included
   */
  scan(bytes: Uint8Array, view: DataView, from: number, to: number): number;
  /** After a scan: where the next one has to begin. It is `to`, unless a quoted CSV cell is still open there. */
  readonly next: number;
  /** Hands on the rows that are still in `out`. */
  finish(): void;
}
