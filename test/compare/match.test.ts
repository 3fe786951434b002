import fc from "fast-check";
import { match } from "../../compare/match";
import type { Side } from "../../compare/side";

/** A row as its key and its content. */
type Row = [key: number, content: number];

const pairs = (values: number[]) => Int32Array.from(values.flatMap((value) => [value, value * 7]));
const side = (rows: Row[]) =>
  ({ rows: rows.length, keys: pairs(rows.map(([key]) => key)), contents: pairs(rows.map(([, content]) => content)) }) as Side;

/** How often each of the rows is there. */
const counts = (rows: Row[], of: (row: Row) => unknown) => {
  const found = new Map<string, number>();
  for (const row of rows) found.set(String(of(row)), (found.get(String(of(row))) ?? 0) + 1);
  return found;
};
const shared = (a: Row[], b: Row[], of: (row: Row) => unknown) => {
  const there = counts(b, of);
  return [...counts(a, of)].reduce((sum, [value, n]) => sum + Math.min(n, there.get(value) ?? 0), 0);
};

const rows = fc.array(fc.tuple(fc.nat(6), fc.nat(2)), { maxLength: 30 });

test("each row has one partner at most; as many as can be are the same, then as many as can be have the same key", () =>
  fc.assert(
    fc.property(rows, rows, (a, b) => {
      const { same, different, onlyHere, onlyThere } = match(side(a), side(b));
      expect(same).toBe(shared(a, b, (row) => row));
      expect(same + different.length).toBe(shared(a, b, ([key]) => key));
      expect(same + different.length + onlyHere.length).toBe(a.length);
      expect(same + different.length + onlyThere.length).toBe(b.length);
      for (const [h, t] of different) {
        expect(a[h][0]).toBe(b[t][0]);
        expect(a[h][1]).not.toBe(b[t][1]);
      }
      expect(new Set([...different.map(([h]) => h), ...onlyHere]).size).toBe(different.length + onlyHere.length);
    }),
  ));
