import fc from "fast-check";
import { applyWindow, NEVER, Window } from "../../transforms/bounds";
import { Calendar, END_DAY } from "../../transforms/calendar";
import { DEFAULT_RULES, type Rules } from "../../transforms/rules";
import { type Action, actionBatch, actions, days, rules, SOME_DAY, sees } from "./plain";

jest.setTimeout(30_000);

/** Days of a run and some others, so that the first and last day of an action are among them or on either side. */
const NEAR = Array.from({ length: 20 }, (_, i) => SOME_DAY - 10 + i);
const runDays = fc.uniqueArray(days, { maxLength: 6 }).map((some) => some.sort((a, b) => a - b));
const one = actions(1).filter(({ length }) => length === 1);
const between = (window: Window, { time, type, ownDay }: Action, day: number): boolean =>
  window.first(time, type, ownDay) <= day && day <= window.last(time);

test("first <= day <= last exactly if the day sees the action: days not known beforehand", () =>
  fc.assert(
    fc.property(one, rules, ([action], given) => {
      const window = new Window(given);
      for (const day of NEAR) expect([day, between(window, action, day)]).toEqual([day, sees(given, action, day)]);
    }),
    { numRuns: 500 },
  ));

test("first <= day <= last exactly if the day sees the action: days of the run", () =>
  fc.assert(
    fc.property(one, rules, runDays, ([action], given, known) => {
      const window = new Window({ ...given, days: known });
      for (const day of known) expect([day, between(window, action, day)]).toEqual([day, sees(given, action, day)]);
      const { first, last } = { first: window.first(action.time, action.type, action.ownDay), last: window.last(action.time) };
      if (first <= last) expect([known.includes(first), known.includes(last) || given.lookbackDays === null]).toEqual([true, true]);
    }),
    { numRuns: 500 },
  ));

const day = SOME_DAY;
const berlin: Rules = { ...DEFAULT_RULES, timezone: "Europe/Berlin", lookbackDays: 2 };
const at = (name: string, d: number): number => new Calendar(name).midnight(d);

test.each([
  ["the cutoff is out", at("Europe/Berlin", day), false],
  ["a microsecond before the cutoff is in", at("Europe/Berlin", day) - 1, true],
  ["the start of the lookback is in", at("Europe/Berlin", day - 2), true],
  ["a microsecond before the lookback is out", at("Europe/Berlin", day - 2) - 1, false],
])("%s", (_, time, seen) => {
  for (const known of [null, [day]]) {
    const window = new Window({ ...berlin, days: known });
    expect(window.first(time, 1, 0) <= day && day <= window.last(time)).toBe(seen);
  }
});

test("the lag moves the cutoff of orders only, and not the lookback", () => {
  const lagged: Rules = { ...DEFAULT_RULES, orderLagDays: 1, lookbackDays: 2 };
  for (const known of [null, [day]]) {
    const window = new Window({ ...lagged, days: known });
    const seen = (time: number, type: number) => window.first(time, type, 0) <= day && day <= window.last(time);
    expect([seen(at("UTC", day) - 1, 1), seen(at("UTC", day) - 1, 3)]).toEqual([true, false]);
    expect([seen(at("UTC", day - 1), 3), seen(at("UTC", day - 1) - 1, 3)]).toEqual([false, true]);
    expect([seen(at("UTC", day - 2), 3), seen(at("UTC", day - 2) - 1, 3)]).toEqual([true, false]);
  }
});

test("a lookback of no days sees nothing; none sees all", () => {
  for (const known of [null, [day]]) {
    const none = new Window({ ...DEFAULT_RULES, lookbackDays: 0, days: known });
    expect(none.first(at("UTC", day) - 1, 1, 0)).toBeGreaterThan(none.last(at("UTC", day) - 1));
    const all = new Window({ ...DEFAULT_RULES, lookbackDays: null, days: known });
    expect(all.last(-8e15)).toBeGreaterThan(END_DAY);
    expect(all.start(day)).toBe(-Infinity);
  }
});

test.each([1_000_000, 100_000])("a lookback or lag of %p days reaches beyond the range of time without harm", (far) => {
  const action = { time: at("Europe/Berlin", day) - 1, type: 3, ownDay: day - 1 };
  for (const known of [null, [day]]) {
    const looking = new Window({ ...berlin, lookbackDays: far, days: known });
    expect([looking.first(action.time, 1, 0), looking.last(action.time) >= day]).toEqual([day, true]);
    const lagging = new Window({ ...berlin, orderLagDays: far, days: known });
    expect(lagging.first(action.time, 3, 0)).toBeGreaterThan(END_DAY);
  }
});

test("a run without days sees nothing", () => {
  const window = new Window({ ...DEFAULT_RULES, days: [] });
  expect(window.first(0, 1, 0)).toBe(NEVER);
  expect(window.last(0)).toBeLessThan(NEVER);
});

test("start is the midnight at which the lookback of a day begins", () =>
  fc.assert(
    fc.property(rules, days, (given, d) =>
      expect(new Window(given).start(d)).toBe(given.lookbackDays === null ? -Infinity : at(given.timezone, d - given.lookbackDays)),
    ),
  ));

/** Each action as one line, in the order of the batch. */
const lines = (given: readonly Action[]): string[] => given.map(({ customer, item, time, type }) => [customer, item, time, type].join());

/** The first days of actions, by time. */
function told(window: Window, given: readonly Action[]): number[] {
  const { times, types } = actionBatch(given);
  const firsts = new Int32Array(given.length);
  window.tellFirsts(times, types, 0, given.length, firsts);
  return [...firsts];
}

test("a window that begins with a day has no first day before it, and sees what some day from it on sees", () =>
  fc.assert(
    fc.property(actions(), rules, (given, some) => {
      const from = new Window(some, day);
      const any = new Window(some);
      for (const { time, type, ownDay } of given) {
        const first = Math.max(day, any.first(time, type, ownDay));
        expect(from.first(time, type, ownDay)).toBe(first);
        expect(from.firstToSee(time, type, ownDay)).toBe(first <= any.last(time) ? first : NEVER);
      }
      const byTime = new Window({ ...some, actionClock: "time" }, day);
      if (byTime.surelySees(actionBatch(given)))
        expect(given.filter(({ time, type }) => byTime.firstToSee(time, type, 0) === NEVER)).toEqual([]);
    }),
    { numRuns: 300 },
  ));

test("first days by time are the same for all actions together as one by one, be the days known or not", () =>
  fc.assert(
    fc.property(actions(), rules, fc.option(runDays), (given, some, known) => {
      const window = new Window({ ...some, actionClock: "time", days: known });
      const seen = given.filter(({ time, type }) => window.firstToSee(time, type, 0) !== NEVER);
      expect(told(window, seen)).toEqual(seen.map(({ time, type }) => window.first(time, type, 0)));
    }),
    { numRuns: 300 },
  ));

test("actions that are surely seen are seen, and those of a run of days without gaps surely are if all of them are", () =>
  fc.assert(
    fc.property(actions(), rules, fc.option(runDays), (given, some, known) => {
      const window = new Window({ ...some, actionClock: "time", days: known });
      const seen = given.filter(({ time, type }) => window.firstToSee(time, type, 0) !== NEVER);
      if (window.surelySees(actionBatch(given))) expect(seen).toEqual(given);
      const week = new Window({ ...some, actionClock: "time", lookbackDays: 30, orderLagDays: 1, days: [day, day + 1, day + 2] });
      for (const type of [1, 3]) {
        const ofType = given.filter((action) => action.type === type && week.firstToSee(action.time, type, 0) !== NEVER);
        expect(ofType.length === 0 || week.surelySees(actionBatch(ofType))).toBe(true);
      }
    }),
    { numRuns: 300 },
  ));

test("applyWindow keeps, in their order, the actions that some day of the run sees, and tallies the others", () =>
  fc.assert(
    fc.property(actions(), rules, runDays, (given, some, known) => {
      const window = new Window({ ...some, days: known });
      const kept = given.filter((action) => known.some((d) => sees(some, action, d)));
      const out = applyWindow(actionBatch(given), window);
      const got = Array.from(out.times, (time, i) => ({
        customer: out.customers[i],
        item: out.items[i],
        time,
        type: out.types[i],
        ownDay: 0,
      }));
      expect(lines(got)).toEqual(lines(kept));
      const firsts = kept.map((action) => known.find((d) => sees(some, action, d)));
      expect([...out.firsts]).toEqual(some.actionClock === "time" ? [] : firsts);
      if (some.actionClock === "time") expect(told(window, kept)).toEqual(firsts);
      const { customers, types, counts } = out.tallies;
      const tallied = Array.from(counts, (count, i) => Array<string>(count).fill(`${customers[i]},${types[i]}`)).flat();
      const dropped = given.filter((action) => !kept.includes(action)).map(({ customer, type }) => `${customer},${type}`);
      expect(tallied.sort()).toEqual(dropped.sort());
    }),
    { numRuns: 300 },
  ));

test("with days not known beforehand, an action is kept if any day at all sees it", () =>
  fc.assert(
    fc.property(actions(), rules, (given, some) => {
      const { times } = applyWindow(actionBatch(given), new Window(some));
      expect(times.length).toBe(given.filter((action) => NEAR.some((d) => sees(some, action, d))).length);
    }),
  ));
