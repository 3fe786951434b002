import { Window } from "../../transforms/bounds";
import { JoinHistories } from "../../transforms/join";
import { joinHistories } from "../../transforms/joined";
import { DEFAULT_RULES } from "../../transforms/rules";
import { rankingBatches, SOME_DAY } from "./plain";

test("the DoFn emits the ledger of each bucket, and its join under the shard", () => {
  const rules = { ...DEFAULT_RULES, days: [SOME_DAY], buckets: 8, shards: 4 };
  const right = rankingBatches([{ customer: 1n, day: SOME_DAY, id: "r", slots: [{ item: 5n, isOrder: false }] }]);
  const { joined, ledger } = joinHistories({ left: [], right }, new Window(rules));
  const doFn = new JoinHistories(rules);
  doFn.startBundle();
  expect([...doFn.process({ key: 6, value: { left: [], right } })]).toEqual([{ ledger }, { joined: { key: 2, value: joined } }]);
});
