import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parseFlags } from "../../pipeline/flags";
import { BuildOptions } from "../../pipeline/options";
import { build } from "../../pipeline/run";
import type { Ledger } from "../../transforms/tablecounts";
import { type Case, cases } from "../cases";
import { flagsOf, Oracle, writeCase } from "../oracle/oracle";
import { rowsOf } from "../rows";

const folder = join(tmpdir(), `backstory-oracle-${process.pid}`);
const runs = Number(process.env.ORACLE_CASES ?? 400);
let oracle: Oracle;
beforeAll(() => void (oracle = new Oracle()));
afterAll(() => {
  oracle.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Ties of equal rankings cannot be told apart by the oracle's order: rows of one key are compared as a set. */
const asSet = (rows: string[]): string[] => [...rows].sort();

async function runBoth({ options, ...tables }: Case) {
  const inputs = writeCase(join(folder, "in"), tables);
  const output = join(folder, "out");
  rmSync(output, { recursive: true, force: true });
  const expected = await oracle.run([...flagsOf(inputs), ...flagsOf(options)]);
  const flags = [...flagsOf(inputs), ...flagsOf(options), `--output=${output}`, "--max-rejects=100%"];
  const outcome = await build(parseFlags(BuildOptions, flags, 0).options).catch((error) => error);
  return { expected, outcome, output };
}

test(`build gives the oracle's rows, ledger and rejects for ${runs} random inputs and options`, async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (each) => {
      const { expected, outcome, output } = await runBoth(each);
      const rankings = (expected.ledger.impressions?.used ?? 0) + (expected.ledger.impressions?.["without history"] ?? 0);
      if (outcome.ledger === undefined) {
        // No ranking in the dates, or a table of which no row has some column: nothing to compare.
        if (rankings > 0 && !/has no column/.test(outcome.message)) throw outcome;
        return;
      }
      expect(asSet(await rowsOf(output))).toEqual(asSet(expected.rows));
      const places = Object.fromEntries(
        Object.entries(outcome.ledger as Record<string, { places: object }>)
          .map(([t, c]) => [t, c.places])
          .filter(([, p]) => Object.keys(p as object).length > 0),
      );
      expect(places).toEqual(expected.ledger);
      const reasons: Record<string, number> = {};
      for (const [table, counts] of Object.entries(outcome.ledger as Record<string, { reasons: Record<string, number> }>)) {
        for (const [reason, n] of Object.entries(counts.reasons)) {
          const name = `${table}: ${reason.replace(/^\w+: /, "")}`;
          reasons[name] = (reasons[name] ?? 0) + n;
        }
      }
      expect(reasons).toEqual(expected.rejects);
      const late = Object.entries(outcome.ledger as Ledger).flatMap(([table, { late }]) =>
        late === undefined ? [] : [[table, late.days]],
      );
      expect(Object.fromEntries(late)).toEqual(expected.late);
    }),
    { numRuns: runs, endOnFailure: false },
  );
}, 600_000);
