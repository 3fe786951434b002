import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { backstory } from "./run";
import { service } from "./service";

const gcs = service();
const IN = "gs://data/in";
const OUT = "gs://data/training";
const FLAGS = [
  `--impressions=${IN}/impressions`,
  `--clicks=${IN}/clicks.ndjson`,
  `--add-to-carts=${IN}/add_to_carts.ndjson`,
  `--previous-orders=${IN}/x/previous_orders`,
];

let folder: string;
const at = (...path: string[]) => join(folder, ...path);
const verify = (output: string, ...args: string[]) => backstory(["verify", output, `--temp-dir=${at("copies")}`, ...args]);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gcs-verify-"));
  mkdirSync(at("copies"));
  await gcs.createBucket("data");
  expect((await backstory(["generate", `--output=${at("in")}`, "--rankings=500", "--actions=20000"])).stderr).toBe("");
  const text = (table: string) => readFileSync(at("in", `${table}.ndjson`), "utf8");
  const byDay = Map.groupBy(text("impressions").trimEnd().split("\n"), (line) => JSON.parse(line).dt);
  for (const [dt, lines] of byDay)
    await gcs.put(`${IN}/impressions/dt=${dt}/a.ndjson`, lines.map((line) => `${line.replace(`"dt":"${dt}",`, "")}\n`).join(""));
  await gcs.put(`${IN}/clicks.ndjson`, gzipSync(text("clicks")), { contentEncoding: "gzip" });
  await gcs.put(`${IN}/add_to_carts.ndjson`, text("add_to_carts"));
  await gcs.put(`${IN}/x/previous_orders/a`, text("previous_orders"));
  expect((await backstory(["build", `--output=${OUT}`, ...FLAGS, "--quiet"])).stderr).toBe("");
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => expect(readdirSync(at("copies"))).toEqual([]));

test("an output and inputs in a bucket: no difference, and no copy stays", async () => {
  const { code, stdout, stderr } = await verify(OUT, "--sample=all");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("all ");
  expect(stdout).toMatch(new RegExp(`^${OUT}: no difference$`, "m"));
  expect(stdout).not.toContain("warning");
});

test("some days only: the others are not copied", async () => {
  const dt = /dt=([\d-]+)/.exec((await gcs.names("data")).find((name) => name.startsWith("training/dt="))!)![1];
  gcs.proxy.seen = [];
  const { code, stdout } = await verify(OUT, `--dates=${dt}`, "--sample=0");
  expect(code).toBe(0);
  expect(stdout).toContain("checked: 1 partition");
  const read = gcs.proxy.seen.map(({ url }) => decodeURIComponent(url)).filter((url) => url.includes("alt=media") && url.includes("dt="));
  expect(read.length).toBeGreaterThan(0);
  expect(read.every((url) => url.includes(`dt=${dt}/`))).toBe(true);
});

test("a flipped bit in an object, and an input that was replaced, are told", async () => {
  const name = (await gcs.names("data")).find((each) => each.endsWith(".parquet"))!;
  const [uri, clicks] = [`gs://data/${name}`, `${IN}/add_to_carts.ndjson`];
  const [before, input] = [await gcs.get(uri), await gcs.get(clicks)];
  const flipped = Buffer.from(before);
  flipped[flipped.length >> 1] ^= 1;
  await gcs.put(uri, flipped);
  await gcs.put(clicks, input);
  try {
    const { code, stdout, stderr } = await verify(OUT, "--sample=10");
    expect(stdout).toContain(`wrong hash: 1\n  ${name.replace("training/", "")}`);
    expect(stdout).toContain(`warning: the input ${clicks} has changed since run`);
    expect(stderr).toContain(OUT);
    expect(code).toBe(4);
  } finally {
    await gcs.put(uri, before);
  }
});

test("no output there", async () => {
  const { code, stderr } = await verify("gs://data/none");
  expect(stderr).toBe('backstory: there is no output at "gs://data/none". Give the --output of a build.\n');
  expect(code).toBe(2);
});
