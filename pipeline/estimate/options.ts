import { z } from "zod";
import { BuildOptions } from "../options";
import { inGroups } from "../schema";
import { parseMachine } from "./machinetype";
import { PRICES_HINT, parsePrices } from "./prices";

const count = (least: number, most: number, unit: string) =>
  BuildOptions.shape.threads
    .unwrap()
    .refine((n) => n >= least && n <= most, `must be from ${least} to ${most} ${unit}`)
    .meta({ value: unit.replace(/^of /, "").toUpperCase() });

/** Those of build, and what is to be known of a place where it could run; under the names that Dataflow has for them. */
export const PlanOptions = BuildOptions.extend({
  region: z
    .string()
    .min(1, "must be a region")
    .default("us-central1")
    .describe("Region whose prices count.")
    .meta({ value: "REGION", group: "Google Cloud Dataflow" }),
  workerMachineType: z
    .string()
    .refine((name) => parseMachine(name) !== undefined, "must be a type such as n2-standard-4, with standard, highmem or highcpu")
    .default("n2-standard-4")
    .describe("Machine of a Dataflow worker.")
    .meta({ value: "TYPE" }),
  numWorkers: count(1, 1000, "of workers")
    .optional()
    .describe("Dataflow workers; else as many as make the job's own work last some minutes, and as find something to do."),
  maxNumWorkers: count(1, 1000, "of workers").optional().describe("Dataflow workers at most, where --num-workers leaves them open."),
  diskSizeGb: count(1, 1024, "of GB").default(25).describe("Disk of each Dataflow worker; shuffled data are not on it."),
  machineType: z
    .string()
    .refine((name) => parseMachine(name) !== undefined, "must be a type such as n2-standard-32, with standard, highmem or highcpu")
    .optional()
    .describe("One machine to plan for in the place of this one: its cores, and --max-memory of its memory.")
    .meta({ value: "TYPE", group: "What is planned for" }),
  prices: z
    .string()
    .refine((text) => parsePrices(text) !== undefined, `must be ${PRICES_HINT}`)
    .optional()
    .describe("Prices of your own, in the place of those of the list: vcpu-hour=0.056,shuffle-gb=0.011 and the like.")
    .meta({ value: "LIST" }),
  json: z.boolean().default(false).describe("Print the estimate as JSON on standard output.").meta({ group: "Messages" }),
});
inGroups(PlanOptions);
export type PlanOptions = z.infer<typeof PlanOptions>;
