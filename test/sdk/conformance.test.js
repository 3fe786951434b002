/** Exact counts on DirectRunner, Prism and Flink; prints a table. */
const { mkdirSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const cases = require("./cases");
const { judge, runCase, START, tableOf } = require("./harness");
const { HOME } = require("./install");

const LIMIT_SECONDS = 90;
const results = {};

afterAll(() => {
  const table = tableOf(cases, results);
  mkdirSync(HOME, { recursive: true });
  writeFileSync(join(HOME, "table.md"), `${table}\n`);
  process.stdout.write(`${table}\n`);
});

describe.each(Object.keys(START))("%s", (runner) => {
  let service;
  beforeAll(async () => (service = await START[runner]()), 90_000);
  afterAll(() => service?.stop());

  const there = Object.entries(cases).filter(([, { runners }]) => runners.includes(runner));
  test.each(there)("%s", async (name, wanted) => {
    const mine = wanted.dies ? await START[runner]() : service;
    const outcome = await runCase({ name, runner, service: mine, limitSeconds: LIMIT_SECONDS, dies: wanted.dies });
    results[`${name} ${runner}`] = { wrong: judge(wanted, runner, outcome), seconds: outcome.seconds };
    expect({ wrong: results[`${name} ${runner}`].wrong, outcome }).toEqual({ wrong: undefined, outcome });
  });
});
