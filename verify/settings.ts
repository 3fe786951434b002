/** What a run was made by and from: its manifest's options, and over them what the user says. */
import { z } from "zod";
import { ConfigError } from "../pipeline/errors";
import { BuildOptions, outputColumns } from "../pipeline/options";
import { camel } from "../pipeline/spelling";
import type { Copies } from "./copies";
import { findRawFiles } from "./inputs/files";
import { date } from "./inputs/values";
import type { VerifyOptions } from "./options";
import type { Column } from "./output/columns";
import type { Inputs } from "./recompute/run";
import { type ActionTable, type Rules, TABLES } from "./rules";

export interface Settings {
  rules: Rules;
  tables: (ActionTable & { path?: string })[];
  /** null: nobody named them */
  impressions: string | null;
  /** first and last day of the run, as epoch days; null: all that have impressions */
  range: [number, number] | null;
  trainDays: number | null;
  columns: Column[];
}

const Known = BuildOptions.partial({ impressions: true, output: true });

/**
 * @param recorded options as a manifest has them, under names in any spelling
 * @param given by the user: they win
 * @throws ConfigError where they are no options of a build
 */
export function settingsOf(recorded: Record<string, unknown>, given: VerifyOptions, name: string): Settings {
  const known = Object.keys(BuildOptions.shape);
  const both: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(recorded)) both[camel(key)] = value ?? undefined;
  for (const key of known) {
    const value = (given as Record<string, unknown>)[key];
    // the dates of a recorded run are part of its rule; those given choose among its partitions
    if (value !== undefined && !(key === "dates" && both.dates !== undefined)) both[key] = value;
  }
  const { data: options, error } = Known.safeParse(Object.fromEntries(Object.entries(both).filter(([key]) => known.includes(key))));
  if (options === undefined) throw new ConfigError(`the options in ${name} cannot be used: ${z.prettifyError(error)}. Give them as flags.`);
  return {
    rules: {
      historyLength: options.historyLength,
      lookbackDays: options.lookbackDays === "none" ? null : options.lookbackDays,
      timezone: options.timezone,
      timeUnit: options.timeUnit ?? null,
      orderTime: options.orderTime,
      orderLagDays: options.orderLagDays,
      actionClock: options.actionClock,
      dropEmptyHistory: options.dropEmptyHistory,
    },
    tables: tablesOf(options as BuildOptions),
    impressions: options.impressions ?? null,
    range: options.dates === undefined ? null : rangeOf(options.dates),
    trainDays: options.trainDays ?? null,
    columns: outputColumns(options.columns),
  };
}

/** @throws ConfigError where the days are the wrong way round */
export function rangeOf(text: string): [number, number] {
  const [from, to = from] = text.split("..").map(date);
  if (from > to) throw new ConfigError(`--dates has its days the wrong way round; got "${text}". Write the earlier day first.`);
  return [from, to];
}

/** Tables of a configuration file take the place of those of SPEC with the same name. */
function tablesOf({ tables = [], clicks, addToCarts, previousOrders }: BuildOptions): (ActionTable & { path?: string })[] {
  const paths: Record<string, string | undefined> = { clicks, add_to_carts: addToCarts, previous_orders: previousOrders };
  const all: (ActionTable & { path?: string })[] = [
    ...TABLES.filter(({ name }) => !tables.some((table) => table.name === name)),
    ...tables,
  ];
  return all.map((table) => ({ ...table, path: paths[table.name] ?? table.path })).filter(({ path }) => path !== "none");
}

/** @throws ConfigError where a file is not there */
export async function inputsOf(settings: Settings, copies?: Copies): Promise<Inputs> {
  const tables: Inputs["tables"] = [];
  for (const table of settings.tables) {
    if (table.path === undefined) {
      const flag = `--${table.name.replaceAll("_", "-")}`;
      throw new ConfigError(`${flag} is missing. Give a path, or ${flag}=none where the run had no ${table.name}.`);
    }
    tables.push({ table, files: await findRawFiles(table.path, table.name, copies) });
  }
  return { impressions: await findRawFiles(settings.impressions!, "impressions", copies), tables };
}
