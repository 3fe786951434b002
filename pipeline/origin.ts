/** Of what and how a run makes its rows: what must be known of it to make them again. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { PublishError } from "./errors";
import type { InputFile } from "./io/rows";
import type { Manifest, ManifestInput } from "./manifest";
import type { BuildOptions } from "./options";
import { leafOf, type OutputColumn } from "./parquet/schema";

/** What is known of a run before it starts. */
export interface Origin {
  options: Manifest["options"];
  schema: Manifest["schema"];
  inputs: ManifestInput[];
  /** runs that were published by then */
  seen: string[];
}

/** When a run began, which is in its name to the second; undefined for one that was named otherwise. The graph knows no time. */
export function beganOf(runId: string): string | undefined {
  if (!/^\d{8}T\d{6}Z/.test(runId)) return undefined;
  return runId.replace(/^(....)(..)(..)T(..)(..)(..)Z.*/, "$1-$2-$3T$4:$5:$6.000000Z");
}

/** Options that the data, or whether it is published, follow from. Not where it goes, how fast, and what is told. */
export const DATA_OPTIONS = [
  "impressions",
  "clicks",
  "addToCarts",
  "previousOrders",
  "historyLength",
  "lookbackDays",
  "dates",
  "trainDays",
  "timezone",
  "timeUnit",
  "orderTime",
  "orderLagDays",
  "actionClock",
  "dropEmptyHistory",
  "columns",
  "layout",
  "padding",
  "compression",
  "shards",
  "rowGroupBytes",
  "maxRejects",
  "failOn",
  "maxPositions",
  "tables",
] as const satisfies (keyof BuildOptions)[];

const PATHS: readonly string[] = ["impressions", "clicks", "addToCarts", "previousOrders"] satisfies (keyof BuildOptions)[];

/** As they can be given again from any folder. */
export function dataOptions(options: BuildOptions, shards: number): Manifest["options"] {
  const tables = options.tables?.map(({ path, ...table }) => (path === undefined ? table : { ...table, path: absolute(path) }));
  const all: Partial<BuildOptions> = { ...options, shards, tables };
  const given = DATA_OPTIONS.filter((name) => all[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, PATHS.includes(name) ? absolute(String(all[name])) : all[name]]));
}

const isUrl = (path: string): boolean => /^[a-z][a-z0-9+]*:\/\//i.test(path);

/** "none" is no path, and a URL is one already. */
const absolute = (path: string): string => (path === "none" || isUrl(path) ? path : resolve(path));

export function schemaOf(columns: readonly OutputColumn[]): Manifest["schema"] {
  const types: Record<string, string> = { BYTE_ARRAY: "string", INT64: "int64", INT32: "int32", BOOLEAN: "boolean" };
  return columns.map((column) => {
    const { type, path } = leafOf(column);
    return { name: column.name, holds: column.holds, type: path.length > 1 ? `list<${types[type]}>` : types[type] };
  });
}

/** A file as it is before it is read. */
export function inputOf(table: string, { path, size, generation, from }: InputFile): ManifestInput {
  // each byte of an object is read in this version, or not at all
  if (generation !== undefined) return { table, path, size, generation, ...(from === undefined ? {} : { from }) };
  return { table, path: absolute(path), size, mtime: stampOf(path)?.mtime ?? "" };
}

/** @throws PublishError if a file is not what it was when the run began: its rows may be of both */
export function refuseChanged(inputs: readonly ManifestInput[]): void {
  const changed = changedAmong(inputs);
  if (changed.length === 0) return;
  const [{ path, table, why }] = changed;
  const others = changed.length === 1 ? "" : ` and ${changed.length - 1} other input files`;
  throw new PublishError(
    `"${path}" of ${table}${others} changed during the run (${why}); nothing was published. Run again when nobody writes to it.`,
    3,
  );
}

/** The files that are not what they were, and why. */
export function changedAmong(inputs: readonly ManifestInput[]): (ManifestInput & Change)[] {
  return inputs.flatMap((input) => {
    const change = input.mtime === undefined ? undefined : changeOf(input);
    return change === undefined ? [] : [{ ...input, ...change }];
  });
}

interface Change {
  why: string;
  /** false if only its time is another: its content may be the same */
  sizeChanged: boolean;
}

function changeOf({ path, size, mtime }: ManifestInput): Change | undefined {
  const now = stampOf(path);
  if (now === undefined) return { why: "it is gone", sizeChanged: true };
  if (now.size !== size) return { why: `${size} bytes then, ${now.size} now`, sizeChanged: true };
  return now.mtime === mtime ? undefined : { why: `modified at ${mtime} then, ${now.mtime} now`, sizeChanged: false };
}

function stampOf(path: string): { size: number; mtime: string } | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const second = 1_000_000_000n;
  const nanos = ((stats.mtimeNs % second) + second) % second;
  const whole = new Date(Number((stats.mtimeNs - nanos) / 1_000_000n)).toISOString();
  return { size: Number(stats.size), mtime: whole.replace(".000Z", `.${String(nanos).padStart(9, "0")}Z`) };
}
