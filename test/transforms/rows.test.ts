import { addLedger, type Ledger, unbalanced } from "../../transforms/ledger";
import { type InputRow, normaliseRows, type RejectedRow } from "../../transforms/rows";
import { DEFAULT_RULES } from "../../transforms/rules";
import { collect, given } from "../beam/collect";
import { plainRankings } from "./plain";

const click = (customer: unknown, item: unknown, time = "2025-08-16 10:00:00") =>
  ({ customer_id: customer, item_id: item, click_time: time }) as InputRow;

interface Outputs {
  actions: { key: number; value: { customers: BigInt64Array; items: BigInt64Array } };
  rankings: { key: number; value: Parameters<typeof plainRankings>[0] };
  rejects: RejectedRow;
  ledger: Ledger;
}

const normalise = (table: string, elements: readonly (InputRow | InputRow[])[], days: number[] | null = null) =>
  collect<Outputs>((root) => given(root, elements).apply(normaliseRows({ ...DEFAULT_RULES, buckets: 4, days }, table)));

test("rows, one by one or in arrays, become batches by bucket; rejects come whole, with the reason; the ledger knows all", async () => {
  const bad = click("x", 1);
  const { actions, rejects, ledger } = await normalise("clicks", [click(1, 10), [click(2n ** 63n - 1n, 0), bad], [], click("3", "30")]);
  const pairs = actions.flatMap(({ value: { customers, items } }) => Array.from(customers, (customer, i) => `${customer}-${items[i]}`));
  expect(pairs.sort()).toEqual(["1-10", "3-30", "9223372036854775807-0"]);
  expect(rejects).toEqual([{ table: "clicks", reason: "customer_id: not a 64-bit integer", row: bad }]);
  const sum = ledger.reduce(addLedger, {});
  expect(sum.clicks).toMatchObject({ rows: 4, places: { rejected: 1 }, reasons: { "customer_id: not a 64-bit integer": 1 }, zeroItems: 1 });
  // the others are placed by the join
  expect(unbalanced(sum)).toHaveLength(1);
});

test("more rows than a bundle holds are handed on before its end", async () => {
  const many = Array.from({ length: 70_000 }, (_, i) => click(1, i));
  const { actions } = await normalise("clicks", [many, click(1, 70_000)]);
  expect(actions.map(({ value }) => value.items.length)).toEqual([65_536, 4_464, 1]);
});

test("impressions become rankings; those of other days are counted", async () => {
  const ranking = (id: string, dt: string): InputRow => ({
    dt,
    ranking_id: id,
    customer_id: 1,
    impressions: [{ item_id: 5, is_order: true }],
  });
  const { rankings, ledger } = await normalise("impressions", [ranking("a", "2025-08-16"), ranking("b", "2025-08-17")], [20_316]);
  expect(rankings.flatMap(({ value }) => plainRankings(value))).toEqual([
    { customer: 1n, day: 20_316, id: "a", slots: [{ item: 5n, isOrder: true }] },
  ]);
  expect(ledger.reduce(addLedger, {}).impressions).toMatchObject({
    rows: 2,
    places: { "outside the dates": 1 },
    otherDays: { oldest: "2025-08-17", newest: "2025-08-17" },
  });
});
