/**
 * What publishing a run does, decided once and then done by whoever gets to it: the run's own attempts, which may be several at a time, or
 * a later run that finds it unfinished. Every step is one rename, out of a name that is this commit's alone or into a folder that is,
 * and both are gone when it is through. So each step happens once, however many do it, and one that comes late finds nothing and does nothing.
 *
 * A commit is a folder in the run's turn (`turn.ts`):
 *
 *     plan.json, manifest.json
 *     layout.json  what will be the output's _layout.json; not of rows
 *     marks/     the _SUCCESS of each partition, and of the top, as they will be
 *     before/    an empty folder for each: takes the old _SUCCESS
 *     during/    where that folder goes then: takes the old parts, while new ones come
 *     after/     where it goes when all are there, and nothing else may go; then comes the new _SUCCESS
 */

import { z } from "zod";
import { PublishError } from "./errors";
import { inParallel } from "./io/parallel";
import { LAYOUT_FILE } from "./layout";
import { type Manifest, type Marker, RUN_ID } from "./manifest";
import { ATTEMPTS, manifestFile, type Place, partitionOf } from "./partitions";
import { join } from "./paths";
import type { Tree } from "./storage";

/** As file systems have them. */
const MOST_NAME_BYTES = 255;
const name = z
  .string()
  .refine((text) => text !== "" && !/[/\0]/.test(text) && text !== "." && text !== ".." && Buffer.byteLength(text) <= MOST_NAME_BYTES);
const dt = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);

/** Names are within the partition; those of attempts within the run's folder of attempts. */
export const CommitPlan = z.strictObject({
  run: z.string().regex(RUN_ID),
  /** the content of the output's _layout.json, if it is to have one */
  layout: z.string().optional(),
  partitions: z.array(
    z.strictObject({
      dt,
      files: z.array(z.strictObject({ attempt: name, name, bytes: z.number() })),
      /** files that go */
      replaced: z.array(name),
      /** without files, it is emptied */
      runs: z.array(z.string().regex(RUN_ID)),
    }),
  ),
});
export type CommitPlan = z.infer<typeof CommitPlan>;
type Planned = CommitPlan["partitions"][number];

/** A commit as it lies in a turn. */
export function commitTree(plan: CommitPlan, manifest: Manifest): Tree {
  const filled = plan.partitions.filter(({ files }) => files.length > 0);
  return {
    "plan.json": JSON.stringify(plan),
    "manifest.json": `${JSON.stringify(manifest, null, 2)}\n`,
    ...(plan.layout === undefined ? {} : { "layout.json": plan.layout }),
    marks: { [TOP]: mark([plan.run]), ...Object.fromEntries(filled.map(({ dt, runs }) => [partitionOf(dt), mark(runs)])) },
    before: Object.fromEntries([TOP, ...plan.partitions.map(({ dt }) => partitionOf(dt))].map((name) => [name, {}])),
    during: {},
    after: {},
  };
}

/** The decision that nothing is published. */
export const abandonedTree = (): Tree => ({ "plan.json": "null" });

const TOP = "top";
const SUCCESS = "_SUCCESS";
const mark = (runs: string[]): string => `${JSON.stringify({ runs } satisfies Marker)}\n`;

/** Does what is left to be done of a commit, or nothing if somebody else has. */
export class Completion {
  private readonly attempts: string;

  constructor(
    private readonly place: Place,
    private readonly commit: string,
    private readonly plan: CommitPlan,
  ) {
    this.attempts = join(place.output, ATTEMPTS, plan.run);
  }

  async run(): Promise<void> {
    const { output, storage } = this.place;
    const manifest = manifestFile(output, this.plan.run);
    await this.once(join(this.commit, "manifest.json"), manifest);
    if (this.plan.layout !== undefined) await this.once(join(this.commit, "layout.json"), join(output, LAYOUT_FILE));
    await storage.move(join(output, SUCCESS), join(this.commit, "before", TOP, SUCCESS));
    await this.turn("before", "during", TOP);
    // No step of a partition touches what is another's, be it in the output or in the commit; the top waits for all of them.
    await inParallel(this.plan.partitions, storage.atOnce, (partition) => this.publish(partition));
    await this.once(join(this.commit, "marks", TOP), join(output, SUCCESS));
  }

  private async publish({ dt, files, replaced }: Planned): Promise<void> {
    const { output, storage } = this.place;
    const name = partitionOf(dt);
    const folder = join(output, name);
    await storage.move(join(folder, SUCCESS), join(this.commit, "before", name, SUCCESS));
    await this.turn("before", "during", name);
    for (const file of files) await this.bring(file, folder);
    for (const old of replaced) await storage.move(join(folder, old), join(this.commit, "during", name, old));
    await this.turn("during", "after", name);
    if (files.length > 0) await this.once(join(this.commit, "marks", name), join(folder, SUCCESS));
    else await storage.removeEmpty(folder);
  }

  private async turn(from: string, to: string, name: string): Promise<void> {
    await this.place.storage.move(join(this.commit, from, name), join(this.commit, to, name));
  }

  private async bring({ attempt, name, bytes }: Planned["files"][number], folder: string): Promise<void> {
    const to = join(folder, name);
    if (await this.once(join(this.attempts, attempt), to)) return;
    if ((await this.place.storage.size(to)) === bytes || (await this.isOver())) return;
    throw new PublishError(
      `"${to}" is gone, and so is what was to become of it: somebody has removed files in the middle of publishing run ${this.plan.run}. Give up what is left of it by backstory clean ${this.place.output} --run=${this.plan.run}, then build those days again.`,
      1,
    );
  }

  /** A folder that somebody has removed is made again. @returns whether it was moved now; else somebody has done it */
  private async once(from: string, to: string): Promise<boolean> {
    const { storage } = this.place;
    for (let tries = 0; tries < 10; tries++) {
      if (await storage.move(from, to)) return true;
      if ((await storage.size(from)) === undefined) return false;
      await storage.makeFolder(join(to, ".."));
    }
    throw new PublishError(`"${to}" cannot be made: its folder goes away again and again. Look who removes it, and run again.`, 1);
  }

  private async isOver(): Promise<boolean> {
    return (await this.place.storage.read(join(this.commit, "plan.json"))) === undefined;
  }
}
