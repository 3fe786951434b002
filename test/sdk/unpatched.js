#!/usr/bin/env node
/**
 * The conformance suite's table for the SDK as published, or with some of the patches only: node test/sdk/unpatched.js [PATCH...]
 * (control submission: what Prism wants to start at all). Works in a copy, .cache/sdk/unpatched/. Each case gets a runner of its own, since
 * what went wrong with one must not be told of the next. It takes a quarter of an hour: much of it hangs until its limit, and workers take
 * up to 8 GB of memory.
 */
const { execFileSync } = require("node:child_process");
const { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const cases = require("./cases");
const { judge, runCase, START, tableOf } = require("./harness");
const { HOME } = require("./install");

const LIMIT_SECONDS = { direct: 20, prism: 20, flink: 40 };
const ROOT = join(__dirname, "../..");
const COPY = join(HOME, "unpatched");
const SDK = "apache-beam";
/** CASES names some cases alone, with commas between them. */
const isSelected = (name) => (process.env.CASES ?? name).split(",").includes(name);

/** The project with links to its packages, apart from the SDK, which is fetched anew. */
function makeCopy(wanted) {
  rmSync(COPY, { recursive: true, force: true });
  const modules = join(COPY, "node_modules");
  mkdirSync(join(modules, SDK), { recursive: true });
  for (const name of ["package.json", "dist", "test/sdk"]) cpSync(join(ROOT, name), join(COPY, name), { recursive: true });
  for (const name of readdirSync(join(ROOT, "node_modules")))
    if (name !== SDK) symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  const patches = readdirSync(join(ROOT, "patches")).filter((name) => name.startsWith(SDK));
  const version = patches[0].split("+")[1];
  const run = (command, args) => execFileSync(command, args, { cwd: COPY, encoding: "utf8", timeout: 120_000 });
  const tarball = run("npm", ["pack", `${SDK}@${version}`, "--silent"]).trim();
  run("tar", ["xzf", tarball, "-C", join("node_modules", SDK), "--strip-components=1"]);
  for (const patch of patches.filter((name) => wanted.some((subject) => name.endsWith(`+${subject}.patch`))))
    run("patch", ["-p1", "--silent", "--input", join(ROOT, "patches", patch)]);
}

async function runAll(results) {
  for (const runner of Object.keys(START)) {
    for (const [name, wanted] of Object.entries(cases)) {
      if (!wanted.runners.includes(runner) || !isSelected(name)) continue;
      const service = await START[runner]();
      const outcome = await runCase({ name, runner, service, limitSeconds: LIMIT_SECONDS[runner], dies: wanted.dies, home: COPY });
      await service.stop();
      const wrong = judge(wanted, runner, outcome);
      results[`${name} ${runner}`] = { wrong, seconds: outcome.seconds };
      console.error(`${runner} ${name}: ${wrong ?? "exact"}`);
    }
  }
}

async function main(wanted) {
  makeCopy(wanted);
  const results = {};
  await runAll(results);
  const table = tableOf(cases, results);
  writeFileSync(join(HOME, `table-${wanted.join("-") || "unpatched"}.md`), `${table}\n`);
  console.log(table);
}

main(process.argv.slice(2));
