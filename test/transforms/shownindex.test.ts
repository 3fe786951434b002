import fc from "fast-check";
import { customerHash, words } from "../../transforms/ids";
import { DEFAULT_RULES, type Rules } from "../../transforms/rules";
import { AllShown } from "../../transforms/shown";
import { mergeShown, NOT_SHOWN, type Shown, ShownIndex, shownOf, Together } from "../../transforms/shownindex";
import { actions, days, daysOf, ids, type Ranking, rankingBatches, rankings, rules, SOME_DAY, sees } from "./plain";

jest.setTimeout(30_000);

interface Stay {
  customer: bigint;
  first: number;
  last: number;
}

const columns = (stays: readonly Stay[]): Shown => ({
  customers: BigInt64Array.from(stays, ({ customer }) => customer),
  firstDays: Int32Array.from(stays, ({ first }) => first),
  lastDays: Int32Array.from(stays, ({ last }) => last),
});
const plain = ({ customers, firstDays, lastDays }: Shown): Stay[] =>
  Array.from(customers, (customer, c) => ({ customer, first: firstDays[c], last: lastDays[c] }));
const byCustomer = (a: Stay, b: Stay): number => (a.customer < b.customer ? -1 : 1);

/** First and last day of each customer. */
function naive(all: readonly Stay[]): Stay[] {
  const stays = new Map<bigint, Stay>();
  for (const { customer, first, last } of all) {
    const known = stays.get(customer) ?? { customer, first, last };
    stays.set(customer, { customer, first: Math.min(known.first, first), last: Math.max(known.last, last) });
  }
  return [...stays.values()].sort(byCustomer);
}

const stays = fc
  .array(fc.record({ customer: ids, first: days, length: fc.nat(3) }), { maxLength: 20 })
  .map((all) => all.map(({ customer, first, length }) => ({ customer, first, last: first + length })));
const manyParts = fc.array(stays, { maxLength: 40 });

test("mergeShown: the first and last day of each customer, once", () =>
  fc.assert(
    fc.property(manyParts, (parts) => expect(plain(mergeShown(parts.map(columns))).sort(byCustomer)).toEqual(naive(parts.flat()))),
  ));

test("AllShown: the same, however the parts are added and merged", () =>
  fc.assert(
    fc.property(manyParts, fc.nat(40), (parts, cut) => {
      const fn = new AllShown();
      const leaf = (some: Stay[][]) => some.reduce((sum, part) => fn.addInput(sum, mergeShown([columns(part)])), fn.createAccumulator());
      const merged = fn.mergeAccumulators([leaf(parts.slice(0, cut)), fn.createAccumulator(), leaf(parts.slice(cut))]);
      for (const sum of [leaf(parts), merged]) expect(plain(fn.extractOutput(sum)).sort(byCustomer)).toEqual(naive(parts.flat()));
    }),
  ));

test("Together: the customers of all chunks, in whatever order they come; the same chunks again give the same object", () =>
  fc.assert(
    fc.property(manyParts, fc.nat(5), fc.nat(40), (parts, chunks, turn) => {
      const all = mergeShown(parts.map(columns));
      const rows = plain(all);
      const given = Array.from({ length: chunks + 1 }, (_, chunk) => rows.filter((_, row) => row % (chunks + 1) === chunk));
      const together = new Together();
      const shown = together.of(given.map(columns));
      expect(plain(shown).sort(byCustomer)).toEqual(rows.sort(byCustomer));
      expect(together.of(given.map((_, i) => columns(given[(i + turn) % given.length])))).toBe(shown);
      const more = together.of([...given, [{ customer: 2n ** 62n, first: 1, last: 2 }]].map(columns));
      expect(plain(more)).toHaveLength(rows.length + 1);
    }),
  ));

const shownIn = (given: readonly Ranking[]): Shown => mergeShown(rankingBatches(given).map(shownOf));

test("shownOf: the customers of rankings", () =>
  fc.assert(
    fc.property(rankings, (given) => {
      const expected = naive(given.map(({ customer, day }) => ({ customer, first: day, last: day })));
      expect(plain(shownIn(given)).sort(byCustomer)).toEqual(expected);
    }),
  ));

/** Rules of a run that knows its days, perhaps more than were shown, or of one that does not. */
const runRules = (some: Rules, given: readonly Ranking[], known: number): Rules => {
  if (known === 0) return { ...some, days: null };
  const all = Array.from({ length: 12 }, (_, i) => SOME_DAY - 6 + i);
  return { ...some, days: known === 1 ? daysOf(given) : all };
};

function windowsOf(index: ShownIndex, customers: readonly bigint[]): Int32Array {
  const windows = new Int32Array(customers.length);
  const hashes = new Int32Array(customers.length);
  const column = words(BigInt64Array.from(customers));
  index.findAll(column, customers.length, windows, hashes);
  windows.forEach((window, i) => {
    if (window !== NOT_SHOWN) expect(hashes[i]).toBe(customerHash(column[2 * i], column[2 * i + 1]) | 0);
  });
  return windows;
}

test("an action before the earliest or from the latest on is seen by no day of its customer, for all clocks and lags", () => {
  let outside = 0;
  fc.assert(
    fc.property(rules, actions(), rankings, fc.nat(2), (some, given, shown, known) => {
      const index = new ShownIndex(shownIn(shown), runRules(some, shown, known));
      const windows = windowsOf(
        index,
        given.map(({ customer }) => customer),
      );
      for (const [i, action] of given.entries()) {
        const own = shown.filter(({ customer }) => customer === action.customer);
        expect(windows[i] === NOT_SHOWN).toBe(own.length === 0);
        const inside = action.time >= index.earliest[windows[i]] && action.time < index.latest[windows[i]];
        if (own.length === 0) expect(inside).toBe(false);
        if (own.length === 0 || inside) continue;
        outside++;
        expect(own.some(({ day }) => sees(some, action, day))).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
  expect(outside).toBeGreaterThan(100);
});

test("for a click, by its time, and a customer of one day the bounds are the rule itself", () =>
  fc.assert(
    fc.property(rules, actions(), days, (some, given, day) => {
      const clicks: Rules = { ...DEFAULT_RULES, lookbackDays: some.lookbackDays, timezone: some.timezone };
      const index = new ShownIndex(columns([{ customer: 1n, first: day, last: day }]), clicks);
      const [window] = windowsOf(index, [1n]);
      for (const action of given.map((each) => ({ ...each, type: 1 })))
        expect(action.time >= index.earliest[window] && action.time < index.latest[window]).toBe(sees(clicks, action, day));
    }),
    { numRuns: 200 },
  ));

test("many customers, ids of which many differ in one half only: each finds their own window", () => {
  const known = Array.from({ length: 6000 }, (_, i) => ({
    customer: (BigInt(i >> 6) << 32n) | BigInt(i & 63),
    first: i % 50,
    last: (i % 50) + (i % 3),
  }));
  const index = new ShownIndex(columns(known), DEFAULT_RULES);
  const windows = windowsOf(index, [...known.map(({ customer }) => customer), -1n, 64n, 94n << 32n]);
  for (let i = 0; i < known.length; i++) {
    const alone = new ShownIndex(columns([known[i]]), DEFAULT_RULES);
    expect([index.earliest[windows[i]], index.latest[windows[i]]]).toEqual([alone.earliest[1], alone.latest[1]]);
  }
  expect([...windows.subarray(known.length)]).toEqual([NOT_SHOWN, NOT_SHOWN, NOT_SHOWN]);
  expect(index.earliest.length).toBe(1 + 150);
});

test("small tables: look-ups go on at the front where those that belong to the last place do not fit", () => {
  for (let k = 0; k < 500; k++) {
    const known = Array.from({ length: 8 }, (_, i) => ({ customer: BigInt(8 * k + i), first: i, last: i }));
    const windows = windowsOf(new ShownIndex(columns(known), DEFAULT_RULES), [...known.map(({ customer }) => customer), -1n]);
    expect([...windows]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, NOT_SHOWN]);
  }
});
