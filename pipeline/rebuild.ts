/** `backstory rebuild`: runs again what a manifest says, and compares. */
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { ConfigError } from "./errors";
import { type Manifest, parseManifest } from "./manifest";
import { BuildOptions } from "./options";
import { changedAmong } from "./origin";
import { build } from "./run";
import { versions } from "./version";

const { output, threads, maxMemory, tempDir, runner, project, tempLocation, maxBytesBilled, quiet } = BuildOptions.shape;
export const RebuildOptions = z.strictObject({ output, threads, maxMemory, tempDir, runner, project, tempLocation, maxBytesBilled, quiet });
export type RebuildOptions = z.infer<typeof RebuildOptions>;

/** What is not as the manifest has it. */
export class Differences extends Error {
  override name = "Differences";
  readonly exitCode = 4;
}

/**
 * @returns the manifest of the new run, whose files have the same bytes
 * @throws Differences if an input has another size or is gone, and then nothing is built; or if the bytes are others
 */
export async function rebuild(path: string, options: RebuildOptions): Promise<Manifest> {
  const then = parseManifest(textOf(path), path);
  const changed = changedAmong(then.inputs);
  const lost = changed.filter(({ sizeChanged }) => sizeChanged);
  if (lost.length > 0)
    throw new Differences(
      `inputs changed since ${then.run}, so nothing was built: ${listed(lost.map(toldOf))}. Restore them, or build anew.`,
    );
  const { manifest } = await build(optionsOf(then, options, path));
  const now = parseManifest(textOf(manifest!), manifest!);
  const others = othersAmong(then, now);
  if (others.length === 0) return now;
  const causes = [...changed.map(toldOf), ...addedSince(then, now), ...versionsSince(then)];
  const why = causes.length === 0 ? "No input has another size or time, and the versions are the same" : `What changed: ${listed(causes)}`;
  throw new Differences(`the files of ${options.output} are not those of ${then.run}: ${listed(others)}. ${why}.`);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(
      `"${path}" cannot be read (${(error as NodeJS.ErrnoException).code}). Name a manifest: OUTPUT/_manifests/RUN.json.`,
    );
  }
}

function optionsOf({ options }: Manifest, given: RebuildOptions, path: string): BuildOptions {
  const { data, error } = BuildOptions.safeParse({ ...options, ...given });
  if (error === undefined) return data;
  const [issue] = error.issues;
  throw new ConfigError(
    `"${path}" has options that this version does not take (${issue.path.join(".")}: ${issue.message.replace(/^.*received undefined$/, "is missing")}). Rebuild with the version that wrote it.`,
  );
}

/** Where the bytes are others; of append the name of the run is no difference. */
function othersAmong(then: Manifest, now: Manifest): string[] {
  const before = filesOf(then);
  const after = filesOf(now);
  return [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name)).sort();
}

function filesOf({ run, writeMode, partitions }: Manifest): Map<string, string> {
  // only there it is part of a name; a run may be called 08, which is a part of days
  const nameOf = (path: string) => (writeMode === "append" ? path.replace(`-${run}-`, "-") : path);
  const files = partitions.flatMap(({ files }) => files);
  return new Map(files.map(({ path, sha256 }) => [join(dirname(path), nameOf(basename(path))), sha256]));
}

const toldOf = ({ path, why }: { path: string; why: string }): string => `${path} (${why})`;

function addedSince(then: Manifest, now: Manifest): string[] {
  const known = new Set(then.inputs.map(({ path }) => path));
  return now.inputs.filter(({ path, from }) => from === undefined && !known.has(path)).map(({ path }) => `${path} (new)`);
}

function versionsSince({ versions: then }: Manifest): string[] {
  const now = versions();
  return (Object.keys(now) as (keyof typeof now)[]).flatMap((name) =>
    then[name] === now[name] ? [] : [`${name} (${then[name]} then, ${now[name]} now)`],
  );
}

function listed(all: string[]): string {
  return all.length <= 5 ? all.join(", ") : `${all.slice(0, 5).join(", ")} and ${all.length - 5} more`;
}
