import { ELEMENT_BYTES } from "../beam/limits";
import { bytesOf, isSpilled } from "../beam/spill";
import type { WindowedActions } from "./bounds";
import { words } from "./ids";
import type { Recent, RecentChunk, RecentPart } from "./joinbucket";
import type { Tallies } from "./tallies";
import type { Timelines } from "./timelines";

/** Bytes of an action, or of a tally, at most: of the only action of a timeline, whose customer and start are its own. */
const ROW_BYTES = 33;

/** Bytes of a part as an element holds them: of what lies on disk, only the place. */
const weightOf = (part: RecentPart): number => (isSpilled(part) ? 0 : bytesOf(part));

/** The recent actions of a bucket as elements of at most about `most` bytes. Parts are cut where they must be, as views. */
export function* chunksOf(recent: Recent, most = ELEMENT_BYTES): Generator<RecentChunk> {
  const chunks: Recent[] = [[]];
  let bytes = 0;
  for (const part of recent.flatMap((each) => (weightOf(each) > most ? [...cutPart(each, most)] : [each]))) {
    const weight = weightOf(part);
    if (bytes > 0 && bytes + weight > most) {
      chunks.push([]);
      bytes = 0;
    }
    chunks[chunks.length - 1].push(part);
    bytes += weight;
  }
  for (const [index, parts] of chunks.entries()) yield { parts, index, of: chunks.length };
}

/** The part in pieces of at most about `most` bytes: its actions, then its tallies. */
function* cutPart(part: RecentPart, most: number): Generator<WindowedActions | Timelines> {
  if (isSpilled(part)) return;
  const rows = Math.max(1, Math.floor(most / ROW_BYTES));
  const { times, tallies } = part;
  for (let from = 0; from < times.length; from += rows) {
    const to = Math.min(times.length, from + rows);
    yield "starts" in part ? sliceTimelines(part, from, to) : sliceActions(part, from, to);
  }
  for (let from = 0; from < tallies.counts.length; from += rows)
    yield { ...sliceActions(part, 0, 0), tallies: sliceTallies(tallies, from, from + rows) };
}

/** The actions [from, to), without tallies. */
function sliceActions({ customers, items, times, types, firsts, tallies }: WindowedActions, from: number, to: number): WindowedActions {
  return {
    customers: customers.subarray(from, to),
    items: items.subarray(from, to),
    times: times.subarray(from, to),
    types: types.subarray(from, to),
    firsts: firsts.subarray(from, to),
    tallies: sliceTallies(tallies, 0, 0),
  };
}

/** A timeline may be in two pieces: each is a timeline. */
function sliceTimelines(timelines: Timelines, from: number, to: number): Timelines {
  const { customers, starts } = timelines;
  let first = 0;
  while (starts[first + 1] <= from) first++;
  let end = first;
  while (starts[end] < to) end++;
  return {
    ...sliceActions(timelines, from, to),
    customers: customers.subarray(first, end),
    starts: starts.subarray(first, end + 1).map((start) => Math.min(Math.max(start, from), to) - from),
  };
}

function sliceTallies({ customers, types, firsts, lasts, counts }: Tallies, from: number, to: number): Tallies {
  return {
    customers: customers.subarray(from, to),
    types: types.subarray(from, to),
    firsts: firsts.subarray(from, to),
    lasts: lasts.subarray(from, to),
    counts: counts.subarray(from, to),
  };
}

/** Rows that are looked at to find out whether one customer has many. */
const LOOKS = 32;
/** A customer is hot who has so many of them. */
const HOT_LOOKS = 16;

/**
 * Whether merging the part is likely to leave little of it: it has many rows, and of a few of them, many are one customer's. Only time depends on it.
 */
export function isHot(part: Pick<WindowedActions, "customers" | "times"> | Timelines, historyLength: number): boolean {
  const n = part.times.length;
  if (n < HOT_ROWS || n < 8 * historyLength) return false;
  const counts = new Map<number, number>();
  for (let i = 0; i < LOOKS; i++) {
    const row = (Math.imul(i, 0x9e3779b1) >>> 0) % n; // anywhere, since customers may come in turns
    // the low word is enough for a guess
    const low = words(part.customers)[2 * ("starts" in part ? customerAt(part.starts, row) : row)];
    const count = (counts.get(low) ?? 0) + 1;
    if (count >= HOT_LOOKS) return true;
    counts.set(low, count);
  }
  return false;
}

/** Fewer rows are not worth a merge. */
const HOT_ROWS = 1 << 14;

function customerAt(starts: Int32Array, row: number): number {
  let c = 0;
  while (starts[c + 1] <= row) c++;
  return c;
}
