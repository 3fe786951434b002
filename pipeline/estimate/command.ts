/** `backstory plan`: what a build would read, shuffle, write, take and cost. Nothing is written. */
import { randomUUID } from "node:crypto";
import { ConfigError } from "../errors";
import { isPlain, layoutName, type OutputLayout } from "../layout";
import { parseMemory } from "../memory";
import type { BuildOptions } from "../options";
import { planRun } from "../plan";
import { chooseRunner } from "../runners/choice";
import { type Estimate, estimate } from "./estimate";
import { type Machine, parseMachine } from "./machinetype";
import type { PlanOptions } from "./options";
import { CURRENCY, PRICE_DATE, PRICE_PAGES, type Prices, parsePrices, pricesOf, unknownPrices } from "./prices";
import { ASSUMED, MEASURED, RATES } from "./rates";
import { filesOf, survey } from "./survey";
import { told } from "./tell";

/** An estimate and what it rests on. */
export interface Planned extends Estimate {
  region: string;
  prices: Prices & { currency: string; date: string; unknown: string[] };
  warnings: string[];
}

/**
 * Plans a build and estimates it, from samples of its inputs.
 * @throws as build does before it starts
 */
export async function planBuild(options: PlanOptions): Promise<Planned> {
  const { region, workerMachineType, numWorkers, maxNumWorkers, diskSizeGb, machineType, prices: given, ...build } = options;
  const ownMachine = machineType === undefined ? undefined : parseMachine(machineType);
  // a build that does not run on Dataflow would refuse Dataflow's options
  const dataflow = (build.runner as string) === "dataflow" ? { region, workerMachineType, numWorkers, maxNumWorkers, diskSizeGb } : {};
  const asked = { ...(ownMachine === undefined ? build : onMachine(build, ownMachine)), ...dataflow };
  chooseRunner(asked);
  refuseTables(asked);
  const plan = await planRun(asked, `plan-${randomUUID().slice(0, 8)}`);
  const { shape, warnings } = await survey(plan, filesOf(plan));
  const prices = pricesOf(region, given === undefined ? {} : parsePrices(given));
  const setup = {
    memory: plan.memory,
    ownMachine,
    workerMachineType,
    worker: parseMachine(workerMachineType)!,
    numWorkers,
    diskSizeGb,
    prices,
  };
  return {
    ...estimate(shape, setup),
    region,
    prices: { ...prices, currency: CURRENCY, date: PRICE_DATE, unknown: unknownPrices(prices) },
    warnings: [...warnings, ...ofOtherLayouts(build)],
  };
}

/** Rates are measured of rows with padding. */
function ofOtherLayouts(build: OutputLayout): string[] {
  if (isPlain(build)) return [];
  return [`reckoned as rows with padding: ${layoutName(build)} has fewer bytes, for docs/layouts.md's workloads 0.5 to 0.7 times as many.`];
}

/** To look into a table of BigQuery costs money, which is not to be spent here. */
function refuseTables({ impressions, clicks, addToCarts, previousOrders, tables = [] }: BuildOptions): void {
  const paths = [impressions, clicks, addToCarts, previousOrders, ...tables.map(({ path }) => path)];
  const table = paths.find((path) => path?.startsWith("bq://"));
  if (table !== undefined)
    throw new ConfigError(
      `plan looks into files, and "${table}" is a table of BigQuery. Export it first, or plan with files of about its size.`,
    );
}

/** The same build with threads and memory of another machine. */
function onMachine(build: BuildOptions, { vcpus, memoryGb }: Machine): BuildOptions {
  const memory = parseMemory(build.maxMemory ?? DEFAULT_MEMORY, memoryGb * 2 ** 30)!;
  return { ...build, threads: build.threads ?? vcpus, maxMemory: `${memory}B` };
}

/** As in memory.ts. */
const DEFAULT_MEMORY = "70%";

export async function planAndTell(options: PlanOptions): Promise<void> {
  const planned = await planBuild(options);
  for (const warning of options.quiet ? [] : planned.warnings) console.error(`warning: ${warning}`);
  const { workerFactor } = RATES;
  if (options.json)
    console.log(JSON.stringify({ ...planned, pricePages: PRICE_PAGES, rates: { ...MEASURED, workerFactor }, assumed: ASSUMED }));
  else if (!options.quiet) console.log(told(planned));
}
