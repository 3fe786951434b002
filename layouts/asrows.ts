/** Outputs, partitions and files of any layout as files of the layout rows, for what reads no other. */
import { mkdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { BrokenFile } from "../pipeline/io/rows";
import { PLAIN } from "../pipeline/layout";
import { manifestsByFile } from "./settings";
import { convertFile, convertTree, partitionsBelow } from "./tree";

/**
 * @param to a folder that is not there yet
 * @param broken hears of files, by path from the output, that cannot be read; without it they end the conversion
 * @param isWanted which partitions of an output are, by dt
 * @returns where what was at `path` is then
 * @throws BrokenFile, ConfigError where a file is not what a build writes
 */
export async function asRows(
  path: string,
  to: string,
  broken?: (path: string, error: BrokenFile) => void,
  isWanted: (dt: string) => boolean = () => true,
): Promise<string> {
  const [from, name] = [dirname(resolve(path)), basename(resolve(path))];
  if (!statSync(path).isDirectory()) return fileAsRows(path, to);
  if (!name.startsWith("dt=")) {
    // a manifest that cannot be read says nothing of files, and is told of by who looks at manifests
    const manifests = manifestsByFile(path, () => {});
    const partitions = partitionsBelow(path).filter((partition) => isWanted(partition.slice("dt=".length)));
    await convertTree({ from: path, to, wanted: PLAIN, manifests, broken }, partitions);
    return to;
  }
  await convertTree({ from, to, wanted: PLAIN, manifests: new Map(), broken }, [name]);
  return join(to, name);
}

/** A file, or the one beside it, which tells the same rows. */
async function fileAsRows(path: string, to: string): Promise<string> {
  const folder = dirname(resolve(path));
  const partition = basename(folder);
  const name = basename(path).replace(/^slots-/, "histories-");
  mkdirSync(join(to, partition), { recursive: true });
  const [made] = await convertFile({ from: dirname(folder), to, wanted: PLAIN, manifests: new Map() }, partition, name);
  return join(to, made.path);
}
