/** CSV files of the four tables, plain and odd. */
import fc from "fast-check";

export interface CsvFile {
  table: string;
  /** the header and records; a cell may hold line feeds */
  lines: string[];
}

const id = fc.constantFrom("1", "1", "2", "2", "3", "9007199254740992", "-9223372036854775808", "4294967297");
const day = fc.constantFrom("2025-03-28", "2025-03-29", "2025-03-30", "2025-03-31", "dt=2025-03-30");
const clock = fc.constantFrom("00:00:00", "23:59:59.999999", "02:30:00", "10:20:30.5", "01:59:59.9999999");
const zone = fc.constantFrom("", "", "", "Z", "+02", " UTC");
const time = fc.tuple(day, fc.constantFrom(" ", "T"), clock, zone).map((parts) => parts.join(""));
const slot = fc.tuple(id, fc.boolean()).map(([item, order]) => `{"item_id": ${item}, "is_order": ${order}}`);
const slots = fc.oneof(
  { weight: 8, arbitrary: fc.array(slot, { minLength: 1, maxLength: 3 }).map((some) => `[${some.join(", ")}]`) },
  { weight: 1, arbitrary: fc.constantFrom("[]", "{}", "[{}]", '"x"', "[1", '[{"item_id":1.5,"is_order":true}]') },
);
const odd = fc.constantFrom(
  "",
  " ",
  "x",
  "01",
  "-0",
  "1.5",
  "1e3",
  "9223372036854775808",
  "null",
  "2025-02-30",
  "1743330000",
  "é",
  '"',
  "a\nb",
  ",",
);

const KINDS: Record<string, fc.Arbitrary<string>> = {
  customer_id: id,
  item_id: id,
  config_id: id,
  click_time: time,
  occurred_at: time,
  dt: day,
  order_date: day,
  ranking_id: fc.constantFrom("a", "r1", "ä", "\u{1F600}"),
  impressions: slots,
  extra: fc.constantFrom("", "x", "é"),
};

const COLUMNS: Record<string, string[]> = {
  impressions: ["dt", "ranking_id", "customer_id", "impressions", "extra"],
  clicks: ["dt", "customer_id", "item_id", "click_time", "extra"],
  add_to_carts: ["dt", "customer_id", "config_id", "occurred_at", "extra"],
  previous_orders: ["order_date", "customer_id", "config_id", "occurred_at", "extra"],
};

/** In quotes where it has to be, and now and then where not. */
const cell = (text: string, quote: boolean): string => (quote || /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const record = (columns: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      ...columns.map((column) =>
        fc.tuple(
          fc.oneof({ weight: 40, arbitrary: KINDS[column] }, { weight: 1, arbitrary: odd }),
          fc.nat(9).map((n) => n === 0),
        ),
      ),
    )
    .map((cells) => cells.map(([text, quote]) => cell(text, quote)).join());

const oddRecord = fc.constantFrom("", "", "  ", "1", "1,2,3,4,5,6,7", '1,2"3,4,5,6', '"1"2,3,4,5,6', "\r", ",,,,", '"","","","",""');
const last = fc.constantFrom('"', '1,"2', '1,2,"3\n4,5\n', '1,2,3,4,"5""');

/** Most files have all columns, in any order. */
export const csvFile = (table: string): fc.Arbitrary<CsvFile> =>
  fc
    .tuple(fc.shuffledSubarray(COLUMNS[table], { minLength: COLUMNS[table].length - 1 }), fc.nat(3))
    .chain(([columns, end]) =>
      fc.tuple(
        fc.constant(columns),
        fc.array(fc.oneof({ weight: 12, arbitrary: record(columns) }, { weight: 1, arbitrary: oddRecord }), { maxLength: 40 }),
        end === 0 ? last.map((text) => [text]) : fc.constant([]),
        fc.nat(9),
      ),
    )
    .map(([columns, records, open, blank]) => ({ table, lines: [...(blank === 0 ? [""] : []), columns.join(), ...records, ...open] }));
