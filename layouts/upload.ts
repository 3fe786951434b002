/** A converted output to a bucket, which knows no renaming of folders: markers of what is whole come after all that they speak for. */
import { readdirSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { inParallel } from "../pipeline/io/parallel";
import { remoteFind, remoteObjects, remoteUri } from "../pipeline/io/remote";
import { SUCCESS } from "./tree";

/** Objects uploaded at a time. */
const OBJECTS = 4;

/** Whether there is anything below a folder in a bucket. */
export async function hasObjects(uri: string): Promise<boolean> {
  const { bucket, name } = remoteUri().parseUri(uri, "--to");
  return (await remoteFind().listObjects({ bucket, name: name === "" ? "" : `${name.replace(/\/*$/, "")}/` })).length > 0;
}

/**
 * Nothing that is there is replaced. Where something fails, what was uploaded by then goes.
 * @returns false if somebody else has written there
 */
export async function upload(from: string, to: string): Promise<boolean> {
  const { ABSENT, findObject, removeObject, upload: uploadOne } = remoteObjects();
  const uriOf = (path: string) => `${to.replace(/\/*$/, "")}/${relative(from, path)}`;
  const done: string[] = [];
  const send = async (path: string): Promise<boolean> => {
    if (!(await uploadOne(uriOf(path), path, statSync(path).size, ABSENT))) return false;
    done.push(uriOf(path));
    return true;
  };
  let isWhole = false;
  try {
    for (const stage of stagesOf(from)) if ((await inParallel(stage, OBJECTS, send)).includes(false)) return false;
    return (isWhole = true);
  } finally {
    if (!isWhole)
      await inParallel(done, OBJECTS, async (uri) => {
        const found = await findObject(uri);
        if (found !== undefined) await removeObject(found);
      });
  }
}

/** Files, then the markers of partitions, then that of all. */
function stagesOf(folder: string): string[][] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  const top = join(folder, SUCCESS);
  const isMarker = (path: string) => basename(path) === SUCCESS;
  return [
    paths.filter((path) => !isMarker(path)),
    paths.filter((path) => isMarker(path) && path !== top),
    paths.filter((path) => path === top),
  ];
}
