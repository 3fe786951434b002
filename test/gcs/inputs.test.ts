import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { backstory, filesBelow, sha256s } from "./run";
import { service } from "./service";

const gcs = service();
const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"];

let folder: string;
let expected: Record<string, string>;
const at = (...path: string[]) => join(folder, ...path);
const flags = (from: string, ending: string) => TABLES.map((table) => `--${table.replaceAll("_", "-")}=${from}/${table}${ending}`);

/** Puts all files of a folder into the bucket. */
async function upload(from: string) {
  for (const path of filesBelow(at(from))) await gcs.put(`gs://inputs/${relative(folder, path)}`, readFileSync(path));
}

async function generate(name: string, ...args: string[]) {
  expect((await backstory(["generate", `--output=${at(name)}`, "--rankings=2000", "--actions=200000", ...args])).stderr).toBe("");
}

async function build(output: string, ...args: string[]) {
  return backstory(["build", `--output=${at(output)}`, ...args]);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gcs-inputs-"));
  await gcs.createBucket("inputs");
  await generate("ndjson");
  await generate("parquet", "--format=parquet");
  await generate("csv", "--format=csv");
  expect((await build("expected", ...flags(at("ndjson"), ".ndjson"))).stderr).toBe("");
  expected = sha256s(at("expected"));
  expect(Object.keys(expected).length).toBeGreaterThan(5);
  for (const name of ["ndjson", "parquet", "csv"]) await upload(name);
  await packed();
  await hive();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The same, packed. */
async function packed() {
  for (const table of TABLES) {
    const text = readFileSync(at("ndjson", `${table}.ndjson`));
    await gcs.put(`gs://inputs/packed/${table}.ndjson.gz`, gzipSync(text));
    await gcs.put(`gs://inputs/packed/${table}.ndjson.zst`, zstdCompressSync(text));
    await gcs.put(`gs://inputs/array/${table}.json`, `[${text.toString().trimEnd().replaceAll("\n", ",")}]`);
  }
}

/** The impressions in folders of their days, which the rows lack. */
async function hive() {
  const byDay = Map.groupBy(readFileSync(at("ndjson/impressions.ndjson"), "utf8").trimEnd().split("\n"), (line) => JSON.parse(line).dt);
  for (const [dt, lines] of byDay) {
    const text = lines.map((line) => `${line.replace(`"dt":"${dt}",`, "")}\n`).join("");
    expect(text).not.toContain('"dt"');
    await gcs.put(`gs://inputs/hive/impressions/dt=${dt}/a.ndjson`, text);
    await gcs.put(`gs://inputs/hive/impressions/dt=${dt}/_SUCCESS`, "");
  }
  for (const table of TABLES.slice(1)) await gcs.put(`gs://inputs/hive/${table}/x/a.ndjson`, readFileSync(at("ndjson", `${table}.ndjson`)));
}

test.each<[string, string, string, ...string[]]>([
  ["NDJSON", "ndjson", ".ndjson"],
  ["NDJSON, two threads", "ndjson", ".ndjson", "--threads=2"],
  ["NDJSON, little memory", "ndjson", ".ndjson", "--threads=2", "--max-memory=650MB"],
  ["Parquet", "parquet", ".parquet"],
  ["Parquet, two threads", "parquet", ".parquet", "--threads=2"],
  ["CSV", "csv", ".csv"],
  ["JSON arrays", "array", ".json"],
  ["gzip", "packed", ".ndjson.gz"],
  ["zstd", "packed", ".ndjson.zst", "--threads=2"],
  ["folders of Hive", "hive", ""],
  ["globs", "ndjson", ".nd*"],
])("%s: the same files as from a disk", async (_, name, ending, ...args) => {
  const { code, stderr } = await build("out", ...flags(`gs://inputs/${name}`, ending), ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(sha256s(at("out"))).toEqual(expected);
});

test.each([
  ["ndjson", ".ndjson"],
  ["parquet", ".parquet"],
  ["csv", ".csv"],
])("plan: the same of %s as from a disk, and nothing is written", async (name, ending) => {
  const plan = async (from: string, output: string) => {
    const { code, stdout, stderr } = await backstory(["plan", ...flags(from, ending), `--output=${output}`, "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout).shape;
  };
  const names = await gcs.names("inputs");
  expect(await plan(`gs://inputs/${name}`, "gs://inputs/out-of-a-plan")).toEqual(await plan(at(name), at("out-of-a-plan")));
  expect(await gcs.names("inputs")).toEqual(names);
});

test("paths in a configuration file, which is in a bucket too", async () => {
  const lines = TABLES.map((table) => `${table}: gs://inputs/parquet/${table}.parquet`);
  await gcs.put("gs://inputs/config.yaml", `${lines.join("\n")}\nhistory_length: 1000\n`);
  expect(await build("out", "--config=gs://inputs/config.yaml", "--quiet")).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(sha256s(at("out"))).toEqual(expected);
});

test("a configuration file that is not there", async () => {
  const { code, stderr } = await build("out", "--config=gs://inputs/none.yaml");
  expect(stderr).toBe('backstory: cannot read "gs://inputs/none.yaml": there is no such object (404). Check the path.\n');
  expect(code).toBe(2);
});

test("rejects name the object and the line", async () => {
  const text = `${readFileSync(at("ndjson/clicks.ndjson"), "utf8")}broken\n`;
  await gcs.put("gs://inputs/clicks-broken.ndjson", text);
  const [impressions, , ...others] = flags("gs://inputs/ndjson", ".ndjson");
  const rejects = at("rejects.ndjson");
  const { code } = await build("out", impressions, "--clicks=gs://inputs/clicks-broken.ndjson", ...others, `--rejects=${rejects}`);
  expect(code).toBe(0);
  expect(JSON.parse(readFileSync(rejects, "utf8"))).toEqual({
    table: "clicks",
    file: "gs://inputs/clicks-broken.ndjson",
    position: text.split("\n").length - 1,
    reason: "not JSON",
  });
});

test.each(["ndjson", "parquet"])("an object replaced during the run fails it, and nothing is published: %s", async (format) => {
  const uri = `gs://inputs/changing/clicks.${format}`;
  const content = readFileSync(at(format, `clicks.${format}`));
  await gcs.put(uri, content);
  let reads = 0;
  gcs.proxy.fault = async ({ url }) => {
    // footers are read while the run is planned
    if (url.includes("changing") && url.includes("alt=media") && reads++ === (format === "parquet" ? 1 : 0)) await gcs.put(uri, content);
    return undefined;
  };
  const [impressions, , ...others] = flags(`gs://inputs/${format}`, `.${format}`);
  const { code, stderr } = await build("unmade", impressions, `--clicks=${uri}`, ...others, "--threads=2");
  expect(stderr).toMatch(`backstory: "${uri}" was replaced or removed while it was read: its generation`);
  expect(code).toBe(1);
  expect(existsSync(at("unmade"))).toBe(false);
});

test("a broken Parquet object is told as a broken file", async () => {
  await gcs.put("gs://inputs/broken.parquet", readFileSync(at("parquet/clicks.parquet")).subarray(0, 5000));
  const [impressions, , ...others] = flags("gs://inputs/parquet", ".parquet");
  const { code, stderr } = await build("out", impressions, "--clicks=gs://inputs/broken.parquet", ...others);
  expect(stderr).toContain('"gs://inputs/broken.parquet" is no Parquet file, or is cut');
  expect(code).toBe(3);
});

test("secrets of a key are not printed, not even by --debug", async () => {
  const key = at("key.json");
  const secrets = { client_id: "id", client_secret: "verysecret1", refresh_token: "verysecret2" };
  writeFileSync(key, JSON.stringify({ type: "authorized_user", ...secrets }));
  const env = { GOOGLE_APPLICATION_CREDENTIALS: key, STORAGE_EMULATOR_HOST: "", HTTPS_PROXY: "http://user:verysecret3@127.0.0.1:9" };
  const ended = await backstory(["build", `--output=${at("none")}`, ...flags("gs://inputs/ndjson", ".ndjson"), "--debug"], env);
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain("the connection to Cloud Storage failed");
  expect(ended.stdout + ended.stderr).not.toContain("verysecret");
});
