import { readFileSync } from "node:fs";
import { join } from "node:path";

const { chart, page } = require("../../docs/scale") as { chart(): string; page(): string };
const doc = (name: string) => readFileSync(join(__dirname, "../../docs", name), "utf8");

test("docs/scale.md and its picture are what backstory plan computes for the load described; npm run docs:scale writes them anew", () => {
  expect(doc("scale.md")).toBe(page());
  expect(doc("scale.svg")).toBe(chart());
});

test("no figure of the page is missing", () => {
  const figures = doc("scale.md");
  expect(figures).not.toMatch(/NaN|undefined|Infinity|null|\$\?/);
  expect(figures.match(/\$\d+\.\d\d/g)!.length).toBeGreaterThan(20);
});
