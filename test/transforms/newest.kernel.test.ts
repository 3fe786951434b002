import { NewestFirst } from "../../transforms/newest";
import { Pruner } from "../../transforms/prune";
import { DEFAULT_RULES } from "../../transforms/rules";
import { TallyBuilder } from "../../transforms/tallies";
import { Window } from "../../transforms/window";

/** A column that counts how often it is looked at. */
function counted<T extends Float64Array | Uint8Array>(column: T): { column: T; looks: () => number } {
  let looks = 0;
  const get = (target: T, name: string) => {
    looks++;
    return Reflect.get(target, name, target);
  };
  return { column: new Proxy(column, { get: get as ProxyHandler<T>["get"] }), looks: () => looks };
}

const N = 1 << 11;
/** Items in no order. */
const items = () => BigInt64Array.from({ length: N }, (_, i) => BigInt(Math.imul(i + 1, 0x9e3779b1)));

const TIMES: Record<string, (i: number) => number> = {
  "one time": () => 5,
  "a few times": (i) => (i % 7) * 1e9,
  "all but one row in a second": (i) => (i === 0 ? 1e15 : (i * 7919) % 1e6),
  "twice as far back each time": (i) => 1e15 - 2 ** (((i * 7919) % N) / 200),
  "oldest first": (i) => i,
};

test.each(Object.keys(TIMES))("sorting n rows takes n log n looks at most, not n squared: %s", (kind) => {
  const times = counted(Float64Array.from({ length: N }, (_, i) => TIMES[kind](i)));
  const types = counted(new Uint8Array(N));
  const order = Int32Array.from({ length: N }, (_, i) => i);
  new NewestFirst(times.column, order, types.column, items()).sort(0, N);
  expect(times.looks() + types.looks()).toBeLessThan(10 * N * Math.log2(N));
});

const ITEMS = {
  "in no order": items(),
  ascending: BigInt64Array.from({ length: N }, (_, i) => BigInt(i)),
  descending: BigInt64Array.from({ length: N }, (_, i) => BigInt(-i)),
};

test.each(Object.entries(ITEMS))("pruning n rows of one time takes looks in proportion to n: items %s", (_, some) => {
  const types = counted(new Uint8Array(N));
  const rows = { items: some, times: new Float64Array(N), types: types.column, firsts: new Int32Array(N) };
  const pruner = new Pruner(rows, new Window({ ...DEFAULT_RULES, historyLength: 100, days: [20_000] }), new TallyBuilder());
  expect(pruner.prune(0, N, 1, 0, new Int32Array(N), 0)).toBe(100);
  expect(types.looks()).toBeLessThan(20 * N);
});
