import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseFlags } from "../../pipeline/flags";
import { BuildOptions } from "../../pipeline/options";
import { VerifyOptions } from "../../verify/options";
import { blocksOf, runBlocks } from "../docs/commands";
import { airflowIn, toItsEnd } from "./airflow";
import { Cloud } from "./cloud";

const { airflows, shellcheck } = require("./install") as { airflows: { version: number; python: string }[]; shellcheck: string };
const PAGE = readFileSync(join(__dirname, "../../docs/deploy.md"), "utf8");
const CHECKS = join(__dirname, "checks.py");
const CHAIN = join(__dirname, "chain.py");
const PROGRAM = join(__dirname, "../../bin/backstory.js");
/** Each `def test_...` of the checks, in their order: what is a test there is one here. */
const NAMES = [...readFileSync(CHECKS, "utf8").matchAll(/^ {4}def (test_\w+)/gm)].map(([, name]) => name);

const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"];
const SIZE = ["--rankings=200", "--actions=20000", "--days=2", "--customers=300"];
const SHARDS = "--shards=2";
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const isPart = (name: string) => /part-[^/]*\.parquet$/.test(name);

let folder: string;
let cloud: Cloud;
/** what a run here publishes: SHA-256 by path */
let reference: Record<string, string>;
let days: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "composer-"));
  cloud = await Cloud.start(["inputs", "outputs", "temporary"]);
  const [data, output] = [join(folder, "data"), join(folder, "output")];
  const backstory = async (...args: string[]) => expect(await toItsEnd(process.execPath, [PROGRAM, ...args])).toMatchObject({ code: 0 });
  await backstory("generate", `--output=${data}`, ...SIZE);
  const inputs = TABLES.map((table) => `--${table.replaceAll("_", "-")}=${join(data, `${table}.ndjson`)}`);
  await backstory("build", ...inputs, `--output=${output}`, SHARDS);
  for (const table of TABLES) await cloud.put("inputs", `${table}.ndjson`, readFileSync(join(data, `${table}.ndjson`)));
  await cloud.put("inputs", "bad.ndjson", Buffer.from('{"customer_id":"x"}\n'.repeat(100)));
  const parts = (readdirSync(output, { recursive: true }) as string[]).filter(isPart).sort();
  reference = Object.fromEntries(parts.map((name) => [name, sha256(readFileSync(join(output, name)))]));
  days = [...new Set(parts.map((name) => name.slice("dt=".length, "dt=YYYY-MM-DD".length)))];
  expect(days).toHaveLength(2);
});
afterAll(async () => {
  await cloud?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("shellcheck has nothing to say of docs/deploy.md", async () => {
  const script = join(folder, "deploy.sh");
  writeFileSync(script, `#!/bin/bash\nset -euo pipefail\n${blocksOf(PAGE).join("\n")}`);
  expect(await toItsEnd(shellcheck, [script])).toEqual({ code: 0, text: "" });
});

describe.each(airflows)("Airflow $version", ({ version, python }) => {
  let home: string;

  beforeAll(async () => {
    home = join(folder, `airflow${version}`);
    mkdirSync(join(home, "dags"), { recursive: true });
    expect(await toItsEnd(python, ["-m", "airflow", "db", "migrate"], airflowIn(home))).toMatchObject({ code: 0 });
  });

  let running: Promise<Record<string, string>> | undefined;
  /** What each of the checks said, which are run once: "" where it passed. */
  const checks = () =>
    (running ??= (async () => {
      const results = join(home, "checks.json");
      const { text } = await toItsEnd(python, [CHECKS], { ...airflowIn(home), RESULTS: results });
      if (!existsSync(results)) throw new Error(`the checks did not come to their end:\n${text.slice(-8000)}`);
      return JSON.parse(readFileSync(results, "utf8"));
    })());

  test.each(NAMES)("%s", async (name) => {
    expect((await checks())[name] ?? "it did not run").toBe("");
  });

  test("the command takes all that the DAG tells it", async () => {
    await checks();
    const told = JSON.parse(readFileSync(join(home, "arguments.json"), "utf8")) as string[][];
    expect(told.map(([command]) => command)).toEqual(["build", "verify", "build", "verify"]);
    for (const [command, ...args] of told) {
      if (command === "build") expect(parseFlags(BuildOptions, args, 0).options).toMatchObject({ runner: "dataflow", wait: false });
      else expect(parseFlags(VerifyOptions, args, 1).paths).toHaveLength(1);
    }
  });

  test("Airflow has the commands of docs/deploy.md", async () => {
    const { commands } = runBlocks(blocksOf(PAGE), ["deploy/terraform", "deploy/composer"]);
    const wanted = commands
      .map((words) => words.join("\0").match(/^gcloud\0composer\0environments\0run\0backstory\0--location=[^\0]+\0(.*)$/s)?.[1])
      .filter((rest) => rest !== undefined)
      .map((rest) => rest.split("\0").filter((word) => word !== "--"));
    expect(wanted.length).toBeGreaterThan(2);
    const parse =
      "import json, sys; from airflow.cli.cli_parser import get_parser\nfor each in json.loads(sys.argv[1]): get_parser().parse_args(each)";
    expect(await toItsEnd(python, ["-W", "ignore", "-c", parse, JSON.stringify(wanted)], airflowIn(home))).toMatchObject({ code: 0 });
  });

  interface Told {
    days: { day: string; states: Record<string, string>; failures: Record<string, string> }[];
    ran: { task: string }[];
  }

  /** Runs of the DAG with the real command, one after another. */
  async function chain(name: string, runs: string[], more: object = {}): Promise<Told> {
    const results = join(home, `${name}.json`);
    const inputs = Object.fromEntries(TABLES.map((table) => [table, `gs://inputs/${table}.ndjson`]));
    const places = { output: `gs://outputs/${name}${version}`, temp_location: "gs://temporary/dataflow" };
    const ended = await toItsEnd(python, [CHAIN], {
      ...airflowIn(home),
      RESULTS: results,
      NODE: process.execPath,
      PROGRAM,
      DATAFLOW: cloud.endpoint,
      STORAGE_EMULATOR_HOST: cloud.storageHost,
      PARAMS: JSON.stringify({ ...inputs, ...places, verify_sample: "all", ...more }),
      BUILD_OPTIONS: JSON.stringify([SHARDS]),
      DAYS: JSON.stringify(runs),
    });
    if (ended.code !== 0) throw new Error(ended.text.slice(-8000));
    return JSON.parse(readFileSync(results, "utf8"));
  }

  test("two days, one of them again: the bytes of a run here, verified, and nothing that was staged is left", async () => {
    const { days: told } = await chain("days", [days[0], days[1], days[0]]);
    const done = { submit: "success", wait: "success", verify: "success", load: "skipped", clean: "success" };
    expect(told).toEqual([days[0], days[1], days[0]].map((day) => ({ day, states: done, failures: {} })));
    const prefix = `days${version}/`;
    const names = (await cloud.names("outputs", prefix)).filter(isPart);
    const sums = await Promise.all(names.map(async (name) => [name.slice(prefix.length), sha256(await cloud.get("outputs", name))]));
    expect(Object.fromEntries(sums)).toEqual(reference);
    expect(await cloud.names("temporary")).toEqual([]);
  });

  test("a job that fails, fails the task with the sentence that the command itself would have told", async () => {
    const { days: told } = await chain("bad", [days[0]], { clicks: "gs://inputs/bad.ndjson" });
    expect(told[0].states).toEqual({
      submit: "success",
      wait: "failed",
      verify: "upstream_failed",
      load: "upstream_failed",
      clean: "success",
    });
    const reason = told[0].failures.wait;
    expect(reason).toMatch(/^Dataflow job \S+ ended as JOB_STATE_FAILED: /);
    expect(reason).toContain('clicks has no column "click_time"; found: customer_id.');
    expect(reason).toContain("https://console.cloud.google.com/dataflow/jobs/europe-west1/");
    expect(reason).not.toMatch(/\n\s+at /);
    expect((await cloud.names("outputs", `bad${version}/`)).filter(isPart)).toEqual([]);
    expect(await cloud.names("temporary")).toEqual([]);
  });
});
