import { asksForLeak, conditionsMet, parseConditions } from "../../pipeline/conditions";
import { Metrics } from "../../transforms/metrics";
import { noCounts } from "../../transforms/tablecounts";

const metrics = new Metrics();
metrics.add([1, 1, 0, 0], 0, 4, 4, 3, "2025-08-16");
metrics.add([0, 0, 0, 0], 0, 4, 4, 1, "2025-08-16");
const quality = metrics.report();
const ledger = {
  clicks: { ...noCounts(), rows: 1000, reasons: { "not JSON": 1, "item_id: missing": 1 } },
  orders: { ...noCounts(), rows: 10, reasons: { "not JSON": 1 } },
  none: noCounts(),
  carts: { ...noCounts(), rows: 3, late: { rows: 1, days: { "after the last dt": { "2025-08-20": 1 } } } },
};

test.each([
  ["zero_history_pct>0.25", undefined],
  ["zero_history_pct>0.24", "zero_history_pct>0.24 (it is 0.25)"],
  ["zero_history_pct > 24%", "zero_history_pct > 24% (it is 25.00%)"],
  ["avg_history_length<1.5", undefined],
  ["avg_history_length<1.6", "avg_history_length<1.6 (it is 1.5)"],
  ["rows<5, rejects>1", "rows<5 (it is 4), rejects>1 (it is 2)"],
  ["rejects>2", undefined],
  ["rejects>9.9%", "rejects>9.9% (it is 10.00%)"],
  ["rejects>10%", undefined],
  ["late>0", "late>0 (it is 1)"],
  ["late>33%", "late>33% (it is 33.33%)"],
  ["late>34%", undefined],
  ["late>33.3333%", "late>33.3333% (it is 33.33333%)"],
  ["leak", undefined],
])("--fail-on=%s", (text, met) => {
  const told = conditionsMet(parseConditions(text)!, ledger, quality);
  if (met === undefined) expect(told).toBeUndefined();
  else expect(told).toContain(`--fail-on: ${met}; nothing was published.`);
});

test.each(["", "rows", "rows>", "rows>=1", "rows>-1", "rows>1%", "rowz>1", "rows>1,", "rows>1e3", "constructor>1", "leak>1", "late"])(
  "%j is no condition",
  (text) => expect(parseConditions(text)).toBeUndefined(),
);

test("leak is met by a single action", () => {
  expect(conditionsMet(parseConditions("rows<1,leak")!, ledger, quality, 2)).toContain("--fail-on: leak (it is 2); nothing was published.");
  expect([asksForLeak("rows<1, leak"), asksForLeak("late>1%"), asksForLeak(undefined)]).toEqual([true, false, false]);
});

test.each([
  [1, 3, "0.3333"],
  [2, 3, "0.6667"],
  [50001, 100000, "0.50001"],
  [1, 2, "0.5"],
])("figures have as many digits as one reads: %d of %d", (part, whole, told) => {
  const figure = { ...quality, zero_history_pct: part / whole };
  expect(conditionsMet(parseConditions("zero_history_pct>0.5,zero_history_pct<0.6,zero_history_pct>0.6")!, {}, figure)).toContain(
    `(it is ${told})`,
  );
});
