import type { AsyncDoFn } from "../beam/async";
import type { KV } from "../beam/cogroup";
import { requireForSerialization } from "../beam/sdk";
import { load, type MaybeSpilled } from "../beam/spill";
import { type Kernel, threads } from "../beam/threads";
import type { KeptJoin } from "../transforms/joinbucket";
import type { Joined } from "../transforms/joined";
import { cutJoined, gatherPieces } from "../transforms/joinedparts";
import { progress } from "./progress";
import type { FileOptions, WriteInput, WrittenFile } from "./writeday";

const WRITE_DAY: Kernel<WriteInput, WrittenFile> = {
  module: "backstory/pipeline/writeday",
  name: "writeDay",
  load: async () => (await import("./writeday.js")).writeDay,
  stage: "write",
};

/** The key of a file: one for each shard and day. */
export const fileKey = (shard: number, day: number, shards: number): number => day * shards + shard;

/** A bucket's join to what each file gets of it. */
export class ByFile {
  constructor(readonly shards: number) {}

  *process({ key: shard, value }: KV<KeptJoin>): Generator<KV<MaybeSpilled<Joined>>> {
    if (Array.isArray(value)) for (const { day, part } of value) yield { key: fileKey(shard, day, this.shards), value: part };
    else for (const part of cutJoined(value)) yield { key: fileKey(shard, part.days[0], this.shards), value: part };
  }
}

/** Writes all rows of one shard and day to a file. */
export class WriteShard implements AsyncDoFn<KV<Iterable<MaybeSpilled<Joined>>>, WrittenFile> {
  constructor(readonly options: FileOptions) {}

  async process({ key, value }: KV<Iterable<MaybeSpilled<Joined>>>, emit: (output: WrittenFile) => Promise<void>): Promise<void> {
    const { options } = this;
    const day = Math.floor(key / options.shards);
    // The histories of what was spilled stay on disk.
    const parts = gatherPieces(Array.from(value, (part) => load(part, SharedArrayBuffer)));
    await threads().run(WRITE_DAY, { shard: key - day * options.shards, day, parts, options }, async (file) => {
      progress.wrote(file.slots);
      await emit(file);
    });
  }
}

requireForSerialization("backstory/pipeline/write", exports);
