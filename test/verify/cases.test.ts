/**
 * Random inputs and options, built and then verified, by the manifest alone or by flags alone: the two
 * programs have only the contract in common.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { cases } from "../cases";
import { partsOf } from "../rows";
import { buildTo, flagsOf, forget, type Inputs, readFile, TABLES, verified, writeFile, writeInputs } from "./outputs";

jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), "backstory-verify-"));
afterAll(() => rmSync(folder, { recursive: true }));

const RUNS = Number(process.env.VERIFY_CASES ?? 10);

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
      if (!byManifest) forget(output);
      const report = await verified(output, byManifest ? ["--sample=all"] : [...flags, "--sample=all"]);
      expect({ findings: report.findings, differences: report.differences }).toEqual({ findings: [], differences: 0 });
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: 60_000 },
  ));

const NAMES = ["actions", "action_types", "customer_id", "ranking_id", "item_id", "is_order", "impressions", "impression_index"];

/** Another value than the one there, of the same type. */
function other(value: unknown, by: number): unknown {
  if (Array.isArray(value)) return value.map((each, i) => (i === by % value.length ? other(each, by) : each));
  if (typeof value === "bigint") return value <= 0n ? value + 1n : value - 1n;
  if (typeof value === "boolean") return !value;
  return typeof value === "number" ? (value === 1 ? 2 : 1) : `${value}x`;
}

test("one value of one row changed, or a row left out or given twice, is a difference", () =>
  fc.assert(
    fc.asyncProperty(
      cases,
      fc.constantFrom(...NAMES, "left out", "twice"),
      fc.nat(100),
      fc.nat(15),
      async ({ options, ...tables }, what, n, by) => {
        const inputs = Object.fromEntries(TABLES.map((table) => [table, { "all.ndjson": tables[table].join("\n") }])) as Inputs;
        const output = mkdtempSync(join(folder, "out-"));
        const flags = [...writeInputs(folder, inputs), ...flagsOf({ ...options, shards: "1" })];
        if ((await buildTo(output, flags).catch(() => undefined)) === undefined) return;
        forget(output);
        const files = partsOf(output);
        if (files.length === 0) return;
        const path = join(output, files[n % files.length]);
        const file = await readFile(path);
        const at = n % file.rows.length;
        if (what === "left out") file.rows.splice(at, 1);
        else if (what === "twice") file.rows.splice(at, 0, file.rows[at]);
        else file.rows[at] = { ...file.rows[at], [what]: other(file.rows[at][what], by) };
        writeFile(path, file);
        expect((await verified(output, [...flags, "--sample=all"])).differences).toBeGreaterThan(0);
      },
    ),
    { numRuns: RUNS, interruptAfterTimeLimit: 60_000 },
  ));
