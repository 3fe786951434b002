import { createHash } from "node:crypto";
import { ConfigError } from "../../errors";
import { isNear, locationOf } from "../../gcs/location";
import { ABSENT, findObject, removeAll, writeBytes } from "../../gcs/objects";
import { readRange } from "../../gcs/range";
import { parseUri } from "../../gcs/uri";
import { join } from "../../paths";
import type { Tell } from "../tell";
import type { DataflowChoice } from "./choice";
import { DataflowError } from "./errors";
import type { Staged } from "./translate";

/** Folder of all that one job stages. */
export const stagingFolder = ({ stagingLocation, jobName }: DataflowChoice, runId: string): string =>
  join(stagingLocation, `${jobName}.${runId}`);

/** Where tables of BigQuery are exported to for a run; gone at its end if somebody waits for that. */
export const exportsFolder = ({ tempLocation }: DataflowChoice, runId: string): string => join(tempLocation, `backstory-${runId}`);

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Where the proto of a run will lie. */
export const stagedAs = (choice: DataflowChoice, runId: string, proto: Uint8Array): Staged => ({
  url: join(stagingFolder(choice, runId), "pipeline.pb"),
  sha256: sha256(proto),
});

/** Writes the proto where Dataflow and its workers read it, and looks whether that is what they will read. @throws ConfigError where something is there already */
export async function stage({ url, sha256: wanted }: Staged, proto: Uint8Array): Promise<void> {
  const bytes = Buffer.from(proto.buffer, proto.byteOffset, proto.byteLength);
  if (!(await writeBytes(url, bytes, ABSENT)))
    throw new ConfigError(
      `there is something at "${url}" already, where this job's pipeline belongs. Remove it, or choose another --staging-location.`,
    );
  const found = await findObject(url);
  if (found?.size !== bytes.length || sha256(await readRange(found, 0, found.size)) !== wanted)
    throw new DataflowError(`"${url}" is not what was written there. Look who writes to that folder, and run it again.`);
}

/** Removes what a job has staged; what stays is told, and no reason for a run to fail. */
export async function unstage(folder: string, tell: Tell): Promise<void> {
  try {
    await removeAll(folder);
  } catch (error) {
    tell("warning", `"${folder}" could not be removed: ${(error as Error).message}`);
  }
}

/** Warns of buckets on other continents than the workers: each byte costs then, and takes long. @throws ConfigError where there is no such bucket */
export async function checkBuckets(uris: Iterable<string>, region: string, tell: Tell): Promise<void> {
  const buckets = new Set([...uris].filter((uri) => uri.startsWith("gs://")).map((uri) => parseUri(uri, "a path").bucket));
  for (const bucket of buckets) {
    const location = await locationOf(bucket);
    if (location !== undefined && !isNear(location, region))
      tell(
        "warning",
        `the bucket ${bucket} is in ${location}, and the workers are in ${region}: reading and writing take longer and cost more. Choose a --region near it.`,
      );
  }
}
