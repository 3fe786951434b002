import type { CoGrouped } from "../../beam/cogroup";
import type { OneOf } from "../../beam/outputs";
import { load } from "../../beam/spill";
import { applyWindow, Window } from "../../transforms/bounds";
import { JoinHistories, type JoinOutputs } from "../../transforms/join";
import type { RecentChunk } from "../../transforms/joinbucket";
import { joinHistories } from "../../transforms/joined";
import type { RankingBatch } from "../../transforms/rankings";
import { DEFAULT_RULES } from "../../transforms/rules";
import { mergeTimelines } from "../../transforms/timelines";
import { actionBatch, rankingBatches, SOME_DAY } from "./plain";

const rules = { ...DEFAULT_RULES, days: [SOME_DAY], buckets: 8, shards: 4 };
const window = new Window(rules);
const right = rankingBatches([{ customer: 1n, day: SOME_DAY, id: "r", slots: [{ item: 5n, isOrder: false }] }]);
const click = (customer: bigint, item: bigint) => ({ customer, item, time: (SOME_DAY - 1) * 86_400e6, type: 1, ownDay: SOME_DAY - 1 });
const part = (...clicks: ReturnType<typeof click>[]) => applyWindow(actionBatch(clicks), window);

async function outputsOf(value: CoGrouped<RecentChunk, RankingBatch>): Promise<OneOf<JoinOutputs>[]> {
  const outputs: OneOf<JoinOutputs>[] = [];
  await new JoinHistories(rules).process({ key: 6, value }, async (output) => void outputs.push(output));
  return outputs;
}

test("the DoFn emits the ledger of each bucket, and its join under the shard", async () => {
  const { joined, ledger } = joinHistories({ left: [], right }, window);
  expect(await outputsOf({ left: [], right })).toEqual([{ ledger }, { joined: { key: 2, value: joined } }]);
});

test("the parts of a bucket are merged before they are joined", async () => {
  const parts = [part(click(1n, 7n), click(2n, 8n)), mergeTimelines([part(click(1n, 9n))], window)];
  const { joined, ledger } = joinHistories({ left: [mergeTimelines(parts, window)], right }, window);
  expect(Array.from(load(joined.actions).items.subarray(joined.historyStarts[0], joined.historyEnds[0]))).toEqual([9n, 7n]);
  const whole = { parts, index: 0, of: 1 };
  const chunks = parts.map((each, index) => ({ parts: [each], index: 1 - index, of: 2 }));
  for (const left of [[whole], chunks])
    expect(await outputsOf({ left, right })).toEqual([{ ledger }, { joined: { key: 2, value: joined } }]);
});

test("a bucket without rows has its ledger only", async () => {
  const left = [{ parts: [part(click(1n, 7n))], index: 0, of: 1 }];
  expect((await outputsOf({ left, right: [] })).map(Object.keys)).toEqual([["ledger"]]);
});

test.each([
  [
    "twice the same",
    [
      [0, 1],
      [0, 1],
    ],
    "1 of 1, 1 of 1",
  ],
  [
    "one twice",
    [
      [0, 2],
      [0, 2],
    ],
    "1 of 2, 1 of 2",
  ],
  ["one too few", [[1, 2]], "2 of 2"],
  [
    "one too many",
    [
      [0, 2],
      [1, 2],
      [1, 2],
    ],
    "1 of 2, 2 of 2, 2 of 2",
  ],
])("a bucket must be given all chunks of one value of CombinePerKey: %s", async (_case, chunks, told) => {
  const left = chunks.map(([index, of]) => ({ parts: [], index, of }));
  await expect(outputsOf({ left, right })).rejects.toThrow(`the chunks ${told}: actions were lost or doubled`);
});
