import { createHash, randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { isSpilled, type MaybeSpilled, Stretches } from "../beam/spill";
import type { Emit, Kernel } from "../beam/threads";
import { dayName } from "../transforms/calendar";
import { compareWords, orderHash, words } from "../transforms/ids";
import { compareSlots, type HistoryActions, type Joined } from "../transforms/joined";
import type { Compression, OutputColumn } from "./parquet/schema";
import { prepare, TrainingFile } from "./parquet/trainingfile";

/** How output files are written; what is in them is the rules' matter. */
export interface FileOptions {
  historyLength: number;
  columns: OutputColumn[];
  compression: Compression;
  rowGroupBytes: number;
  shards: number;
  /** folder of this run's attempts, within the output */
  attempts: string;
}

/** A file written, not yet published. */
export interface WrittenFile {
  /** dt, as YYYY-MM-DD */
  dt: string;
  shard: number;
  /** where it lies now */
  attempt: string;
  rows: number;
  bytes: number;
  sha256: string;
}

export interface WriteInput {
  shard: number;
  /** epoch day */
  day: number;
  /** all joins of the shard; they may be of all days */
  parts: Joined[];
  options: FileOptions;
}

/** Kernel: writes the rows of one shard and day to a file, under a name that no other attempt has. */
export async function writeDay({ shard, day, parts, options }: WriteInput, emit: Emit<WrittenFile>): Promise<void> {
  await prepare(options.compression);
  const dt = dayName(day);
  mkdirSync(options.attempts, { recursive: true });
  const attempt = join(options.attempts, `dt=${dt}-${shard}-${randomUUID()}.parquet`);
  const hash = createHash("sha256");
  const fd = openSync(attempt, "wx");
  const histories = parts.map(({ actions }) => historiesOf(actions));
  try {
    const file = new TrainingFile({ ...options, createdBy: CREATED_BY }, (bytes) => {
      hash.update(bytes);
      writeFully(fd, bytes);
    });
    for (const { part, group } of groupsOf(day, parts)) writeGroup(file, parts[part], histories[part], group);
    const { rows, bytes } = file.finish();
    await emit({ dt, shard, attempt, rows, bytes, sha256: hash.digest("hex") });
  } finally {
    closeSync(fd);
  }
}

export const WRITE_DAY: Kernel<WriteInput, WrittenFile> = { module: "backstory/pipeline/writeday", run: writeDay, stage: "write" };

/** In the form that readers of Parquet parse; the same for every run, since it is part of the bytes. */
const CREATED_BY = "backstory version 0.1.0 (build 0)";

function writeFully(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/** A (customer, day), and where to find it. */
interface Group {
  part: number;
  group: number;
  hash: number;
}

/** The groups of a day in the order of their rows: hash of (customer, day), then customer. */
function groupsOf(day: number, parts: readonly Joined[]): Group[] {
  const groups: Group[] = [];
  const ids = parts.map(({ customers }) => words(customers));
  for (let part = 0; part < parts.length; part++) {
    const { days } = parts[part];
    const id = ids[part];
    for (let group = 0; group < days.length; group++) {
      if (days[group] === day) groups.push({ part, group, hash: orderHash(id[2 * group], id[2 * group + 1], day) });
    }
  }
  return groups.sort((a, b) => {
    const x = ids[a.part];
    const y = ids[b.part];
    return a.hash - b.hash || compareWords(x[2 * a.group], x[2 * a.group + 1], y[2 * b.group], y[2 * b.group + 1]);
  });
}

/** Gives a file the history [from, to) of a customer. */
type Give = (file: TrainingFile, customer: bigint, from: number, to: number) => void;

function historiesOf(actions: MaybeSpilled<HistoryActions>): Give {
  if (isSpilled(actions)) return spilledHistories(new Stretches(actions));
  const { items, types, times } = actions;
  const ids = words(items);
  return (file, customer, from, to) => file.history(customer, ids, types, times.length === 0 ? undefined : times, from, to);
}

/** Reads one history at a time. */
function spilledHistories(stretches: Stretches<keyof HistoryActions>): Give {
  const hasTimes = stretches.length("times") > 0;
  let out: HistoryActions = { items: new BigInt64Array(0), types: new Uint8Array(0), times: new Float64Array(0) };
  return (file, customer, from, to) => {
    const n = to - from;
    if (out.types.length < n) out = { items: new BigInt64Array(2 * n), types: new Uint8Array(2 * n), times: new Float64Array(2 * n) };
    stretches.read("items", from, to, out.items);
    stretches.read("types", from, to, out.types);
    if (hasTimes) stretches.read("times", from, to, out.times);
    file.history(customer, words(out.items), out.types, hasTimes ? out.times : undefined, 0, n);
  };
}

function writeGroup(file: TrainingFile, part: Joined, give: Give, g: number): void {
  const { rankingStarts } = part;
  give(file, part.customers[g], part.historyStarts[g], part.historyEnds[g]);
  for (let r = rankingStarts[g]; r < rankingStarts[g + 1]; ) {
    let twins = 1;
    while (r + twins < rankingStarts[g + 1] && sameRanking(part, r, r + twins)) twins++;
    writeRanking(file, part, r, twins);
    r += twins;
  }
}

/** Rows are in one total order, so the slots of a ranking that was given twice alternate. */
function writeRanking(file: TrainingFile, { rankings }: Joined, r: number, twins: number): void {
  const items = words(rankings.slotItems);
  const { idBytes, idStarts, slotStarts, slotOrders } = rankings;
  for (let s = slotStarts[r]; s < slotStarts[r + 1]; s++) {
    for (let twin = 0; twin < twins; twin++)
      file.slot(idBytes, idStarts[r], idStarts[r + 1], s - slotStarts[r], items[2 * s], items[2 * s + 1], slotOrders[s]);
  }
}

function sameRanking({ rankings }: Joined, a: number, b: number): boolean {
  const { idBytes, idStarts } = rankings;
  const same = Buffer.compare(idBytes.subarray(idStarts[a], idStarts[a + 1]), idBytes.subarray(idStarts[b], idStarts[b + 1])) === 0;
  return same && compareSlots(rankings, a, b) === 0;
}
