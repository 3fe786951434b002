/** Random inputs and options, built and then verified: the two programs have only SPEC in common. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { cases } from "../cases";
import { buildTo, flagsOf, type Inputs, TABLES, verified, writeInputs } from "./outputs";

jest.setTimeout(120_000);

const folder = mkdtempSync(join(tmpdir(), "backstory-verify-"));
afterAll(() => rmSync(folder, { recursive: true }));

const RUNS = Number(process.env.VERIFY_CASES ?? 40);

test("what a build makes of random inputs, by random options, has no difference", () =>
  fc.assert(
    fc.asyncProperty(cases, fc.constantFrom("1", "2", "3"), fc.boolean(), async ({ options, ...tables }, shards, byManifest) => {
      const inputs = Object.fromEntries(
        TABLES.map((table) => [table, { "all.ndjson": tables[table].map((line) => `${line}\n`).join("") }]),
      ) as Inputs;
      const output = mkdtempSync(join(folder, "out-"));
      const flags = [...writeInputs(folder, inputs), ...flagsOf({ ...options, shards })];
      try {
        await buildTo(output, flags);
      } catch (error) {
        if (/no impressions in the dates|has no column/.test((error as Error).message)) return;
        throw error;
      }
      const report = await verified(output, [...flags, "--sample=all"]);
      void byManifest;
      expect({ findings: report.findings, differences: report.differences }).toEqual({ findings: [], differences: 0 });
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: 60_000 },
  ));
