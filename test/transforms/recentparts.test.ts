import fc from "fast-check";
import { bytesOf } from "../../beam/spill";
import { Window, type WindowedActions } from "../../transforms/bounds";
import { chunksOf, isHot } from "../../transforms/recentparts";
import { DEFAULT_RULES } from "../../transforms/rules";
import { mergeTimelines, type Timelines } from "../../transforms/timelines";
import { actions } from "./plain";
import { batchesOf, plainTimelines, runRules, talliesOf } from "./runs";

const outcome = (timelines: Timelines) => ({ timelines: plainTimelines(timelines), tallies: talliesOf(timelines) });

test("however small the chunks: merged they are what the whole is, batches and timelines and tallies; none is larger than it may be", () =>
  fc.assert(
    fc.property(
      fc.array(fc.tuple(actions(30), fc.boolean()), { maxLength: 5 }),
      runRules,
      fc.integer({ min: 29, max: 900 }),
      (some, rules, most) => {
        const window = new Window(rules);
        const recent = some.map(([part, merge]) => {
          const [batch] = batchesOf([part], window);
          return merge ? mergeTimelines([batch], window) : batch;
        });
        const chunks = [...chunksOf(recent, most)];
        expect(chunks.map(({ index, of }) => [index, of])).toEqual(chunks.map((_, i) => [i, chunks.length]));
        const parts = chunks.flatMap((chunk) => chunk.parts) as (WindowedActions | Timelines)[];
        expect(outcome(mergeTimelines(parts, window))).toEqual(outcome(mergeTimelines(recent, window)));
        for (const { parts } of chunks) expect(bytesOf(parts)).toBeLessThanOrEqual(most + 12 * parts.length);
      },
    ),
    { numRuns: 400 },
  ));

test("nothing is one chunk, so that a bucket without rows is told from one that was lost", () =>
  expect([...chunksOf([])]).toEqual([{ parts: [], index: 0, of: 1 }]));

const many = (customers: number, n = 40_000) => {
  const given = Array.from({ length: n }, (_, i) => ({ customer: BigInt(i % customers), item: 1n, time: i, type: 1, ownDay: 0 }));
  return batchesOf([given], new Window({ ...DEFAULT_RULES, lookbackDays: null }))[0];
};

test.each([
  ["one customer", many(1), true],
  ["a hundred", many(100), false],
  ["too few rows to be worth it", many(1, 1000), false],
])("isHot: %s", (_case, batch, hot) => {
  expect(isHot(batch, 100)).toBe(hot);
  expect(isHot(batch, 40_000)).toBe(false);
});
