/** An output as it lies there: partitions, their files, and the manifests that they name. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../pipeline/errors";
import { MANIFESTS, type Manifest, parseManifest, parseMarker } from "../../pipeline/manifest";
import type { Findings } from "../findings";
import { date } from "../inputs/values";

export interface PartFile {
  /** from the output: dt=2025-08-16/part-00000-of-00001.parquet */
  path: string;
  bytes: number;
}

export interface FoundPartition {
  dt: string;
  /** epoch day */
  day: number;
  files: PartFile[];
  /** the runs that its _SUCCESS names; null where it names none, undefined where there is no _SUCCESS */
  runs: string[] | null | undefined;
}

export interface FoundOutput {
  folder: string;
  partitions: FoundPartition[];
  /** those that partitions name, and that can be read */
  manifests: Map<string, Manifest>;
}

/** @throws ConfigError where there is no output */
export function findOutput(folder: string, isWanted: (day: number) => boolean, findings: Findings): FoundOutput {
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new ConfigError(`there is no output folder at "${folder}". Give the --output of a build.`);
  const names = readdirSync(folder)
    .filter((name) => name.startsWith("dt="))
    .sort();
  const manifests = readManifests(folder, findings);
  // a run whose rows were all left out has neither rows nor partitions
  if (names.length === 0 && manifests.size === 0 && successOf(folder) === undefined)
    throw new ConfigError(`"${folder}" has no partitions dt=YYYY-MM-DD. Give the --output of a build.`);
  const partitions = names.flatMap((name) => partition(folder, name, findings)).filter(({ day }) => isWanted(day));
  for (const { dt, runs } of partitions)
    for (const run of runs ?? [])
      if (!manifests.has(run))
        findings.add("missing manifest", `the partition names run ${run}, which has no manifest that can be read`, { dt });
  if (successOf(folder) === undefined)
    findings.add("no _SUCCESS", "the output has no _SUCCESS: its last run did not come to its end, or another is at work");
  return { folder, partitions, manifests };
}

function partition(folder: string, name: string, findings: Findings): FoundPartition[] {
  const dt = name.slice(3);
  let day: number;
  try {
    day = date(dt);
  } catch {
    findings.add("unknown folder", "the folder is of no day", { file: name });
    return [];
  }
  const inside = readdirSync(join(folder, name))
    .filter((file) => !/^[_.]/.test(file))
    .sort();
  const files = inside
    .filter((file) => file.endsWith(".parquet"))
    .map((file) => ({ path: `${name}/${file}`, bytes: statSync(join(folder, name, file)).size }));
  const runs = successOf(join(folder, name));
  if (runs === undefined) findings.add("no _SUCCESS", "the partition has no _SUCCESS: the run did not come to its end", { dt });
  return [{ dt, day, files, runs }];
}

function successOf(folder: string): string[] | null | undefined {
  const path = join(folder, "_SUCCESS");
  return existsSync(path) ? (parseMarker(readFileSync(path, "utf8"))?.runs ?? null) : undefined;
}

function readManifests(folder: string, findings: Findings): Map<string, Manifest> {
  const manifests = new Map<string, Manifest>();
  const place = join(folder, MANIFESTS);
  const names = existsSync(place) ? readdirSync(place).filter((name) => name.endsWith(".json")) : [];
  for (const name of names.sort()) {
    try {
      manifests.set(name.slice(0, -".json".length), parseManifest(readFileSync(join(place, name), "utf8"), name));
    } catch (error) {
      findings.add("broken manifest", (error as Error).message, { file: `${MANIFESTS}/${name}` });
    }
  }
  return manifests;
}

/** SHA-256 of a file, in hexadecimal. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest("hex");
}
