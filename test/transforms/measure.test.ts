import fc from "fast-check";
import type { KV } from "../../beam/cogroup";
import { applyWindow, Window } from "../../transforms/bounds";
import { dayName } from "../../transforms/calendar";
import { joinHistories } from "../../transforms/joined";
import { MeasureHistories, SumMetrics } from "../../transforms/measure";
import { Metrics, type MetricsState } from "../../transforms/metrics";
import { RecentActions } from "../../transforms/recent";
import type { Rules } from "../../transforms/rules";
import { type Action, actionBatch, actions, daysOf, naiveJoin, type Ranking, rankingBatches, rankings, rules } from "./plain";
import { settled } from "./runs";

jest.setTimeout(30_000);

const MAX_POSITIONS = 3;

async function measured(some: Rules, given: readonly Action[], shown: readonly Ranking[]): Promise<MetricsState> {
  const window = new Window(some);
  const fn = new RecentActions(some);
  const left = [settled(fn, fn.addInput(fn.createAccumulator(), applyWindow(actionBatch(given), window)), some)];
  const { joined } = joinHistories({ left, right: rankingBatches(shown) }, window);
  const outputs: KV<MetricsState>[] = [];
  await new MeasureHistories(some.historyLength, MAX_POSITIONS).process({ key: 3, value: joined }, async (output) => {
    outputs.push(output);
  });
  expect(outputs.map(({ key }) => key)).toEqual([0]);
  return outputs[0].value;
}

/** The rows of the output, spelled out: one for each slot, its types padded with zeros. */
function naiveRows(some: Rules, given: readonly Action[], shown: readonly Ranking[]) {
  return naiveJoin(some, given, shown).rows.flatMap(({ ranking, history }) =>
    ranking.slots.map(() => ({
      customer: ranking.customer,
      dt: dayName(ranking.day),
      types: Array.from({ length: some.historyLength }, (_, i) => history[i]?.type ?? 0),
    })),
  );
}

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

test("a bucket's figures are those of counting all positions of all rows", () =>
  fc.assert(
    fc.asyncProperty(rules, actions(), rankings, async (some, given, shown) => {
      const run = { ...some, days: daysOf(shown) };
      const report = Metrics.fromJSON(await measured(run, given, shown)).report();
      const rows = naiveRows(run, given, shown);
      const real = rows.map(({ types }) => types.filter((type) => type !== 0).length);
      const all = rows.flatMap(({ types }) => types);
      expect(report.rows).toBe(rows.length);
      expect(report.zero_history_pct).toBe(share(real.filter((n) => n === 0).length, rows.length));
      expect(report.avg_history_length).toBe(
        share(
          real.reduce((sum, n) => sum + n, 0),
          rows.length,
        ),
      );
      for (const type of [0, 1, 2, 3]) {
        expect(report.action_type_distribution[type]).toBe(share(all.filter((each) => each === type).length, all.length));
        for (const [position, counts] of report.action_type_frequency_by_position.entries())
          expect(counts[type]).toBe(rows.filter(({ types }) => types[position] === type).length);
      }
      for (const [dt, n] of Object.entries(report.rows_by_dt)) {
        const own = rows.filter((row) => row.dt === dt);
        expect([n, report.customers_by_dt[dt]]).toEqual([own.length, new Set(own.map(({ customer }) => customer)).size]);
      }
    }),
    { numRuns: 200 },
  ));

test("the figures of buckets add up to those of the whole, in any order and bracketing", () =>
  fc.assert(
    fc.asyncProperty(rules, actions(), rankings, fc.boolean(), async (some, given, shown, turned) => {
      const run = { ...some, days: daysOf(shown) };
      const bucket = (odd: boolean) => {
        const inside = ({ customer }: { customer: bigint }) => (customer % 2n !== 0n) === odd;
        return measured(run, given.filter(inside), shown.filter(inside));
      };
      const [a, b] = [await bucket(turned), await bucket(!turned)];
      const fn = new SumMetrics(MAX_POSITIONS);
      const added = fn.addInput(fn.addInput(fn.createAccumulator(), a), b);
      const merged = fn.mergeAccumulators([fn.addInput(fn.createAccumulator(), a), fn.createAccumulator(), [b]]);
      const whole = Metrics.fromJSON(await measured(run, given, shown)).report();
      for (const sum of [added, merged]) expect(Metrics.fromJSON(fn.extractOutput(sum)).report()).toEqual(whole);
    }),
    { numRuns: 100 },
  ));
