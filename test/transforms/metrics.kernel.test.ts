import fc from "fast-check";
import { Metrics, type MetricsState } from "../../transforms/metrics";

const POSITIONS = 30;
const DT = "2025-08-03";

interface History {
  types: number[];
  rows: number;
}

const histories = fc.array(
  fc.record({
    types: fc.array(fc.constantFrom(0, 1, 1, 1, 2, 3, 127), { maxLength: 600, size: "max" }),
    rows: fc.integer({ min: 1, max: 15 }),
  }),
  { maxLength: 8 },
);

/** Every action on its own, into plain objects. */
function naive(given: readonly History[]): MetricsState {
  const state: MetricsState = { maxPositions: POSITIONS, types: {}, positions: [], lengths: {}, historyLengths: {}, days: {} };
  const bump = (counts: Record<number, number>, key: number, by: number) => {
    counts[key] = (counts[key] ?? 0) + by;
  };
  for (const { types, rows } of given) {
    types.forEach((type, position) => {
      if (type === 0) return;
      bump(state.types, type, rows);
      if (position >= POSITIONS) return;
      while (state.positions.length <= position) state.positions.push({});
      bump(state.positions[position], type, rows);
    });
    const actions = types.filter((type) => type !== 0).length;
    bump(state.lengths, actions, rows);
    bump(state.historyLengths, types.length, rows);
    state.days[DT] ??= { rows: 0, customers: 0, emptyRows: 0, used: {} };
    state.days[DT].rows += rows;
    state.days[DT].customers++;
    state.days[DT].emptyRows += actions === 0 ? rows : 0;
  }
  return state;
}

const columns = fc.constantFrom<(types: number[]) => Uint8Array | Int32Array | number[]>(
  (types) => types,
  (types) => Uint8Array.from(types),
  (types) => Int32Array.from(types),
);

test("Metrics.add is equivalent to counting every action on its own, whatever the column is made of", () =>
  fc.assert(
    fc.property(histories, columns, fc.nat(3), (given, column, before) => {
      const metrics = new Metrics(POSITIONS);
      for (const { types, rows } of given) {
        const around = [...Array<number>(before).fill(9), ...types, 9];
        metrics.add(column(around), before, before + types.length, types.length, rows, DT);
      }
      expect(metrics.toJSON()).toEqual(naive(given));
    }),
    { numRuns: 200 },
  ));

test("looking at the state between additions changes nothing", () =>
  fc.assert(
    fc.property(histories, (given) => {
      const metrics = new Metrics(POSITIONS);
      given.forEach(({ types, rows }, i) => {
        metrics.add(Uint8Array.from(types), 0, types.length, types.length, rows, DT);
        expect(metrics.toJSON()).toEqual(naive(given.slice(0, i + 1)));
      });
    }),
    { numRuns: 30 },
  ));

test.each([0, POSITIONS, 500])("a type code of 128 or more is refused at position %p of a long history", (position) => {
  const types = new Uint8Array(600).fill(1);
  types[position] = 200;
  expect(() => new Metrics(POSITIONS).add(types, 0, 600, 600, 1, DT)).toThrow("an action type must be 0 to 127; got 200");
});
