import fc from "fast-check";
import { withColumns } from "../../beam/coders";
import { P } from "../../beam/sdk";
import { load } from "../../beam/spill";
import { ActionBuilder } from "../../transforms/actions";
import { buildHistories } from "../../transforms/histories";
import type { Joined } from "../../transforms/joined";
import { addLedger, type Ledger } from "../../transforms/ledger";
import { measure } from "../../transforms/measure";
import { Metrics, type MetricsState } from "../../transforms/metrics";
import { RankingBuilder } from "../../transforms/rankings";
import { DEFAULT_RULES, type Rules } from "../../transforms/rules";
import { collect, given } from "../beam/collect";
import { type Action, actions, naiveJoin, plainRankings, type Ranking, rankings } from "./plain";
import { runRules } from "./runs";

jest.setTimeout(30_000);

const BUCKETS = 6;
const SHARDS = 3;

/** Batches as splits of so many rows give them. */
function actionBatches(rows: readonly Action[], perSplit: number) {
  const builder = new ActionBuilder();
  return rows.flatMap(({ customer, item, time, type, ownDay }, i) => {
    builder.push(customer, item, time, type, ownDay);
    return (i + 1) % perSplit === 0 || i + 1 === rows.length ? [...builder.take(BUCKETS)] : [];
  });
}

function rankingBatches(rows: readonly Ranking[], perSplit: number) {
  const builder = new RankingBuilder();
  return rows.flatMap(({ customer, day, id, slots }, i) => {
    builder.push(customer, day, id, slots);
    return (i + 1) % perSplit === 0 || i + 1 === rows.length ? [...builder.take(BUCKETS)] : [];
  });
}

interface Outputs {
  joined: { key: number; value: Joined };
  ledger: Ledger;
  metrics: MetricsState;
}

const run = (rules: Rules, some: readonly Action[], shown: readonly Ranking[], perSplit: number) =>
  collect<Outputs>((root) => {
    const normalised = {
      actions: given(root, actionBatches(some, perSplit), "actions"),
      rankings: given(root, rankingBatches(shown, perSplit), "rankings"),
    };
    const { joined, ledger } = P(normalised).apply(buildHistories(rules));
    return { joined, ledger, metrics: joined.apply(withColumns<number, Joined>()).apply(measure(rules.historyLength, 5)) };
  });

/** One line for each ranking with its history, sorted. */
const lines = (rows: readonly { ranking: Ranking; history: readonly { item: bigint; type: number }[] }[]): string[] =>
  rows
    .map(({ ranking: { customer, day, id, slots }, history }) => {
      const shown = slots.map(({ item, isOrder }) => `${item}${isOrder}`);
      return [customer, day, id, shown, "|", history.map(({ item, type }) => `${item}:${type}`)].join(" ");
    })
    .sort();

function rowsOf({ value }: { value: Joined }) {
  const all = plainRankings(value.rankings);
  const { items, types } = load(value.actions);
  return Array.from(value.days, (_, g) => {
    const rows = Array.from({ length: value.historyEnds[g] - value.historyStarts[g] }, (_, i) => value.historyStarts[g] + i);
    const history = rows.map((row) => ({ item: items[row], type: types[row] }));
    return all.slice(value.rankingStarts[g], value.rankingStarts[g + 1]).map((ranking) => ({ ranking, history }));
  }).flat();
}

test("on a runner, however the input is split, the histories, the ledger and the figures are those of the rule", () =>
  fc.assert(
    fc.asyncProperty(runRules, actions(), rankings, fc.integer({ min: 1, max: 9 }), async (some, acted, shown, perSplit) => {
      const days = some.days === null ? null : [...new Set(shown.map(({ day }) => day))].sort((a, b) => a - b);
      const rules = { ...some, days, buckets: BUCKETS, shards: SHARDS };
      const { joined, ledger, metrics } = await run(rules, acted, shown, perSplit);
      const naive = naiveJoin(rules, acted, shown);
      expect(lines(joined.flatMap(rowsOf))).toEqual(lines(naive.rows));
      expect(joined.every(({ key }) => key < SHARDS)).toBe(true);
      const sum = ledger.reduce(addLedger, {});
      expect(Object.fromEntries(Object.entries(sum).map(([table, { places }]) => [table, places]))).toEqual(naive.places);
      const slots = naive.rows.reduce((n, { ranking }) => n + ranking.slots.length, 0);
      expect(metrics.reduce((n, state) => n + Metrics.fromJSON(state).report().rows, 0)).toBe(slots);
    }),
    { numRuns: 40 },
  ));

test("no input gives no output", async () => {
  expect(await run({ ...DEFAULT_RULES, buckets: BUCKETS }, [], [], 1)).toEqual({ joined: [], ledger: [], metrics: [] });
});
