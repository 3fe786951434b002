import { closeSync, mkdirSync, openSync, readSync, writevSync } from "node:fs";
import { join } from "node:path";
import { threadId } from "node:worker_threads";

/** Columns that were put on disk, since memory was short. Plain data: it goes from thread to thread, and `load` gives the columns back. */
export interface Spilled {
  spilled: string;
  offset: number;
  bytes: number;
}
export type MaybeSpilled<T> = T | Spilled;

export const isSpilled = (value: object): value is Spilled => "spilled" in value;

/** What a thread may leave in memory when it hands it on, and where it puts everything else. */
export interface Room {
  /** bytes of each stage */
  bytes: number;
  /** made when it is needed */
  folder: string;
}

/** What is held: the results of steps that wait for a grouping, and the index of the customers shown. Each has room of its own. */
export type Stage = "scanned" | "joined" | "shown";

const UNLIMITED: Room = { bytes: Number.POSITIVE_INFINITY, folder: "" };

/**
 * The room of this thread and the files that it has open: one to write to, and those of all threads to read from.
 * A runner that keeps its groups on disk itself needs none of it: there, everything fits.
 */
class Spill {
  private readonly held: Record<Stage, number> = { scanned: 0, joined: 0, shown: 0 };
  private readonly files = new Map<string, number>();
  private out: { path: string; fd: number; offset: number } | undefined;

  constructor(private readonly room: Room) {}

  fits(stage: Stage, bytes: number): boolean {
    if (this.held[stage] + bytes > this.room.bytes) return false;
    this.held[stage] += bytes;
    return true;
  }

  write(chunks: readonly Uint8Array[]): { path: string; offset: number } {
    this.out ??= this.create();
    const { path, fd, offset } = this.out;
    for (let at = 0; at < chunks.length; at += CHUNKS_AT_ONCE) {
      let rest = chunks.slice(at, at + CHUNKS_AT_ONCE);
      while (rest.length > 0) {
        const written = writevSync(fd, rest, this.out.offset);
        this.out.offset += written;
        rest = without(rest, written);
      }
    }
    return { path, offset };
  }

  read(path: string, offset: number, into: Uint8Array): void {
    let fd = this.files.get(path);
    if (fd === undefined) this.files.set(path, (fd = openSync(path, "r")));
    for (let at = 0; at < into.length; ) {
      const n = readSync(fd, into, at, into.length - at, offset + at);
      if (n === 0)
        throw new Error(`"${path}" ends before byte ${offset + into.length}: somebody has changed it during the run. Run again.`);
      at += n;
    }
  }

  close(): void {
    for (const fd of this.files.values()) closeSync(fd);
    if (this.out !== undefined) closeSync(this.out.fd);
  }

  private create() {
    mkdirSync(this.room.folder, { recursive: true });
    const path = join(this.room.folder, `${threadId}.columns`);
    return { path, fd: openSync(path, "wx"), offset: 0 };
  }
}

let current = new Spill(UNLIMITED);

/** Gives this thread its room; `undefined`: no limit. */
export function useRoom(room: Room = UNLIMITED): void {
  current.close();
  current = new Spill(room);
}

/** Whether this thread may hand on so many bytes in memory. If so they count from then on. */
export const fits = (stage: Stage, bytes: number): boolean => current.fits(stage, bytes);

/** Bytes of all columns of a value. */
export function bytesOf(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (value === null || typeof value !== "object") return 0;
  return Object.values(value).reduce((sum: number, field) => sum + bytesOf(field), 0);
}

/** Parts of one write: what systems take at once (IOV_MAX). */
const CHUNKS_AT_ONCE = 1024;

/** Chunks without their first bytes. */
function without(chunks: Uint8Array[], bytes: number): Uint8Array[] {
  let i = 0;
  while (i < chunks.length && bytes >= chunks[i].length) bytes -= chunks[i++].length;
  return bytes === 0 ? chunks.slice(i) : [chunks[i].subarray(bytes), ...chunks.slice(i + 1)];
}

/** Typed arrays by the letter that stands for them, on disk and on the wire. */
export const ARRAYS = { b: Uint8Array, i: Int32Array, d: Float64Array, q: BigInt64Array } as const;
export type Letter = keyof typeof ARRAYS;
export type Column = Uint8Array | Int32Array | Float64Array | BigInt64Array;

/** Where a column lies: its letter, the byte where it begins, counted from the first column, and its length in elements. */
type Place = [letter: Letter, offset: number, length: number];

/**
 * Puts values on disk, all in one write. On disk a value is: length of the head (4 bytes); head, the value as JSON with a Place for each column;
 * columns, as they lie in memory, each at a multiple of 8.
 */
export function spill(values: readonly object[]): Spilled[] {
  const chunks: Uint8Array[] = [];
  const sizes = values.map((value) => {
    const columns: Uint8Array[] = [];
    let end = 0;
    const head = JSON.stringify(value, (_name, field) => {
      if (!ArrayBuffer.isView(field)) return field;
      const { buffer, byteOffset, byteLength, length } = field as Column;
      const place: Place = [letterOf(field as Column), end, length];
      end += padded(byteLength);
      columns.push(new Uint8Array(buffer, byteOffset, byteLength), PADDING.subarray(0, padded(byteLength) - byteLength));
      return { place };
    });
    const headBytes = Buffer.byteLength(head);
    const start = Buffer.alloc(startOf(headBytes));
    start.writeUInt32LE(headBytes);
    start.write(head, 4);
    chunks.push(start, ...columns);
    return start.length + end;
  });
  const { path, offset } = current.write(chunks.filter(({ length }) => length > 0));
  let at = offset;
  return sizes.map((bytes) => {
    const spilled = { spilled: path, offset: at, bytes };
    at += bytes;
    return spilled;
  });
}

/** The columns of a value, read back if they are on disk; in memory that threads share if that is asked for. */
export function load<T extends object>(value: MaybeSpilled<T>, memory: typeof ArrayBuffer | typeof SharedArrayBuffer = ArrayBuffer): T {
  if (!isSpilled(value)) return value;
  const bytes: Uint8Array = new Uint8Array(new memory(value.bytes));
  current.read(value.spilled, value.offset, bytes);
  const { head, start } = headOf(bytes);
  return JSON.parse(head, (_name, field) => {
    if (!isPlace(field)) return field;
    const [letter, offset, length] = field.place;
    return new ARRAYS[letter](bytes.buffer as ArrayBuffer, start + offset, length);
  });
}

/** Reads stretches of the columns of a spilled value, which is never in memory as a whole. */
export class Stretches<Name extends string> {
  private readonly places: Record<Name, { place: Place }>;
  private readonly start: number;

  constructor(private readonly value: Spilled) {
    const bytes = new Uint8Array(Math.min(HEAD_BYTES, value.bytes));
    current.read(value.spilled, value.offset, bytes);
    const { head, start } = headOf(bytes);
    this.places = JSON.parse(head);
    this.start = value.offset + start;
  }

  length(name: Name): number {
    return this.places[name].place[2];
  }

  /** Reads the elements [from, to) of a column into `out`, from its beginning on. */
  read(name: Name, from: number, to: number, out: Column): void {
    const [, offset] = this.places[name].place;
    const width = out.BYTES_PER_ELEMENT;
    current.read(this.value.spilled, this.start + offset + from * width, new Uint8Array(out.buffer, out.byteOffset, (to - from) * width));
  }
}

/** Enough for the head of a flat value of a few columns. */
const HEAD_BYTES = 4096;

const PADDING = new Uint8Array(8);
const padded = (bytes: number): number => 8 * Math.ceil(bytes / 8);
const startOf = (headBytes: number): number => padded(4 + headBytes);

function headOf({ buffer }: Uint8Array): { head: string; start: number } {
  const length = new DataView(buffer).getUint32(0, true);
  return { head: Buffer.from(buffer, 4, length).toString(), start: startOf(length) };
}

function isPlace(field: unknown): field is { place: Place } {
  return field !== null && typeof field === "object" && "place" in field;
}

function letterOf(column: Column): Letter {
  for (const letter of Object.keys(ARRAYS) as Letter[]) if (column instanceof ARRAYS[letter]) return letter;
  throw new Error(`columns are ${Object.values(ARRAYS).map(({ name }) => name)}; got ${(column as object).constructor.name}.`);
}
