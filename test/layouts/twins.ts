import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { SLOW } from "../suite";

/** Tables in a new folder, again and again: rankings that are given twice or that have the same id, customers at the ends of int64. */
export async function eachWithTwins(folder: string, check: () => Promise<void>): Promise<void> {
  const item = fc.record({ item_id: fc.integer({ min: 0, max: 2 }), is_order: fc.boolean() });
  const ranking = fc.record({
    dt: fc.constantFrom("2025-08-16", "2025-08-17"),
    ranking_id: fc.constantFrom("r", "s", "ü"),
    customer_id: fc.constantFrom("1", "-9223372036854775808", "9223372036854775807"),
    impressions: fc.array(item, { minLength: 1, maxLength: 3 }),
  });
  // what is drawn once is hardly ever drawn again
  const given = fc
    .array(fc.tuple(ranking, fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 20 })
    .map((all) => all.flatMap(([one, times]) => Array<typeof one>(times).fill(one)));
  const action = fc.record({
    customer_id: fc.constantFrom("1", "9223372036854775807"),
    item_id: fc.constantFrom("0", "7", "9223372036854775807"),
    click_time: fc.constantFrom("1969-08-15 10:00:00", "2025-08-15 10:00:00", "2025-08-16 10:00:00.000001"),
  });
  mkdirSync(folder);
  const write = (table: string, rows: unknown[]) =>
    writeFileSync(join(folder, `${table}.ndjson`), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await fc.assert(
    fc.asyncProperty(given, fc.array(action, { maxLength: 12 }), async (rankings, actions) => {
      write("impressions", rankings);
      write("clicks", actions);
      for (const table of ["add_to_carts", "previous_orders"]) write(table, []);
      await check();
    }),
    { numRuns: SLOW ? 50 : 3 },
  );
}
