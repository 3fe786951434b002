/** Runs that have only their last step, in a bucket: files as writers leave them there, and what readers see. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Report } from "../../pipeline/gathered";
import { parseManifest, parseMarker } from "../../pipeline/manifest";
import { attemptsOf } from "../../pipeline/partitions";
import { type Run, sha256, written } from "../pipeline/publishcases";
import type { Service } from "./service";

/** What the writers of a run leave. */
export async function attempted(gcs: Service, run: Run, output: string): Promise<Report[]> {
  const local = mkdtempSync(join(tmpdir(), "gcs-attempted-"));
  try {
    return await Promise.all(
      written(run, local).map(async (report) => {
        if (!("file" in report)) return report;
        const attempt = `${attemptsOf(output, run.run)}/${basename(report.file.attempt)}`;
        await gcs.put(attempt, readFileSync(report.file.attempt));
        return { file: { ...report.file, attempt } };
      }),
    );
  } finally {
    rmSync(local, { recursive: true });
  }
}

/** All objects below an output when nobody changes any, by their names there. */
export async function objectsOf(gcs: Service, output: string): Promise<Map<string, Buffer>> {
  const [, bucket, prefix] = /^gs:\/\/([^/]+)\/(.+)$/.exec(`${output}/`)!;
  const names = (await gcs.names(bucket, prefix)).map((name) => name.slice(prefix.length));
  return new Map(await Promise.all(names.map(async (name) => [name, await gcs.get(`${output}/${name}`)] as const)));
}

/**
 * Reads by `_SUCCESS` and by manifests. By `_SUCCESS`: each partition that has one must be just what the manifests of its runs say, and where the
 * output has one, so have all of its partitions. By manifest: the files of a run in a partition are those it wrote or are told from them by
 * their hashes; those of the runs that `_SUCCESS` names must be there. @returns the runs of each partition that is whole
 */
export function readObjects(objects: Map<string, Buffer>): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  const partitions = new Set([...objects.keys()].filter((name) => /^dt=.*part-/.test(name)).map((name) => name.split("/")[0]));
  for (const name of partitions) {
    const success = objects.get(`${name}/_SUCCESS`);
    if (success === undefined) {
      if (objects.has("_SUCCESS")) throw new Error(`${name} has no _SUCCESS, and the output has`);
      continue;
    }
    const { runs } = parseMarker(success.toString())!;
    const said = runs.flatMap((run) => filesOf(objects, run, name));
    const there = [...objects].filter(([path]) => path.startsWith(`${name}/part-`)).map(([path, bytes]) => `${path} ${sha256(bytes)}`);
    expect(there.sort()).toEqual(said.sort());
    found[name.slice(3)] = runs;
  }
  return found;
}

function filesOf(objects: Map<string, Buffer>, run: string, name: string): string[] {
  const path = `_manifests/${run}.json`;
  const { partitions } = parseManifest(objects.get(path)!.toString(), path);
  return partitions.filter(({ dt }) => `dt=${dt}` === name).flatMap(({ files }) => files.map((file) => `${file.path} ${file.sha256}`));
}
