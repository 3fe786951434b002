import { conditionsMet, parseConditions } from "../../pipeline/conditions";
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
])("--fail-on=%s", (text, met) => {
  const told = conditionsMet(parseConditions(text)!, ledger, quality);
  if (met === undefined) expect(told).toBeUndefined();
  else expect(told).toContain(`--fail-on: ${met}; nothing was published.`);
});

test.each(["", "rows", "rows>", "rows>=1", "rows>-1", "rows>1%", "rowz>1", "rows>1,", "rows>1e3", "constructor>1"])(
  "%j is no condition",
  (text) => expect(parseConditions(text)).toBeUndefined(),
);
