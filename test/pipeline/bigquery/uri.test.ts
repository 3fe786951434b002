import fc from "fast-check";
import { parseTable, quoted, quotedTable, uriOf } from "../../../pipeline/bigquery/uri";

test.each([
  ["bq://my-project.shop.clicks", { project: "my-project", dataset: "shop", table: "clicks" }],
  ["bq://my-project.shop.clicks-2025", { project: "my-project", dataset: "shop", table: "clicks-2025" }],
  ["bq://example.com:my-project.shop_1.Übersicht 1", { project: "example.com:my-project", dataset: "shop_1", table: "Übersicht 1" }],
])("%s", (uri, name) => {
  expect(parseTable(uri, "clicks")).toEqual(name);
  expect(uriOf(name)).toBe(uri);
});

test.each([
  "bq://shop.clicks",
  "bq://my-project.shop",
  "bq://my-project.shop.clicks.more",
  "bq://my-project.shop.clicks$20250816",
  "bq://my-project.shop.click*",
  "bq://my-project.my-shop.clicks",
  "bq://MY.shop.clicks",
  "bq://my-project/shop/clicks",
  "bq://my-project.shop.a`b",
  "bq://my-project.shop.a\nb",
  "bq://",
])("%j is refused", (uri) => {
  expect(() => parseTable(uri, "clicks")).toThrow(/^clicks must be bq:\/\/PROJECT\.DATASET\.TABLE: .*Check the name\.$/);
});

test("no name ends the quotes in a query", () =>
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom("a", "b", "`", "'", "\\", "\n", ".", "-", " ", ";", "é") }), {
        minLength: 3,
        maxLength: 3,
      }),
      (parts) => {
        let text: string;
        try {
          text = quotedTable(parseTable(`bq://project-1${parts[0]}.${parts[1]}.${parts[2]}`, "clicks"));
        } catch {
          return;
        }
        expect(text).toMatch(/^`[^`\\'\n;]*`$/);
      },
    ),
  ));

test.each(["", "a`b", "a\\b", "a'b", "a\nb", 'a"b'])("a column %j is refused", (name) => {
  expect(() => quoted(name)).toThrow(/is no name of a column in BigQuery/);
});
