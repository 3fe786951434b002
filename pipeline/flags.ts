import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { closest, distance } from "fastest-levenshtein";
import type { z } from "zod";
import { ConfigError } from "./errors";
import { isRemote, remoteObjects } from "./io/remote";
import { withPresetOptions } from "./presets";
import { COMMON, defaultOf, isBoolean, placeholder, unwrap } from "./schema";
import { camel, kebab } from "./spelling";

/** A command line: `backstory <command> [flags] [paths]`, with flags from a zod schema. */
export interface Parsed<Options> {
  options: Options;
  paths: string[];
}

const optionOf = (schema: z.ZodObject, key: string): z.ZodType | undefined =>
  Object.hasOwn(schema.shape, key) ? (schema.shape[key] as z.ZodType) : undefined;

/**
 * Reads flags, and the file of --config below them, by a schema. `--name value`, `--name=value`, names with underscores and,
 * for booleans, `--name` alone and `--no-name`.
 * @param texts of files of --config that are not on this machine, by path
 * @throws ConfigError naming the flag, what was given, and the remedy
 */
export function parseFlags<Schema extends z.ZodObject>(
  schema: Schema,
  args: readonly string[],
  paths: number,
  texts: ReadonlyMap<string, string> = new Map(),
): Parsed<z.infer<Schema>> {
  const given: Record<string, unknown> = {};
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(args[i]);
    if (match === null) {
      if (args[i].startsWith("-") && args[i] !== "-")
        throw new ConfigError(`flags begin with two dashes; got ${JSON.stringify(args[i])}. See --help.`);
      rest.push(args[i]);
      continue;
    }
    const { key, value, skip } = flagOf(schema, match[1], match[2], args[i + 1]);
    i += skip;
    if (Object.hasOwn(given, key)) throw new ConfigError(`--${kebab(key)} is given twice. Give it once.`);
    given[key] = value;
  }
  if (rest.length > paths) throw new ConfigError(`unexpected argument ${JSON.stringify(rest[paths])}. Flags begin with --; see --help.`);
  const { config, ...flags } = given;
  return {
    options: check(schema, flags, config === undefined ? {} : readConfig(schema, String(config), texts), String(config)),
    paths: rest,
  };
}

function flagOf(
  schema: z.ZodObject,
  name: string,
  value: string | undefined,
  next: string | undefined,
): { key: string; value: unknown; skip: number } {
  const key = camel(name);
  const type = optionOf(schema, key);
  if (type !== undefined && isBoolean(type)) return { key, value: value === undefined ? true : booleanOf(name, value), skip: 0 };
  if (type !== undefined || key === "config") {
    if (value !== undefined) return { key, value, skip: 0 };
    if (next === undefined || next.startsWith("--"))
      throw new ConfigError(`--${name} wants a value. Write --${name}=${type === undefined ? "FILE" : placeholder(type)}.`);
    return { key, value: next, skip: 1 };
  }
  const off = /^no[-_](.+)$/.exec(name);
  const offType = off === null ? undefined : optionOf(schema, camel(off[1]));
  if (offType !== undefined && isBoolean(offType)) {
    if (value !== undefined) throw new ConfigError(`--${name} takes no value; got "${value}". Write --${name} alone.`);
    return { key: camel(off![1]), value: false, skip: 0 };
  }
  throw unknown(schema, name, "--");
}

function unknown(schema: z.ZodObject, name: string, prefix: string, where = ""): ConfigError {
  const names = [...COMMON.map(({ key }) => key), ...Object.keys(schema.shape)].map(kebab);
  const nearest = closest(kebab(camel(name)), names);
  const hint = distance(kebab(camel(name)), nearest) <= nearest.length / 2 ? ` Did you mean ${prefix}${nearest}?` : "";
  return new ConfigError(`unknown option ${prefix}${name}${where}.${hint} See --help.`);
}

function booleanOf(name: string, value: string): boolean {
  const text = value.toLowerCase();
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw new ConfigError(`--${name} must be true or false; got "${value}". Write --${name} alone to switch it on.`);
}

/** The options in a JSON or YAML file, under the names of the flags in any spelling. */
function readConfig(schema: z.ZodObject, path: string, texts: ReadonlyMap<string, string>): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(parseConfig(path, texts))) {
    const key = camel(name);
    if (optionOf(schema, key) === undefined) throw unknown(schema, name, "", ` in ${path}`);
    if (Object.hasOwn(options, key)) throw new ConfigError(`${name} is twice in ${path}, spelled differently. Leave one.`);
    options[key] = value;
  }
  return options;
}

function parseConfig(path: string, texts: ReadonlyMap<string, string>): object {
  let text: string;
  try {
    text = texts.get(path) ?? readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(`--config cannot be read: ${(error as Error).message}. Check the path.`);
  }
  let values: unknown;
  try {
    // yaml is loaded where it is needed, since that takes long
    values = extname(path) === ".json" ? JSON.parse(text) : (require("yaml") as typeof import("yaml")).parse(text);
  } catch (error) {
    const kind = extname(path) === ".json" ? "JSON" : "YAML";
    throw new ConfigError(
      `--config ${path} is not ${kind}: ${(error as Error).message.split("\n")[0].replace(/[:.]$/, "")}. Check its syntax.`,
    );
  }
  if (values === null || typeof values !== "object" || Array.isArray(values))
    throw new ConfigError(`--config ${path} must hold options by name, such as history_length: 500. See --help for the names.`);
  return values;
}

/** The texts of files of --config in buckets, which parseFlags cannot wait for. @throws ConfigError where there is none */
export async function remoteConfigs(args: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const [i, arg] of args.entries()) {
    const path = arg.startsWith("--config=") ? arg.slice("--config=".length) : args[i - 1] === "--config" ? arg : "";
    if (isRemote(path)) texts.set(path, await remoteObjects().readText(path));
  }
  return texts;
}

type Issue = z.core.$ZodIssue;

/** Flags over the configuration file over defaults. */
function check<Schema extends z.ZodObject>(
  schema: Schema,
  flags: Record<string, unknown>,
  config: Record<string, unknown>,
  configPath: string,
): z.infer<Schema> {
  const values = presetOver(schema, { ...config, ...flags });
  // Once only: to compile the schema takes longer than to go through it.
  const checked = schema.safeParse(values, { jitless: true });
  const issue = noNumber(schema, values) ?? checked.error?.issues[0];
  if (issue === undefined) return checked.data as z.infer<Schema>;
  const key = String(issue.path[0] ?? "");
  const type = optionOf(schema, key)!;
  const flag = `--${kebab(key)}`;
  if (values[key] === undefined && issue.code === "invalid_type") throw missing(schema, values, checked.error!.issues);
  const name = Object.hasOwn(flags, key) || !Object.hasOwn(config, key) ? flag : `${issue.path.join(".")} in ${configPath}`;
  const hint = values[key] === undefined ? `Give ${flag} as well.` : remedy(type, flag, complaint(issue));
  throw new ConfigError(`${name} ${complaint(issue)}; got ${given(values, issue.path, defaultOf(type))}. ${hint}`);
}

/** All that are missing, so that nobody is told of one after the other. */
function missing(schema: z.ZodObject, values: Record<string, unknown>, issues: Issue[]): ConfigError {
  const keys = issues.filter(({ code, path }) => code === "invalid_type" && path.length === 1).map(({ path }) => String(path[0]));
  const flags = keys.filter((key) => values[key] === undefined).map((key) => [`--${kebab(key)}`, placeholder(optionOf(schema, key)!)]);
  const named = flags.map(([flag]) => flag).join(" and ");
  const written = flags.map((flag) => flag.join("=")).join(" ");
  return new ConfigError(`${named} ${flags.length > 1 ? "are" : "is"} missing. Write ${written}; --help tells more.`);
}

/** Presets go below all that is given, wherever: they are but another default. */
const presetOver = (schema: z.ZodObject, values: Record<string, unknown>): Record<string, unknown> =>
  optionOf(schema, "preset") === undefined ? values : withPresetOptions(values);

/** Number() takes "", "0x10", " 5 ", true and null for numbers; people who write that mean something else. */
function noNumber(schema: z.ZodObject, values: Record<string, unknown>): Issue | undefined {
  const key = Object.keys(values).find((key) => {
    const type = optionOf(schema, key);
    return (
      type !== undefined && unwrap(type).def.type === "number" && !/^-?[0-9]+$/.test(JSON.stringify(values[key]).replace(/^"(.*)"$/, "$1"))
    );
  });
  return key === undefined ? undefined : { code: "custom", path: [key], message: "must be a whole number", input: values[key] };
}

/** What an option must be. zod's own messages are for programmers ("Too small: expected number to be >=1"). */
function complaint(issue: Issue): string {
  if (issue.message.startsWith("must")) return issue.message;
  switch (issue.code) {
    case "invalid_value":
      return `must be ${issue.values.length === 1 ? "" : "one of "}${issue.values.join(", ")}`;
    case "unrecognized_keys":
      return `has unknown names (${issue.keys.join(", ")})`;
    case "invalid_type":
      return `must be ${/^[aeiou]/.test(issue.expected) ? "an" : "a"} ${issue.expected === "int" ? "integer" : issue.expected}`;
    case "too_small":
      return `must be at least ${issue.minimum}`;
    case "too_big":
      return `must be at most ${issue.maximum}`;
    default:
      return `is not valid (${issue.message})`;
  }
}

/** The value complained of, as the user wrote it or as the default has it. */
function given(values: Record<string, unknown>, path: PropertyKey[], fallback: unknown): string {
  let value: unknown = values;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  if (value === undefined) return path.length > 1 || fallback === undefined ? "nothing" : `the default ${fallback}`;
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

/** Where the complaint has an example, the default is none: UTC is no remedy for a zone that is misspelt. */
function remedy(type: z.ZodType, flag: string, complaint: string): string {
  const value = defaultOf(type);
  return value === undefined || complaint.includes("such as") ? "See --help." : `Try ${flag}=${value}.`;
}
