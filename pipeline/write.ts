import { createHash, randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { AsyncDoFn } from "../beam/async";
import type { KV } from "../beam/cogroup";
import { requireForSerialization } from "../beam/sdk";
import { dayName } from "../transforms/calendar";
import { compareWords, orderHash, words } from "../transforms/ids";
import { compareSlots, type Joined } from "../transforms/join";
import { prepare } from "./parquet/compression";
import type { Compression, OutputColumn } from "./parquet/schema";
import { TrainingFile } from "./parquet/trainingfile";
import { progress } from "./progress";

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

/** Writes all rows of one shard, one file a day, under names that no other attempt has. */
export class WriteShard implements AsyncDoFn<{ key: number; value: Iterable<Joined> }, KV<WrittenFile>> {
  constructor(readonly options: FileOptions) {}

  async process(
    { key: shard, value }: { key: number; value: Iterable<Joined> },
    emit: (output: KV<WrittenFile>) => Promise<void>,
  ): Promise<void> {
    await prepare(this.options.compression);
    const parts = [...value];
    for (const [day, groups] of byDay(parts)) {
      const file = this.write(shard, dayName(day), parts, groups);
      progress.wrote(file.rows);
      await emit({ key: 0, value: file });
    }
  }

  private write(shard: number, dt: string, parts: Joined[], groups: Group[]): WrittenFile {
    mkdirSync(this.options.attempts, { recursive: true });
    const attempt = join(this.options.attempts, `dt=${dt}-${shard}-${randomUUID()}.parquet`);
    const hash = createHash("sha256");
    const fd = openSync(attempt, "wx");
    try {
      const file = new TrainingFile({ ...this.options, createdBy: "backstory" }, (bytes) => {
        hash.update(bytes);
        writeFully(fd, bytes);
      });
      for (const { part, group } of groups) writeGroup(file, parts[part], group);
      const { rows, bytes } = file.finish();
      return { dt, shard, attempt, rows, bytes, sha256: hash.digest("hex") };
    } finally {
      closeSync(fd);
    }
  }
}

function writeFully(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/** A (customer, day), and where to find it. */
interface Group {
  part: number;
  group: number;
  hash: number;
}

/** The groups of each day in the order of their rows: hash of (customer, day), then customer. Days ascending. */
function byDay(parts: readonly Joined[]): [number, Group[]][] {
  const days = new Map<number, Group[]>();
  const ids = parts.map(({ customers }) => words(customers));
  for (let part = 0; part < parts.length; part++) {
    const id = ids[part];
    for (let group = 0; group < parts[part].days.length; group++) {
      const day = parts[part].days[group];
      if (!days.has(day)) days.set(day, []);
      days.get(day)!.push({ part, group, hash: orderHash(id[2 * group], id[2 * group + 1], day) });
    }
  }
  const order = (a: Group, b: Group): number => {
    const x = ids[a.part];
    const y = ids[b.part];
    return a.hash - b.hash || compareWords(x[2 * a.group], x[2 * a.group + 1], y[2 * b.group], y[2 * b.group + 1]);
  };
  for (const groups of days.values()) groups.sort(order);
  return [...days].sort(([a], [b]) => a - b);
}

function writeGroup(file: TrainingFile, part: Joined, g: number): void {
  const { rankingStarts } = part;
  file.history(
    part.customers[g],
    words(part.items),
    part.types,
    part.times.length === 0 ? undefined : part.times,
    part.historyStarts[g],
    part.historyEnds[g],
  );
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

requireForSerialization("backstory/pipeline/write", exports);
