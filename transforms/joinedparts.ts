import { ELEMENT_BYTES } from "../beam/limits";
import { load } from "../beam/spill";
import { copyIds } from "./actions";
import type { HistoryActions, Joined } from "./joined";
import { concatRankings, sliceRankings } from "./rankingcolumns";
import { usedOn } from "./usedtimes";

/** Bytes of a group besides its history and its rankings; of an action with its time; of a ranking besides its id and its slots; of a slot. */
const GROUP_BYTES = 32;
const ACTION_BYTES = 17;
const RANKING_BYTES = 20;
const SLOT_BYTES = 9;

/**
 * Cuts a join into elements of one day each, of at most about `most` bytes: where a (customer, day) has too many rankings for one, into
 * pieces of it. They are views, nothing is copied.
 */
export function* cutJoined(joined: Joined, most = ELEMENT_BYTES): Generator<Joined> {
  const { days, historyStarts, historyEnds, rankingStarts } = joined;
  let from = 0;
  let bytes = 0;
  for (let g = 0; g < days.length; g++) {
    const history = (historyEnds[g] - historyStarts[g]) * ACTION_BYTES;
    const group = GROUP_BYTES + history + rankingBytes(joined, rankingStarts[g], rankingStarts[g + 1]);
    if (g > from && (days[g] !== days[from] || bytes + group > most)) {
      yield part(joined, from, g);
      from = g;
      bytes = 0;
    }
    bytes += group;
    if (group > most) {
      yield* pieces(joined, g, most);
      from = g + 1;
      bytes = 0;
    }
  }
  if (from < days.length) yield part(joined, from, days.length);
}

/** Bytes of the rankings [from, to). */
const rankingBytes = ({ rankings: { idStarts, slotStarts } }: Joined, from: number, to: number): number =>
  RANKING_BYTES * (to - from) + idStarts[to] - idStarts[from] + SLOT_BYTES * (slotStarts[to] - slotStarts[from]);

/** The groups [from, to). */
function part(joined: Joined, from: number, to: number): Joined {
  const { customers, days, historyStarts, historyEnds, rankingStarts } = joined;
  return {
    ...joined,
    customers: customers.subarray(from, to),
    days: days.subarray(from, to),
    historyStarts: historyStarts.subarray(from, to),
    historyEnds: historyEnds.subarray(from, to),
    rankingStarts: rankingStarts.subarray(from, to + 1),
    used: usedOn(joined.used, days[from]),
  };
}

/** One group in pieces: its history goes with the first one. */
function* pieces(joined: Joined, g: number, most: number): Generator<Joined> {
  const whole = part(joined, g, g + 1);
  const end = joined.rankingStarts[g + 1];
  let from = joined.rankingStarts[g];
  for (let piece = 1; piece === 1 || from < end; piece++) {
    let to = from + 1;
    while (to < end && rankingBytes(joined, from, to + 1) <= most) to++;
    const history = piece === 1 ? whole : NO_HISTORY;
    const { historyStarts, historyEnds } = history;
    yield { ...whole, historyStarts, historyEnds, rankingStarts: Int32Array.of(from, to), piece };
    from = to;
  }
}

const NO_HISTORY = { historyStarts: new Int32Array(1), historyEnds: new Int32Array(1) };

/** Of groups that were cut into pieces, the pieces together; everything else as it is. */
export function gatherPieces(parts: readonly Joined[]): Joined[] {
  const whole = parts.filter(({ piece }) => piece === 0);
  if (whole.length === parts.length) return whole;
  const byGroup = Map.groupBy(
    parts.filter(({ piece }) => piece > 0),
    ({ customers, days }) => `${customers[0]} ${days[0]}`,
  );
  return [...whole, ...Array.from(byGroup.values(), gathered)];
}

function gathered(some: readonly Joined[]): Joined {
  const inOrder = [...some].sort((a, b) => a.piece - b.piece);
  const rankings = concatRankings(inOrder.map(ownRankings));
  return { ...inOrder[0], rankings, rankingStarts: Int32Array.of(0, rankings.days.length), piece: 0 };
}

const ownRankings = ({ rankings, rankingStarts }: Joined) =>
  sliceRankings(rankings, rankingStarts[0], rankingStarts[rankingStarts.length - 1]);

/** A part with no more than its own rankings. */
export function withOwnRankings(joined: Joined): Joined {
  const first = joined.rankingStarts[0];
  return { ...joined, rankings: ownRankings(joined), rankingStarts: joined.rankingStarts.map((r) => r - first) };
}

/** A part with no more than its own rankings and its own actions: what another machine needs of it. */
export function withOwnColumns(joined: Joined): Joined {
  const { historyStarts, historyEnds } = joined;
  const from = new Int32Array(historyStarts.length);
  const to = new Int32Array(historyStarts.length);
  let n = 0;
  for (let g = 0; g < from.length; g++) {
    from[g] = n;
    to[g] = n += historyEnds[g] - historyStarts[g];
  }
  return { ...withOwnRankings(joined), historyStarts: from, historyEnds: to, actions: takeHistories(joined, n) };
}

/** The actions of all groups' histories, one after the other; they are n. */
function takeHistories({ historyStarts, historyEnds, actions }: Joined, n: number): HistoryActions {
  const { items, types, times } = load(actions);
  const rows = new Int32Array(n);
  for (let g = 0, at = 0; g < historyStarts.length; g++) for (let i = historyStarts[g]; i < historyEnds[g]; i++) rows[at++] = i;
  const out = { items: new BigInt64Array(n), types: new Uint8Array(n), times: new Float64Array(times.length === 0 ? 0 : n) };
  copyIds(items, rows, out.items);
  for (let i = 0; i < n; i++) out.types[i] = types[rows[i]];
  for (let i = 0; i < out.times.length; i++) out.times[i] = times[rows[i]];
  return out;
}
