import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { closest } from "fastest-levenshtein";
import { parse as parseYaml } from "yaml";
import type { z } from "zod";
import { ConfigError } from "./errors";

/** A command line: `backstory <command> [flags] [paths]`, with flags from a zod schema. */
export interface Parsed<Options> {
  options: Options;
  paths: string[];
}

const kebab = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const camel = (name: string): string => name.replaceAll(/[-_]+(.)/g, (_, letter: string) => letter.toUpperCase());

/**
 * Reads flags, and the file of --config below them, by a schema. `--name value`, `--name=value`, names with underscores and,
 * for booleans, `--name` alone and `--no-name`.
 * @throws ConfigError naming the flag, what was given, and the remedy
 */
export function parseFlags<Schema extends z.ZodObject>(schema: Schema, args: readonly string[], paths: number): Parsed<z.infer<Schema>> {
  const given: Record<string, unknown> = {};
  const rest: string[] = [];
  let config: string | undefined;
  for (let i = 0; i < args.length; i++) {
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(args[i]);
    if (match === null) {
      if (args[i].startsWith("-") && args[i] !== "-") throw new ConfigError(`flags begin with two dashes; got "${args[i]}". See --help.`);
      rest.push(args[i]);
      continue;
    }
    const { key, value, skip } = flagOf(schema, match[1], match[2], args[i + 1]);
    i += skip;
    if (key === "config") config = String(value);
    else if (key in given) throw new ConfigError(`--${kebab(key)} is given twice. Give it once.`);
    else given[key] = value;
  }
  if (rest.length > paths) throw new ConfigError(`unexpected argument "${rest[paths]}". Flags begin with --; see --help.`);
  const all = config === undefined ? given : { ...readConfig(schema, config), ...given };
  return { options: check(schema, all), paths: rest };
}

function flagOf(
  schema: z.ZodObject,
  name: string,
  value: string | undefined,
  next: string | undefined,
): { key: string; value: unknown; skip: number } {
  const key = camel(name);
  if (key === "config" || schema.shape[key] !== undefined) {
    if (key !== "config" && isBoolean(schema.shape[key] as z.ZodType))
      return { key, value: value === undefined ? true : booleanOf(name, value), skip: 0 };
    if (value !== undefined) return { key, value, skip: 0 };
    if (next === undefined || next.startsWith("--")) throw new ConfigError(`--${name} wants a value. Write --${name}=VALUE.`);
    return { key, value: next, skip: 1 };
  }
  const off = /^no[-_](.+)$/.exec(name);
  const offKey = off === null ? "" : camel(off[1]);
  if (schema.shape[offKey] !== undefined && isBoolean(schema.shape[offKey] as z.ZodType)) return { key: offKey, value: false, skip: 0 };
  throw unknown(schema, `--${name}`, "--");
}

function unknown(schema: z.ZodObject, given: string, prefix: string): ConfigError {
  const names = ["config", "help", ...Object.keys(schema.shape)].map(kebab);
  return new ConfigError(`unknown option ${given}. Did you mean ${prefix}${closest(given.replace(/^--/, ""), names)}? See --help.`);
}

function booleanOf(name: string, value: string): boolean {
  const text = value.toLowerCase();
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw new ConfigError(`--${name} must be true or false; got "${value}". Write --${name} alone to switch it on.`);
}

/** The options in a JSON or YAML file, under the names of the flags in any spelling. */
function readConfig(schema: z.ZodObject, path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(`--config ${path} cannot be read: ${(error as Error).message}. Check the path.`);
  }
  let values: unknown;
  try {
    values = extname(path) === ".json" ? JSON.parse(text) : parseYaml(text);
  } catch (error) {
    throw new ConfigError(`--config ${path} is neither JSON nor YAML: ${(error as Error).message.split("\n")[0]}. Check its syntax.`);
  }
  if (values === null || typeof values !== "object" || Array.isArray(values))
    throw new ConfigError(`--config ${path} must hold options by name. See --help for the names.`);
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    if (schema.shape[camel(name)] === undefined) throw unknown(schema, `"${name}" in ${path}`, "");
    options[camel(name)] = value instanceof Date ? value.toISOString().slice(0, 10) : value;
  }
  return options;
}

function check<Schema extends z.ZodObject>(schema: Schema, values: Record<string, unknown>): z.infer<Schema> {
  const checked = schema.safeParse(values);
  if (checked.success) return checked.data as z.infer<Schema>;
  const issue = checked.error.issues[0];
  const key = String(issue.path[0] ?? "");
  const flag = `--${kebab(key)}`;
  if (values[key] === undefined)
    throw new ConfigError(`${flag} is missing. ${(schema.shape[key] as z.ZodType | undefined)?.description ?? "See --help."}`);
  const where = issue.path.length > 1 ? ` (at ${issue.path.slice(1).join(".")})` : "";
  const given = typeof values[key] === "string" ? `"${values[key]}"` : JSON.stringify(values[key]);
  throw new ConfigError(`${flag} ${lower(issue.message)}${where}; got ${given}. ${remedy(schema.shape[key] as z.ZodType, flag)}`);
}

/** zod's own messages begin like sentences ("Invalid option: expected one of …"). */
const lower = (message: string): string =>
  message.startsWith("must") ? message : `is not valid: ${message.replace(/^Invalid [^:]*: /, "")}`;

function remedy(type: z.ZodType, flag: string): string {
  const value = defaultOf(type);
  return value === undefined ? "See --help." : `Try ${flag}=${value}.`;
}

/** The text of --help for a schema's flags. */
export function helpOf(schema: z.ZodObject): string {
  const rows = Object.entries(schema.shape as Record<string, z.ZodType>).map(([key, type]) => {
    const flag = isBoolean(type) ? `--${kebab(key)}` : `--${kebab(key)}=${placeholder(type)}`;
    const value = defaultOf(type);
    const suffix = value === undefined || value === false ? (type.safeParse(undefined).success ? "" : " Required.") : ` Default: ${value}.`;
    return [flag, `${type.description ?? ""}${suffix}`];
  });
  rows.push(["--config=FILE", "Options from a JSON or YAML file, under the same names; flags go before it."], ["--help", "This text."]);
  return rows.map(([flag, text]) => `  ${flag}\n${wrap(text, 88, "      ")}`).join("\n");
}

function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length + 1 > width - indent.length) {
      lines.push(indent + line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + line].join("\n");
}

function placeholder(type: z.ZodType): string {
  const named = (type.meta() as { value?: string } | undefined)?.value;
  const inner = unwrap(type);
  return named ?? (inner.def.type === "enum" ? (inner as z.ZodEnum).options.join("|") : inner.def.type === "number" ? "NUMBER" : "VALUE");
}

const isBoolean = (type: z.ZodType): boolean => unwrap(type).def.type === "boolean";

function unwrap(type: z.ZodType): z.ZodType {
  const inner = (type.def as { innerType?: z.ZodType; in?: z.ZodType }).innerType;
  return inner === undefined ? type : unwrap(inner);
}

function defaultOf(type: z.ZodType): unknown {
  const def = type.def as { type: string; defaultValue?: unknown; innerType?: z.ZodType };
  return def.type === "default" ? def.defaultValue : def.innerType === undefined ? undefined : defaultOf(def.innerType);
}
