/** Finds the files of a table, by SPEC, "Files". */
import { createReadStream, existsSync, globSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { ConfigError } from "../../pipeline/errors";
import { isRemote } from "../../pipeline/io/remote";
import { BrokenFile } from "../../pipeline/io/rows";
import { Copies } from "../copies";
import type { RawFile } from "./cells";

const HEAD_BYTES = 1 << 16;

/**
 * The files at a path: the file, all in a folder, or what a glob matches.
 * @throws ConfigError where there is none
 */
export async function findRawFiles(path: string, table: string, copies?: Copies): Promise<RawFile[]> {
  if (path.startsWith("bq://"))
    throw new ConfigError(
      `${path} of ${table} is a table, and tables are not read here. Export it, and name its files by --${table.replaceAll("_", "-")}.`,
    );
  if (isRemote(path)) return copied(path, table, copies ?? new Copies());
  const given = existsSync(path) ? [path] : matching(path);
  const paths = [...new Set(given.flatMap(filesBelow))].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  if (paths.length === 0) throw new ConfigError(`there is no file of ${table} at "${path}". Check the path, or quote a glob.`);
  return Promise.all(paths.map(rawFile));
}

/** Objects of a bucket by their copies. */
async function copied(path: string, table: string, copies: Copies): Promise<RawFile[]> {
  const found = await copies.input(path, table);
  return Promise.all(
    found.map(async ({ path: copy, uri, generation, encoding }) => {
      const file = await rawFile(copy);
      const packed = file.packed === "none" && encoding === "gzip" ? "gzip" : file.packed;
      return { ...file, packed, name: uri, generation };
    }),
  );
}

const isHidden = (name: string): boolean => name.startsWith("_") || name.startsWith(".");

/** Node's glob makes a pattern of each, before it looks at any file. */
const MOST_ALTERNATIVES = 10_000;

/** At most so many patterns are in a glob's braces: {1..9}, {a,b}. */
function alternatives(glob: string): number {
  let product = 1;
  for (let rest = glob; ; ) {
    const braces = /\{([^{}]*)\}/.exec(rest);
    if (braces === null) return product;
    const range = /^(-?[0-9]+)\.\.(-?[0-9]+)/.exec(braces[1]);
    product *= range === null ? braces[1].split(",").length : Math.abs(Number(range[2]) - Number(range[1])) + 1;
    rest = rest.replace(braces[0], "");
  }
}

/** Names below the folder that a glob names plainly must not be hidden. */
function matching(glob: string): string[] {
  const parts = glob.split("/");
  const first = parts.findIndex((part) => /[*?[\]{}()!]/.test(part));
  if (first < 0) return [];
  if (alternatives(glob) > MOST_ALTERNATIVES)
    throw new ConfigError(`the braces of ${JSON.stringify(glob)} stand for more than ${MOST_ALTERNATIVES} names. Use * and ? instead.`);
  return globSync(glob).filter((found) => !found.split(sep).slice(first).some(isHidden));
}

function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => !isHidden(name))
    .flatMap((name) => filesBelow(join(path, name)));
}

async function rawFile(path: string): Promise<RawFile> {
  const { size } = statSync(path);
  const [ending = "", packing = ""] = endings(path);
  const byName = ({ __proto__: null, gz: "gzip", gzip: "gzip", zst: "zstd", zstd: "zstd" } as Record<string, unknown>)[packing] as
    | RawFile["packed"]
    | undefined;
  const file: RawFile = { path, name: path, size, format: "ndjson", packed: byName ?? "none", folders: foldersOf(path) };
  const formats: Record<string, unknown> = {
    __proto__: null,
    ndjson: "ndjson",
    jsonl: "ndjson",
    csv: "csv",
    parquet: "parquet",
    pq: "parquet",
  };
  const named = formats[ending] as RawFile["format"] | undefined;
  if (named !== undefined) return { ...file, format: named };
  const packed = byName ?? packedAs(await headOf({ ...file, packed: "none" }));
  const head = await headOf({ ...file, packed }).catch(() => Buffer.alloc(0));
  const format = formatOf(head);
  return { ...file, packed, format: ending === "json" && format !== "json" ? "ndjson" : format };
}

/** The ending that tells the format, and that of the packing behind it. */
function endings(path: string): [string | undefined, string | undefined] {
  const [last, before] = basename(path).toLowerCase().split(".").slice(1).reverse();
  return /^(gz|gzip|zst|zstd)$/.test(last ?? "") ? [before, last] : [last, undefined];
}

async function headOf(file: RawFile): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of bytesOf(file)) {
    parts.push(part);
    bytes += part.length;
    if (bytes >= HEAD_BYTES) break;
  }
  return Buffer.concat(parts);
}

function packedAs(head: Buffer): RawFile["packed"] {
  const magic = head.subarray(0, 4).toString("hex");
  return magic.startsWith("1f8b") ? "gzip" : magic === "28b52ffd" ? "zstd" : "none";
}

function formatOf(head: Buffer): RawFile["format"] {
  const text = head.toString("latin1").replace(/^\xef\xbb\xbf/, "");
  if (text.startsWith("PAR1")) return "parquet";
  const first = text.trimStart()[0];
  return first === "[" ? "json" : first === "{" ? "ndjson" : "csv";
}

function foldersOf(path: string): Record<string, string> {
  const folders: Record<string, string> = {};
  for (const name of dirname(resolve(path)).split(sep)) {
    const at = name.indexOf("=");
    if (at > 0) folders[unescaped(name.slice(0, at))] = unescaped(name.slice(at + 1));
  }
  return folders;
}

/** Hive writes %XX for what a name cannot hold. */
function unescaped(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

/**
 * The bytes of a file, unpacked.
 * @throws BrokenFile where the packing is cut or corrupt
 */
export async function* bytesOf({ path, name, packed, size }: RawFile): AsyncGenerator<Buffer> {
  if (packed === "none" || size === 0) return yield* createReadStream(path, { highWaterMark: 1 << 20 });
  try {
    // a zstd decompressor ends with the first frame; the next one goes on behind it
    for (let start = 0; start < size; ) {
      const unpack = packed === "gzip" ? createGunzip({ chunkSize: 1 << 20 }) : createZstdDecompress({ chunkSize: 1 << 20 });
      const raw = createReadStream(path, { start });
      raw.on("error", (error) => unpack.destroy(error));
      try {
        yield* raw.pipe(unpack);
      } finally {
        raw.destroy();
      }
      if (packed === "gzip") return;
      if (unpack.bytesWritten === 0) throw new BrokenFile(`"${name}" is no complete zstd file.`);
      start += unpack.bytesWritten;
    }
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code);
    throw /^(Z_|ERR_ZSTD|ZSTD_)/.test(code) ? new BrokenFile(`"${name}" cannot be unpacked (${(error as Error).message}).`) : error;
  }
}
