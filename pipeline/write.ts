import type { AsyncDoFn } from "../beam/async";
import type { KV } from "../beam/cogroup";
import { requireForSerialization } from "../beam/sdk";
import { load, type MaybeSpilled } from "../beam/spill";
import { type Kernel, threads } from "../beam/threads";
import type { Joined } from "../transforms/joined";
import { progress } from "./progress";
import type { FileOptions, WriteInput, WrittenFile } from "./writeday";

const WRITE_DAY: Kernel<WriteInput, WrittenFile> = {
  module: "backstory/pipeline/writeday",
  name: "writeDay",
  load: async () => (await import("./writeday.js")).writeDay,
  stage: "write",
};

/** Writes all rows of one shard, one file a day; days side by side where there are threads. */
export class WriteShard implements AsyncDoFn<KV<Iterable<MaybeSpilled<Joined>>>, WrittenFile> {
  constructor(readonly options: FileOptions) {}

  async process({ key: shard, value }: KV<Iterable<MaybeSpilled<Joined>>>, emit: (output: WrittenFile) => Promise<void>): Promise<void> {
    // The histories of what was spilled stay on disk; all days look at the rest.
    const parts = Array.from(value, (part) => load(part, SharedArrayBuffer));
    const days = new Set(parts.flatMap((part) => Array.from(new Set(part.days))));
    await Promise.all(
      [...days].map((day) =>
        threads().run(WRITE_DAY, { shard, day, parts, options: this.options }, async (file) => {
          progress.wrote(file.rows);
          await emit(file);
        }),
      ),
    );
  }
}

requireForSerialization("backstory/pipeline/write", exports);
