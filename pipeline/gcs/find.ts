import picomatch from "picomatch";
import { isDynamicPattern } from "tinyglobby";
import { z } from "zod";
import { ConfigError } from "../errors";
import { formatByHead, formatByName, HEAD_BYTES } from "../io/format";
import { byBytes, cutGlob, isHidden, partitionOf } from "../io/globs";
import { inParallel } from "../io/parallel";
import type { InputFile } from "../io/rows";
import { asked, payer, storage } from "./client";
import { listing, StorageError } from "./errors";
import { readRange } from "./range";
import { type ObjectName, parseUri, uriOf } from "./uri";

/** An object as a listing tells of it. */
export interface Listed {
  name: string;
  size: number;
  /** of this version of the object */
  generation: string;
  /** gzip: the service unpacks the object unless it is asked not to */
  contentEncoding: string | undefined;
}

/** Requests at a time while a run is planned. */
const REQUESTS = 16;

/**
 * The objects of a table, by the rules of findFiles: one object, all of a folder, or what a glob matches; as they are now, since each
 * is known by its generation from here on.
 * @throws ConfigError
 */
export async function findObjects(uri: string, table: string): Promise<InputFile[]> {
  const where = parseUri(uri, table);
  const { found, any } = await starting(where);
  if (!any) throw new ConfigError(`No such object, folder or glob for ${table}: "${uri}". Check the path.`);
  if (found.length === 0)
    throw new ConfigError(`No object of ${table} in "${uri}"; names that begin with "_" or "." do not count. Check the path.`);
  found.sort((a, b) => byBytes(a.name, b.name));
  return inParallel(found, REQUESTS, (object) => inputFile(object, where.bucket));
}

/** Whether there is anything at all, and what of it counts. */
interface Findings {
  found: Listed[];
  any: boolean;
}

async function starting(where: ObjectName): Promise<Findings> {
  const plain = await plainly(where);
  if (plain.any || !isDynamicPattern(where.name)) return plain;
  const { plain: folders, pattern } = cutGlob(where.name);
  const folder = folders.map((each) => `${each}/`).join("");
  const all = await listObjects({ bucket: where.bucket, name: folder });
  const found = matching(
    all.map((object) => ({ ...object, below: object.name.slice(folder.length) })),
    pattern,
  );
  return { found: found.filter(isData), any: found.length > 0 };
}

/** The object of this very name, or all below the folder of this name. */
async function plainly({ bucket, name }: ObjectName): Promise<Findings> {
  if (name !== "" && !name.endsWith("/")) {
    const [first] = await listObjects({ bucket, name }, 1);
    if (first?.name === name) return { found: [first], any: true };
  }
  const folder = name.replace(/\/*$/, name === "" ? "" : "/");
  const all = await listObjects({ bucket, name: folder });
  return { found: all.filter((object) => isData(object) && isVisible(object.name.slice(folder.length))), any: all.length > 0 };
}

/** Those whose name, or that of a folder above them, matches: a folder that matches is taken whole. Hidden names never do. */
export function matching<T extends { below: string }>(objects: readonly T[], pattern: string): T[] {
  const isMatch = picomatch(pattern);
  return objects.filter(({ below }) => isVisible(below) && upwards(below).some((path) => isMatch(path)));
}

/** "a/b/c" to "a/b/c", "a/b", "a". */
const upwards = (path: string): string[] => {
  const parts = path.split("/");
  return parts.map((_, i) => parts.slice(0, parts.length - i).join("/"));
};

const isVisible = (below: string): boolean => !below.split("/").some(isHidden);

/** What consoles and Hadoop put there for a folder is no data. */
const isData = ({ name, size }: Listed): boolean => !(name.endsWith("/") || (size === 0 && name.endsWith("_$folder$")));

const int64 = z.string().regex(/^[0-9]{1,19}$/);
/** A page of a listing, as the API describes it: int64s are texts in JSON. */
const Page = z.array(z.object({ name: z.string(), size: int64, generation: int64, contentEncoding: z.string().optional() }));

/** Objects whose names begin so. @param most if not all are wanted */
export async function listObjects({ bucket, name }: ObjectName, most = Number.POSITIVE_INFINITY): Promise<Listed[]> {
  const objects: Listed[] = [];
  for (let pageToken: string | undefined; ; ) {
    const query = {
      prefix: name,
      autoPaginate: false,
      maxResults: Math.min(most, 1000),
      fields: "items(name,size,generation,contentEncoding),nextPageToken",
      ...(pageToken === undefined ? {} : { pageToken }),
    };
    const [files, next] = await asked(listing(uriOf({ bucket, name })), () =>
      storage().bucket(bucket, { userProject: payer() }).getFiles(query),
    );
    // where fields are named, the library gives what the service says as it is
    const page = Page.safeParse(files);
    if (!page.success)
      throw new StorageError(
        `cannot list "${uriOf({ bucket, name })}": the answer is no listing of Cloud Storage's. Look at what is between (a proxy, STORAGE_EMULATOR_HOST), and run it again.`,
      );
    for (const { name, size, generation, contentEncoding } of page.data)
      objects.push({ name, size: Number(size), generation, contentEncoding });
    pageToken = (next as { pageToken?: string } | null)?.pageToken;
    if (pageToken === undefined || objects.length >= most) return objects;
  }
}

async function inputFile({ name, size, generation, contentEncoding }: Listed, bucket: string): Promise<InputFile> {
  const path = uriOf({ bucket, name });
  const head = () => (size === 0 ? Buffer.alloc(0) : readRange({ path, generation }, 0, Math.min(size, HEAD_BYTES)));
  const { format, compression } = formatByName(path) ?? formatByHead(path, await head());
  return {
    path,
    size,
    format,
    compression: compression === "none" && contentEncoding === "gzip" ? "gzip" : compression,
    partition: partitionOf(name.split("/").slice(0, -1)),
    generation,
  };
}
