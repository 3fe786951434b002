/** Whether files are of the one layout that their output has, and hold as many rows as manifests say. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FileMetaData } from "hyparquet";
import { LAYOUT_FILE, layoutName, layoutNoteOf, layoutOf, type OutputLayout, PLAIN } from "../../pipeline/layout";
import type { Findings } from "../findings";
import type { FoundOutput } from "./found";
import { footerOf } from "./reader";

/** @returns the layout that files have which are not rows with padding; null where all are */
export async function checkLayout(output: FoundOutput, findings: Findings): Promise<OutputLayout | null> {
  const path = join(output.folder, LAYOUT_FILE);
  const said = layoutOf(existsSync(path) ? readFileSync(path, "utf8") : undefined);
  if (said === undefined) findings.add("wrong layout", "the file does not say which layout the output has", { file: LAYOUT_FILE });
  let other: OutputLayout | null = null;
  for (const { dt, files } of output.partitions)
    for (const { path } of files) {
      const metadata = await footerOf(join(output.folder, path)).catch(() => undefined);
      if (metadata === undefined) continue; // told by who reads its rows
      const found = layoutNoteOf(metadata);
      const [has, belongs] = [layoutName(found ?? PLAIN), said && layoutName(said)];
      if (belongs !== undefined && has !== belongs)
        findings.add("wrong layout", `the file is of ${has}, the output of ${belongs}`, { dt, file: path });
      if (found === undefined) continue;
      other = found;
      checkCount(output, dt, path, metadata, findings);
    }
  return other;
}

/** Of rows it is told when they are read. */
function checkCount(
  { partitions, manifests }: FoundOutput,
  dt: string,
  path: string,
  { num_rows }: FileMetaData,
  findings: Findings,
): void {
  const runs = partitions.find((partition) => partition.dt === dt)?.runs ?? [];
  const named = runs.flatMap((run) => manifests.get(run)?.partitions.find((partition) => partition.dt === dt)?.files ?? []);
  const promised = named.find((file) => file.path === path)?.rows;
  if (promised !== undefined && promised !== Number(num_rows))
    findings.add("wrong row count", `the file has ${num_rows} rows, the manifest says ${promised}`, { dt, file: path });
}
