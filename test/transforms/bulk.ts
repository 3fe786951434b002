/** Actions and rankings by the hundred, for what kernels do only when there are many: made of a seed, so that they shrink. */
import fc from "fast-check";
import { DAY_MICROS } from "../../transforms/calendar";
import { DEFAULT_RULES, type Rules } from "../../transforms/rules";
import { type Action, type Ranking, SOME_DAY } from "./plain";

/** xorshift32 */
function dice(seed: number): (n: number) => number {
  let state = seed | 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

const KINDS = ["any", "sessions", "days", "one", "descending", "outlier"] as const;

/** Microseconds in the eight days around SOME_DAY, by the way they lie. */
function timeOf(kind: (typeof KINDS)[number], i: number, n: number, roll: (n: number) => number): number {
  const start = (SOME_DAY - 4) * DAY_MICROS;
  if (kind === "any") return start + roll(8 * 86_400) * 1e6 + roll(1e6);
  if (kind === "sessions") return start + roll(5) * 1.5 * DAY_MICROS + roll(40);
  if (kind === "days") return start + roll(8) * DAY_MICROS;
  if (kind === "one") return start + 3 * DAY_MICROS;
  if (kind === "descending") return start + (n - i) * 60e6;
  return i === 0 ? start - 300 * DAY_MICROS : start + 2 * DAY_MICROS + roll(1000);
}

const ITEMS = [0n, 1n, -1n, 2n ** 32n, 2n ** 31n, -(2n ** 63n), 2n ** 63n - 1n, 7n];
export const CUSTOMERS = [0n, 5n, -1n, 2n ** 32n + 5n, -(2n ** 63n), 2n ** 63n - 1n];

/** Up to `most` actions of up to six customers. */
export const manyActions = (most: number): fc.Arbitrary<Action[]> =>
  fc
    .record({
      seed: fc.integer(),
      n: fc.nat(most),
      customers: fc.integer({ min: 1, max: CUSTOMERS.length }),
      kind: fc.constantFrom(...KINDS),
      types: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ seed, n, customers, kind, types }) => {
      const roll = dice(seed);
      return Array.from({ length: n }, (_, i) => {
        const time = timeOf(kind, i, n, roll);
        const own = Math.floor(time / DAY_MICROS) + roll(2);
        return { customer: CUSTOMERS[roll(customers)], item: ITEMS[roll(ITEMS.length)], time, type: 4 - types + roll(types), ownDay: own };
      });
    });

export const manyRankings = (most: number): fc.Arbitrary<Ranking[]> =>
  fc.record({ seed: fc.integer(), n: fc.nat(most), days: fc.integer({ min: 1, max: 6 }) }).map(({ seed, n, days }) => {
    const roll = dice(seed);
    return Array.from({ length: n }, () => ({
      customer: roll(3) === 0 ? 5n : CUSTOMERS[roll(CUSTOMERS.length)],
      day: SOME_DAY - 2 + roll(days),
      id: ["r", "r1", "r12", "ä", "\u{1F600}", ""][roll(6)] + (roll(2) === 0 ? "" : roll(30)),
      slots: Array.from({ length: 1 + roll(3) }, () => ({ item: ITEMS[roll(3)], isOrder: roll(2) === 0 })),
    }));
  });

/** Rules under which histories are short and long, windows wide and narrow, and orders lag or do not. */
export const manyRules: fc.Arbitrary<Rules> = fc
  .record({
    historyLength: fc.constantFrom(1, 2, 10, 50, 1000),
    lookbackDays: fc.constantFrom(null, 1, 3, 365),
    timezone: fc.constantFrom("UTC", "Europe/Berlin"),
    orderLagDays: fc.constantFrom(0, 0, 2),
    actionClock: fc.constantFrom<Rules["actionClock"]>("time", "dt", "both"),
    dropEmptyHistory: fc.boolean(),
    keepTimes: fc.boolean(),
    days: fc.option(fc.constant([-2, -1, 0, 1, 2, 3].map((day) => SOME_DAY + day)), { freq: 3 }),
  })
  .map((some) => ({ ...DEFAULT_RULES, ...some }));

/** Cut into `n` parts. */
export const parted = <T>(all: readonly T[], n: number): T[][] => Array.from({ length: n }, (_, p) => all.filter((_, i) => i % n === p));
