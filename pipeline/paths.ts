/** Paths of this machine and of buckets: node:path would take the second slash out of gs://. */
import * as path from "node:path";
import { isGcs } from "./gcs/uri";

export function join(first: string, ...rest: string[]): string {
  return isGcs(first) ? `gs://${path.posix.join(first.slice("gs://".length), ...rest)}` : path.join(first, ...rest);
}
