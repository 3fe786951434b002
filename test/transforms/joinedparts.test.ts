import fc from "fast-check";
import { Reader, Writer } from "protobufjs";
import type { Context } from "../../beam/sdk";
import { bytesOf, load } from "../../beam/spill";
import { applyWindow, Window } from "../../transforms/bounds";
import { type Joined, joinHistories } from "../../transforms/joined";
import { JoinedCoder } from "../../transforms/joinedcoder";
import { cutJoined, gatherPieces, withOwnColumns } from "../../transforms/joinedparts";
import type { Rules } from "../../transforms/rules";
import { mergeTimelines } from "../../transforms/timelines";
import { type Action, actionBatch, actions, joinedRows, type Ranking, rankingBatches, rankings, SOME_DAY } from "./plain";
import { runRules } from "./runs";

function joinOf(rules: Rules, given: readonly Action[], shown: readonly Ranking[]): Joined {
  const window = new Window(rules);
  const left = [mergeTimelines([applyWindow(actionBatch(given), window)], window)];
  return joinHistories({ left, right: rankingBatches(shown) }, window).joined;
}

const NESTED = "needsDelimiters" as unknown as Context;

function sent(part: Joined): Joined {
  const writer = Writer.create();
  new JoinedCoder().encode(part, writer, NESTED);
  return load(new JoinedCoder().decode(Reader.create(writer.finish()), NESTED));
}

/** What the columns of no group at all take, and then some. */
const GROUP_BYTES = 64;

/** Twins and customers with many rankings of a day. */
const crowded = fc.array(rankings, { maxLength: 4 }).map((some) => some.flat());

test("parts of any size, sent or not, in any order, have all rows of the join together, those of a day in its own parts", () =>
  fc.assert(
    fc.property(runRules, actions(), crowded, fc.nat(600), fc.boolean(), fc.nat(), (rules, given, shown, most, send, turn) => {
      const joined = joinOf(rules, given, shown);
      const cut = [...cutJoined(joined, most)];
      for (const { days } of cut) expect(new Set(days).size).toBe(1);
      const turned = cut.map((_, i) => cut[(i + turn) % cut.length]).map((part) => (send ? sent(part) : part));
      const gathered = [...Map.groupBy(turned, ({ days }) => days[0])]
        .sort(([a], [b]) => a - b)
        .flatMap(([, parts]) => gatherPieces(parts));
      const byCustomer = (a: Joined, b: Joined) => a.days[0] - b.days[0] || (a.customers[0] < b.customers[0] ? -1 : 1);
      expect(gathered.sort(byCustomer).flatMap(joinedRows)).toEqual(joinedRows(joined));
    }),
    { numRuns: 500 },
  ));

test("a part is at most as large as it may be, but for one ranking, or one history", () =>
  fc.assert(
    fc.property(runRules, actions(), crowded, fc.integer({ min: 200, max: 2000 }), (rules, given, shown, most) => {
      for (const part of cutJoined(joinOf(rules, given, shown), most)) {
        const { rankingStarts, days, historyStarts, historyEnds } = part;
        const one =
          rankingStarts[rankingStarts.length - 1] - rankingStarts[0] === 1 || (days.length === 1 && historyEnds[0] > historyStarts[0]);
        if (!one) expect(bytesOf(withOwnColumns(part))).toBeLessThanOrEqual(most + GROUP_BYTES);
      }
    }),
    { numRuns: 300 },
  ));

test("one customer with many rankings on one day: pieces, the history in the first alone", () => {
  const shown = Array.from({ length: 200 }, (_, i) => ({
    customer: 1n,
    day: SOME_DAY,
    id: `r${i % 50}`,
    slots: [{ item: 5n, isOrder: false }],
  }));
  const click = { customer: 1n, item: 7n, time: (SOME_DAY - 1) * 86_400e6, type: 1, ownDay: SOME_DAY - 1 };
  const joined = joinOf(
    { ...(fc.sample(runRules, 1)[0] as Rules), days: [SOME_DAY], lookbackDays: null, actionClock: "time" },
    [click],
    shown,
  );
  const cut = [...cutJoined(joined, 400)];
  expect(cut.length).toBeGreaterThan(10);
  expect(cut.map(({ piece }) => piece)).toEqual(cut.map((_, i) => i + 1));
  expect(cut.map(({ historyStarts, historyEnds }) => historyEnds[0] - historyStarts[0])).toEqual(cut.map((_, i) => (i === 0 ? 1 : 0)));
  expect(joinedRows(gatherPieces(cut.toReversed())[0])).toEqual(joinedRows(joined));
});

test("within the process nothing is copied", () => {
  const shown = [1n, 2n].map((customer) => ({ customer, day: SOME_DAY, id: "r", slots: [{ item: 5n, isOrder: false }] }));
  const joined = joinOf({ ...(fc.sample(runRules, 1)[0] as Rules), days: [SOME_DAY], dropEmptyHistory: false }, [], shown);
  const [part] = cutJoined(joined);
  expect([part.rankings, part.actions]).toEqual([joined.rankings, joined.actions]);
  expect(part.customers.buffer).toBe(joined.customers.buffer);
});
