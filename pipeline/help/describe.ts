/** Options and commands as all help has them: on a terminal, in man pages, in the reference and for the completion of command lines. */
import type { z } from "zod";
import { PRESETS } from "../presets";
import { COMMON, defaultOf, isBoolean, metaOf, placeholder, unwrap } from "../schema";
import { kebab } from "../spelling";

/** A command as it is told of. */
export interface Described {
  name: string;
  about: string;
  usage: string;
  schema: z.ZodObject;
  /** how many arguments without a flag it takes */
  paths: number;
  /** what these may be, if they are no paths */
  words?: readonly string[];
}

/** What a value is, for whoever completes it. */
export type Wants = "nothing" | "file" | "folder" | "text" | readonly string[];

export interface Option {
  key: string;
  /** as it is given: --history-length, --no-wait; of one in a configuration file only, its key there */
  flag: string;
  /** what stands for its value; none for a switch */
  value?: string;
  wants: Wants;
  /** one sentence or more */
  about: string;
  /** as it could be given; none for a switch that is off */
  fallback?: string;
  required: boolean;
  configOnly: boolean;
}

export interface Group {
  title: string;
  options: Option[];
}

/** A preset as the flags that it stands for, of those that the command has. */
export interface PresetFlags {
  name: string;
  about: string;
  flags: string[];
}

/** None where a command takes no preset. */
export function presetsOf(schema: z.ZodObject): PresetFlags[] {
  if (!("preset" in schema.shape)) return [];
  const isShown = (key: string) => !metaOf((schema.shape as Record<string, z.ZodType>)[key]).hidden;
  return Object.entries(PRESETS).map(([name, { about, options }]) => ({
    name,
    about,
    flags: Object.entries(options)
      .filter(([key]) => isShown(key))
      .map(([key, value]) => (typeof value === "boolean" ? `--${value ? "" : "no-"}${kebab(key)}` : `--${kebab(key)}=${value}`)),
  }));
}

const FIRST = "Options";
export const LAST = "Every command";

/** A command's options under their headings, in the order of the schema; those without one come first. */
export function groupsOf(schema: z.ZodObject): Group[] {
  const groups = new Map<string, Option[]>([[FIRST, []]]);
  for (const [key, type] of Object.entries(schema.shape as Record<string, z.ZodType>)) {
    const { hidden, group = FIRST } = metaOf(type);
    if (hidden) continue;
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group)!.push(optionOf(key, type));
  }
  groups.set(LAST, COMMON.map(common));
  return [...groups].filter(([, options]) => options.length > 0).map(([title, options]) => ({ title, options }));
}

/** All that has a flag. */
export const flagsOf = (schema: z.ZodObject): Option[] =>
  groupsOf(schema)
    .flatMap(({ options }) => options)
    .filter(({ configOnly }) => !configOnly);

/** All that a file for --config may have. */
export const optionsOf = (schema: z.ZodObject): Option[] =>
  groupsOf(schema)
    .filter(({ title }) => title !== LAST)
    .flatMap(({ options }) => options);

function common(each: (typeof COMMON)[number]): Option {
  const value = "value" in each ? { value: each.value, wants: "file" as const } : { wants: "nothing" as const };
  return { key: each.key, flag: `--${each.key}`, ...value, about: each.about, required: false, configOnly: false };
}

function optionOf(key: string, type: z.ZodType): Option {
  const meta = metaOf(type);
  const configOnly = meta.configOnly ?? false;
  const flag = configOnly ? kebab(key).replaceAll("-", "_") : `--${meta.off ? "no-" : ""}${kebab(key)}`;
  const value = isBoolean(type) || configOnly ? undefined : placeholder(type);
  const fallback = defaultOf(type);
  return {
    key,
    flag,
    ...(value === undefined ? {} : { value }),
    wants: value === undefined ? "nothing" : wantsOf(type, value),
    about: sentence(meta.description ?? ""),
    ...(fallback === undefined || fallback === false ? {} : { fallback: String(fallback) }),
    required: !type.safeParse(undefined, { jitless: true }).success,
    configOnly,
  };
}

const sentence = (text: string): string => text.replace(/^[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase()).replace(/[.]?$/, ".");

/** A value's words in lower case can be given as they stand; of those in capitals some are places. */
function wantsOf(type: z.ZodType, value: string): Wants {
  const inner = unwrap(type);
  if (inner.def.type === "enum") return (inner as z.ZodEnum).options.map(String);
  const words = value.split("|").filter((word) => /^[a-z-]+$/.test(word));
  if (words.length > 0) return words;
  if (value === "FOLDER") return "folder";
  return ["PATH", "FILE", "OUTPUT"].includes(value) ? "file" : "text";
}

/** All of an option's sentences: what it is, and what it is where it is not given. */
export function aboutOf({ about, fallback, required }: Option): string {
  if (fallback !== undefined) return `${about} Default: ${fallback}.`;
  return required ? `${about} Required.` : about;
}

/** A flag with what stands for its value. */
export const signOf = ({ flag, value }: Option): string => (value === undefined ? flag : `${flag}=${value}`);
