import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseFlags } from "../../pipeline/flags";
import { BuildOptions } from "../../pipeline/options";
import { VerifyOptions } from "../../verify/options";

const { airflows } = require("./install") as { airflows: { version: number; python: string }[] };
const CHECKS = join(__dirname, "checks.py");
/** Each `def test_...` of the checks, in their order: what is a test there is one here. */
const NAMES = [...readFileSync(CHECKS, "utf8").matchAll(/^ {4}def (test_\w+)/gm)].map(([, name]) => name);
const LIMIT_MS = 600_000;

/** Runs a program to its end, which comes at the latest with the limit. */
function toItsEnd(program: string, args: string[], env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    // a group of its own: what it has started ends with it
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part: string) => (text += part));
    const timer = setTimeout(() => process.kill(-child.pid!, "SIGKILL"), LIMIT_MS);
    child.once("error", reject).once("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

function environment(home: string): Record<string, string> {
  return {
    AIRFLOW_HOME: home,
    AIRFLOW__CORE__DAGS_FOLDER: join(home, "dags"),
    AIRFLOW__CORE__LOAD_EXAMPLES: "False",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: `sqlite:///${join(home, "airflow.db")}`,
    AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT: JSON.stringify({
      conn_type: "google_cloud_platform",
      extra: { is_anonymous: true, project: "test-project" },
    }),
    NO_PROXY: "127.0.0.1,localhost",
    PYTHONDONTWRITEBYTECODE: "1",
    RESULTS: join(home, "results.json"),
    NODE: process.execPath,
  };
}

describe.each(airflows)("Airflow $version", ({ python }) => {
  let home: string;
  let output: string;
  /** what each test said; "" where it passed */
  let results: Record<string, string> = {};

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "airflow-"));
    mkdirSync(join(home, "dags"));
    const env = environment(home);
    output = await toItsEnd(python, ["-m", "airflow", "db", "migrate"], env);
    output += await toItsEnd(python, [CHECKS], env);
    try {
      results = JSON.parse(readFileSync(env.RESULTS, "utf8"));
    } catch {} // each test tells the output instead
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  test.each(NAMES)("%s", (name) => {
    expect(results[name] ?? `it did not run:\n${output.slice(-4000)}`).toBe("");
  });

  test("the command takes all that the DAG tells it", () => {
    const told = JSON.parse(readFileSync(join(home, "arguments.json"), "utf8")) as string[][];
    expect(told.map(([command]) => command)).toEqual(["build", "verify", "build", "verify"]);
    for (const [command, ...args] of told) {
      if (command === "build") expect(parseFlags(BuildOptions, args, 0).options).toMatchObject({ runner: "dataflow", wait: false });
      else expect(parseFlags(VerifyOptions, args, 1).paths).toHaveLength(1);
    }
  });
});
