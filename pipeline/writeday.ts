import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { isSpilled, type MaybeSpilled, Stretches } from "../beam/spill";
import type { Emit } from "../beam/threads";
import { Calendar, dayName } from "../transforms/calendar";
import { compareWords, orderHash, words } from "../transforms/ids";
import { compareSlots, type HistoryActions, type Joined } from "../transforms/joined";
import type { RankingBatch } from "../transforms/rankings";
import { ORDER } from "../transforms/rules";
import type { WindowRules } from "./certify";
import { type DayFiles, dayFiles, type FileSettings } from "./dayfiles";
import { HashedFile } from "./hashedfile";
import { remoteObjects } from "./io/remote";
import type { FileKind, OutputLayout } from "./layout";
import { prepare } from "./parquet/compression";
import { join } from "./paths";

/** How output files are written; what is in them is the rules' matter. */
export interface FileOptions extends FileSettings, OutputLayout {
  shards: number;
  /** the rules by which the time of each action is looked at once more; null where nobody asks for that */
  recheck?: WindowRules | null;
  /** folder of this run's attempts, within the output */
  attempts: string;
  /** where files for a bucket are made before they go there; null where attempts are on this machine */
  staging: string | null;
}

/** A file written, not yet published. */
export interface WrittenFile {
  /** dt, as YYYY-MM-DD */
  dt: string;
  shard: number;
  kind: FileKind;
  /** where it lies now */
  attempt: string;
  /** as its footer tells */
  rows: number;
  /** those in it, which are the rows of the output; a file of histories has none */
  slots: number;
  bytes: number;
  sha256: string;
  /** actions in its histories that are from their cutoff or later, each once for a history; absent where nobody looked */
  leaks?: number;
}

export interface WriteInput {
  shard: number;
  /** epoch day */
  day: number;
  /** all joins of the shard; they may be of all days */
  parts: Joined[];
  options: FileOptions;
}

/** Kernel: writes the rows of one shard and day to a file, or to two, under names that no other attempt has. */
export async function writeDay({ shard, day, parts, options }: WriteInput, emit: Emit<WrittenFile>): Promise<void> {
  await prepare(options.compression);
  const dt = dayName(day);
  const attempts: Attempt[] = [];
  try {
    const files = dayFiles(options.layout, options.padding, options, () => {
      const attempt = new Attempt(`dt=${dt}-${shard}-${randomUUID()}.parquet`, options);
      attempts.push(attempt);
      return (bytes) => attempt.write(bytes);
    });
    const leaks = options.recheck ? new Leaks(day, options.recheck) : undefined;
    const views = parts.map((part) => partOf(part, leaks));
    for (const { part, group } of groupsOf(day, views)) writeGroup(files, views[part], group);
    for (const [i, { kind, rows, slots }] of files.finish().entries()) {
      const written = await attempts[i].end();
      // they are of histories, which two files may share
      const found = i === 0 && leaks !== undefined ? { leaks: leaks.count } : {};
      await emit({ dt, shard, kind, ...written, rows, slots, ...found });
    }
  } finally {
    for (const attempt of attempts) attempt.close();
  }
}

/** A file on its way. */
class Attempt {
  private readonly file: HashedFile;
  private readonly attempt: string;

  constructor(
    name: string,
    private readonly options: FileOptions,
  ) {
    const folder = options.staging ?? options.attempts;
    mkdirSync(folder, { recursive: true });
    this.attempt = join(options.attempts, name);
    this.file = new HashedFile(join(folder, name));
  }

  write(bytes: Uint8Array): void {
    this.file.write(bytes);
  }

  /** All is written: to a bucket it goes now. */
  async end(): Promise<Pick<WrittenFile, "attempt" | "bytes" | "sha256">> {
    const { attempt, file } = this;
    if (this.options.staging !== null) await send(file.path, attempt, file.bytes);
    return { attempt, bytes: file.bytes, sha256: file.sha256() };
  }

  close(): void {
    this.file.close();
    if (this.options.staging !== null) rmSync(this.file.path, { force: true });
  }
}

/** To a bucket. Nobody else has this name, so there is nothing that it could replace. */
async function send(path: string, attempt: string, bytes: number): Promise<void> {
  const { ABSENT, upload } = remoteObjects();
  if (!(await upload(attempt, path, bytes, ABSENT))) throw new Error(`"${attempt}" is there already. This is a bug.`);
}

/** A join as the file takes it: ids as (lo, hi) pairs, since looking at the same memory in another way costs as much as writing a row. */
interface Part extends Omit<Joined, "customers" | "actions"> {
  customers: Int32Array;
  slotItems: Int32Array;
  give: Give;
}

function partOf(joined: Joined, leaks: Leaks | undefined): Part {
  const { customers, rankings, actions } = joined;
  return { ...joined, customers: words(customers), slotItems: words(rankings.slotItems), give: historiesOf(actions, leaks) };
}

/** A (customer, day), and where to find it. */
interface Group {
  part: number;
  group: number;
  hash: number;
}

/** The groups of a day in the order of their rows: hash of (customer, day), then customer. */
function groupsOf(day: number, parts: readonly Part[]): Group[] {
  const groups: Group[] = [];
  for (let part = 0; part < parts.length; part++) {
    const { days, customers } = parts[part];
    for (let group = 0; group < days.length; group++) {
      if (days[group] === day) groups.push({ part, group, hash: orderHash(customers[2 * group], customers[2 * group + 1], day) });
    }
  }
  return groups.sort((a, b) => {
    const x = parts[a.part].customers;
    const y = parts[b.part].customers;
    return a.hash - b.hash || compareWords(x[2 * a.group], x[2 * a.group + 1], y[2 * b.group], y[2 * b.group + 1]);
  });
}

/** Gives files the history [from, to) of a customer, whose id comes as words. */
type Give = (files: DayFiles, customerLo: number, customerHi: number, from: number, to: number) => void;

function historiesOf(actions: MaybeSpilled<HistoryActions>, leaks: Leaks | undefined): Give {
  if (isSpilled(actions)) return spilledHistories(new Stretches(actions), leaks);
  const { types } = actions;
  const items = words(actions.items);
  const times = actions.times.length === 0 ? undefined : actions.times;
  return (files, customerLo, customerHi, from, to) => {
    leaks?.look(types, times, from, to);
    files.history({ customerLo, customerHi, items, types, times, from, to });
  };
}

/** Reads one history at a time; the file is done with the one before when it is given the next. */
function spilledHistories(stretches: Stretches<keyof HistoryActions>, leaks: Leaks | undefined): Give {
  const hasTimes = stretches.length("times") > 0;
  let items = new BigInt64Array(0);
  let ids = words(items);
  let types = new Uint8Array(0);
  let times = new Float64Array(0);
  return (files, customerLo, customerHi, from, to) => {
    const n = to - from;
    if (types.length < n) {
      items = new BigInt64Array(2 * n);
      ids = words(items);
      types = new Uint8Array(2 * n);
      times = new Float64Array(hasTimes ? 2 * n : 0);
    }
    stretches.read("items", from, to, items);
    stretches.read("types", from, to, types);
    if (hasTimes) stretches.read("times", from, to, times);
    leaks?.look(types, hasTimes ? times : undefined, 0, n);
    files.history({ customerLo, customerHi, items: ids, types, times: hasTimes ? times : undefined, from: 0, to: n });
  };
}

/** Looks at the time of every action once more, just before it is written. With the action clock `dt` times prove nothing. */
class Leaks {
  count = 0;
  private readonly cutoff: number;
  private readonly orderCutoff: number;

  constructor(day: number, { timezone, orderLagDays, actionClock }: WindowRules) {
    const calendar = new Calendar(timezone);
    this.cutoff = actionClock === "dt" ? Infinity : calendar.midnight(day);
    this.orderCutoff = actionClock === "dt" ? Infinity : calendar.midnight(day - orderLagDays);
  }

  look(types: Uint8Array, times: Float64Array | undefined, from: number, to: number): void {
    if (times === undefined && to > from) throw new Error("Times are wanted to look for leaks; got a history without any.");
    for (let i = from; i < to; i++) if (!(times![i] < (types[i] === ORDER ? this.orderCutoff : this.cutoff))) this.count++;
  }
}

function writeGroup(files: DayFiles, part: Part, g: number): void {
  const { customers, historyStarts, historyEnds, rankingStarts, rankings, slotItems, give } = part;
  const { idBytes, idStarts, slotStarts, slotOrders } = rankings;
  give(files, customers[2 * g], customers[2 * g + 1], historyStarts[g], historyEnds[g]);
  for (let r = rankingStarts[g]; r < rankingStarts[g + 1]; ) {
    let twins = 1;
    while (r + twins < rankingStarts[g + 1] && sameRanking(rankings, r, r + twins)) twins++;
    const [from, to] = [slotStarts[r], slotStarts[r + 1]];
    files.ranking({ ids: idBytes, idFrom: idStarts[r], idTo: idStarts[r + 1], items: slotItems, orders: slotOrders, from, to }, twins);
    r += twins;
  }
}

function sameRanking(rankings: RankingBatch, a: number, b: number): boolean {
  const { idBytes, idStarts } = rankings;
  const same = Buffer.compare(idBytes.subarray(idStarts[a], idStarts[a + 1]), idBytes.subarray(idStarts[b], idStarts[b + 1])) === 0;
  return same && compareSlots(rankings, a, b) === 0;
}
