import { usesBigQuery } from "../../../pipeline/bigquery/uses";
import { BuildOptions } from "../../../pipeline/options";

const options = (more: object = {}) =>
  BuildOptions.parse({ impressions: "i", clicks: "c", addToCarts: "a", previousOrders: "o", output: "gs://bucket/out", ...more });
const TABLE = "bq://my-project.shop.clicks";
const TEMP = { tempLocation: "gs://bucket/temp" };

test.each<[string, object, boolean]>([
  ["files", {}, false],
  ["a table as an input", { clicks: TABLE, ...TEMP }, true],
  ["a table in a configuration file", { tables: [{ name: "wishes", type: 4, item: "i", time: "t", path: TABLE }], ...TEMP }, true],
  ["a table as an output", { outputTable: TABLE }, true],
  ["all of it", { impressions: TABLE, outputTable: TABLE, project: "my-project", maxBytesBilled: "1TB", ...TEMP }, true],
])("%s", (_, more, uses) => {
  expect(usesBigQuery(options(more))).toBe(uses);
});

test.each<[string, object, string]>([
  [
    "an input without a place for exports",
    { clicks: TABLE },
    `${TABLE} is exported before it is read, which wants a place. Add --temp-location=gs://BUCKET/PATH.`,
  ],
  [
    "a name that is none",
    { clicks: "bq://shop.clicks", ...TEMP },
    'an input must be bq://PROJECT.DATASET.TABLE: got "bq://shop.clicks". Check the name.',
  ],
  [
    "an output on this machine",
    { outputTable: TABLE, output: "out" },
    '--output-table is loaded from a bucket; got --output="out". Write --output=gs://BUCKET/PATH.',
  ],
  [
    "a project for nothing",
    { project: "my-project" },
    '--project is of no use without a bq:// input or --output-table; got "my-project". Leave it out.',
  ],
  [
    "a limit for nothing",
    { maxBytesBilled: "1GB" },
    '--max-bytes-billed is of no use without a bq:// input or --output-table; got "1GB". Leave it out.',
  ],
])("%s", (_, more, message) => {
  expect(() => usesBigQuery(options(more))).toThrow(message);
});

test.each<[string, object]>([
  ["a size that is none", { maxBytesBilled: "50%" }],
  ["a place on this machine", { tempLocation: "/tmp" }],
  ["a project that is none", { project: "MY PROJECT" }],
  ["a table that is a path", { outputTable: "shop.clicks" }],
])("%s is refused with the options", (_, more) => {
  expect(() => options(more)).toThrow(/must be/);
});
