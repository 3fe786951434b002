/** Whether the files are those that the manifests name. */
import { join } from "node:path";
import type { Manifest } from "../../pipeline/manifest";
import type { Findings } from "../findings";
import { date } from "../inputs/values";
import { type FoundOutput, type FoundPartition, sha256 } from "./found";

/** Checks files, sizes and hashes; @returns the paths of files that are not as they were published, and not worth reading */
export async function checkFiles(output: FoundOutput, isWanted: (day: number) => boolean, findings: Findings): Promise<void> {
  for (const partition of output.partitions) await checkPartition(output, partition, findings);
  for (const [run, manifest] of output.manifests) checkPartitions(output, run, manifest, isWanted, findings);
}

async function checkPartition({ folder, manifests }: FoundOutput, { dt, files, runs }: FoundPartition, findings: Findings): Promise<void> {
  checkNames(
    dt,
    files.map(({ path }) => path),
    findings,
  );
  if (runs === null || runs === undefined || !runs.every((run) => manifests.has(run))) return;
  const named = runs.flatMap((run) => manifests.get(run)!.partitions.find((partition) => partition.dt === dt)?.files ?? []);
  for (const run of runs)
    if (!manifests.get(run)!.partitions.some((partition) => partition.dt === dt))
      findings.add("partition of another run", `the partition names run ${run}, whose manifest does not name the partition`, { dt });
  for (const { path } of files)
    if (!named.some((file) => file.path === path))
      findings.add("file not in the manifest", "no manifest of the partition names the file", { dt, file: path });
  for (const { path, bytes, sha256: expected } of named) {
    const found = files.find((file) => file.path === path);
    if (found === undefined) findings.add("missing file", "the manifest names the file, and it is not there", { dt, file: path });
    else if (found.bytes !== bytes)
      findings.add("wrong size", `the file has ${found.bytes} bytes, the manifest says ${bytes}`, { dt, file: path });
    else if ((await sha256(join(folder, path))) !== expected)
      findings.add("wrong hash", "the file's SHA-256 is not that of the manifest", { dt, file: path });
  }
}

/** The files of one run are cut into the same number of shards, and no two of them are the same shard. */
function checkNames(dt: string, paths: readonly string[], findings: Findings): void {
  const bases = Map.groupBy(paths, (path) => /\/(?:part|histories|slots)-(.*-)?\d{5}-of-\d{5}\.parquet$/.exec(path)?.[1] ?? "");
  for (const [, files] of bases) {
    const counts = new Set(files.flatMap((path) => /-of-(\d{5})\.parquet$/.exec(path)?.[1] ?? []));
    if (counts.size > 1) findings.add("files of two runs", `files are of ${[...counts].map(Number).join(" and of ")} shards`, { dt });
  }
}

/** Partitions that a run published, and that have gone without another run having replaced or emptied them. */
function checkPartitions(
  { partitions, manifests }: FoundOutput,
  run: string,
  manifest: Manifest,
  isWanted: (day: number) => boolean,
  findings: Findings,
): void {
  for (const { dt } of manifest.partitions) {
    if (partitions.some((partition) => partition.dt === dt) || !isWanted(date(dt))) continue;
    const isEmptied = [...manifests.values()].some(
      (other) => other.committed >= manifest.committed && other.emptied.some((emptied) => emptied.dt === dt),
    );
    if (!isEmptied) findings.add("missing partition", `run ${run} published the partition, and it is not there`, { dt });
  }
}
