/** Copies of what lies in buckets, and rows of other layouts, for as long as a command takes: what is read and how is the same wherever and however it lies. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ConfigError } from "../pipeline/errors";
import { inParallel } from "../pipeline/io/parallel";
import { isRemote, remoteFind, remoteObjects, remoteRange, remoteUri } from "../pipeline/io/remote";
import { BrokenFile } from "../pipeline/io/rows";
import { LAYOUT_FILE, layoutNoteOf } from "../pipeline/layout";
import { footerOf } from "./output/reader";

/** An object of an input, and its copy. */
export interface Copied {
  uri: string;
  generation: string;
  /** bytes of the object */
  size: number;
  /** gzip: by its metadata, whatever its name says */
  encoding: string | undefined;
  path: string;
}

/** Objects copied at a time, and bytes asked for at a time. */
const OBJECTS = 4;
const RANGE_BYTES = 16 << 20;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export class Copies {
  private folder: string | undefined;
  private readonly interrupted = (signal: NodeJS.Signals) => {
    this.remove();
    process.exit(128 + constants.signals[signal]);
  };

  /** @param parent folder for what is copied */
  constructor(private readonly parent: string = tmpdir()) {}

  /**
   * The folder of an output on this machine: itself, or a copy of what counts of it.
   * @param counts by the name below the folder
   * @throws ConfigError where nothing does
   */
  async output(path: string, counts: (below: string) => boolean): Promise<string> {
    if (!isRemote(path)) return path;
    const { bucket, name } = remoteUri().parseUri(path, "the output");
    const prefix = name === "" ? "" : `${name.replace(/\/*$/, "")}/`;
    const objects = await remoteFind().listObjects({ bucket, name: prefix });
    const below = objects.map((object) => ({ ...object, below: object.name.slice(prefix.length) }));
    const counting = below.filter(({ below }) => isPlain(below) && counts(below));
    if (counting.length === 0) throw new ConfigError(`there is no output at "${path}". Give the --output of a build.`);
    const to = this.place(path);
    await inParallel(counting, OBJECTS, (object) => this.copy({ ...object, bucket }, join(to, object.below)));
    return to;
  }

  /**
   * An output, a partition or a file on this machine, as files of the layout rows: itself, or what was made of it.
   * @param broken hears of files, by path from the output, that cannot be read; without it they end this
   * @param isWanted which partitions of an output are, by dt: rows with padding take many times the room that histories do
   */
  async rows(path: string, broken?: (path: string, error: BrokenFile) => void, isWanted?: (dt: string) => boolean): Promise<string> {
    if (!(await isOtherLayout(path))) return path;
    const { asRows } = await import("../layouts/asrows.js");
    return asRows(path, this.place(`rows of ${path}`), broken, isWanted);
  }

  /** An object, under its name, beside others of its folder. */
  async object(uri: string): Promise<string> {
    const found = await remoteObjects().findObject(uri);
    if (found === undefined) throw new BrokenFile(`"${uri}" is wanted, and is not there.`);
    const { bucket, name } = remoteUri().parseUri(uri, "the output");
    const path = join(this.place(dirname(dirname(uri))), harmless(basename(dirname(name))), basename(name));
    await this.copy({ ...found, bucket, name }, path);
    return path;
  }

  /** The objects of an input, with copies under the same names, so that their folders tell what they told. */
  async input(path: string, table: string): Promise<Copied[]> {
    const { parseUri } = remoteUri();
    const { bucket } = parseUri(path, table);
    const files = await remoteFind().findObjects(path, table);
    const to = this.place(path);
    const numbered = files.map((file, i) => ({ ...file, folder: join(to, String(i)) }));
    return inParallel(numbered, OBJECTS, async ({ path: uri, size, generation, compression, folder }) => {
      const { name } = parseUri(uri, table);
      const copy = join(folder, ...name.split("/").map(harmless));
      await this.copy({ bucket, name, size, generation: generation! }, copy);
      return { uri, generation: generation!, size, encoding: compression === "gzip" ? "gzip" : undefined, path: copy };
    });
  }

  /** A folder that is still to be made, for what is made before it goes to this path. */
  fresh(path: string): string {
    return this.place(`for ${path}`);
  }

  remove(): void {
    if (this.folder === undefined) return;
    rmSync(this.folder, { recursive: true, force: true });
    this.folder = undefined;
    for (const signal of SIGNALS) process.removeListener(signal, this.interrupted);
  }

  /** A folder of this path's own. No name in it says anything to who reads the folders of a path. */
  private place(path: string): string {
    if (this.folder === undefined) {
      mkdirSync(this.parent, { recursive: true });
      this.folder = mkdtempSync(join(this.parent, "backstory-verify-"));
      for (const signal of SIGNALS) process.once(signal, this.interrupted);
    }
    return join(this.folder, createHash("sha256").update(path).digest("hex").slice(0, 16));
  }

  private async copy({ bucket, name, size, generation }: Of, to: string): Promise<void> {
    const { readRange } = remoteRange();
    const object = { path: remoteUri().uriOf({ bucket, name }), generation };
    mkdirSync(dirname(to), { recursive: true });
    if (size === 0) return writeFileSync(to, "");
    const file = await open(to, "w");
    try {
      for (let at = 0; at < size; at += RANGE_BYTES) await file.write(await readRange(object, at, Math.min(size, at + RANGE_BYTES)));
    } finally {
      await file.close();
    }
  }
}

/** Names may have parts that mean something else to a disk. */
const harmless = (part: string): string => (/^\.{0,2}$/.test(part) ? `_${part}` : part);

interface Of {
  bucket: string;
  name: string;
  size: number;
  generation: string;
}

/** A name such as dt=x/../../y would leave the folder of the copies. */
const isPlain = (below: string): boolean => !below.split("/").some((part) => /^\.{0,2}$/.test(part));

/** What runs have published: partitions, markers and manifests; not what they keep beside it. */
export function isPublished(below: string, isWanted: (dt: string) => boolean): boolean {
  const [first, ...rest] = below.split("/");
  if (first === "_SUCCESS" || first === "_manifests" || first === LAYOUT_FILE) return true;
  return first.startsWith("dt=") && rest.length === 1 && isWanted(first.slice(3));
}

/** Whether files, of which the first that can be read tells for all, are of another layout than rows with padding. */
async function isOtherLayout(path: string): Promise<boolean> {
  for (const file of parquetBelow(path)) {
    const metadata = await footerOf(file).catch(() => undefined);
    if (metadata !== undefined) return layoutNoteOf(metadata) !== undefined;
  }
  return false;
}

function* parquetBelow(path: string): Generator<string> {
  if (!existsSync(path)) return;
  if (!statSync(path).isDirectory()) return yield path;
  for (const name of readdirSync(path).sort()) {
    const below = join(path, name);
    if (/^[._]/.test(name)) continue;
    if (name.endsWith(".parquet") || statSync(below, { throwIfNoEntry: false })?.isDirectory()) yield* parquetBelow(below);
  }
}
