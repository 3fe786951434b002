import { createHash } from "node:crypto";
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

describe("another layout in a bucket", () => {
  const there = "gs://data/histories";
  const sha256s = async (output: string) => {
    const [, bucket, prefix] = /^gs:\/\/([^/]+)\/(.+)$/.exec(`${output}/`)!;
    const names = (await gcs.names(bucket, prefix)).filter((name) => !/\/_(attempts|manifests)\//.test(name));
    const hash = async (name: string) =>
      createHash("sha256")
        .update(await gcs.get(`gs://${bucket}/${name}`))
        .digest("hex");
    return Object.fromEntries(await Promise.all(names.map(async (name) => [name.slice(prefix.length), await hash(name)] as const)));
  };
  const convert = (from: string, to: string, ...more: string[]) =>
    backstory(["convert", from, `--to=${to}`, `--temp-dir=${at("copies")}`, "--quiet", ...more]);

  test("built there, converted there, and converted back: the same bytes; whatever reads it says the same", async () => {
    const layout = ["--layout=histories", "--padding=none"];
    expect(await backstory(["build", `--output=${there}`, ...FLAGS, ...layout, "--quiet"])).toMatchObject({ code: 0, stderr: "" });
    expect(await convert(OUT, "gs://data/converted", ...layout)).toEqual({ code: 0, stdout: "", stderr: "" });
    const built = await sha256s(there);
    expect(Object.keys(built)).toContain("_layout.json");
    const { _SUCCESS: _, ...files } = Object.fromEntries(Object.entries(built).filter(([name]) => !name.endsWith("/_SUCCESS")));
    expect(await sha256s("gs://data/converted")).toMatchObject(files);
    expect(await convert("gs://data/converted", "gs://data/back", "--layout=rows")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await sha256s("gs://data/back")).toEqual(await sha256s(OUT));
    for (const args of [["inspect"], ["analyse"]]) expect(await backstory([...args, there])).toEqual(await backstory([...args, OUT]));
    expect((await verify(there, "--sample=all")).stdout).toMatch(new RegExp(`^${there}: no difference$`, "m"));
  });

  test("what is there stays: a folder with objects, one within the output, a build of another layout", async () => {
    const before = await gcs.names("data");
    for (const [from, to, told] of [
      [OUT, there, "must be a new or an empty folder"],
      [OUT, `${OUT}/x`, "is within the output"],
      ["gs://data/none", "gs://data/new", 'there is no output at "gs://data/none"'],
    ]) {
      const { code, stderr } = await convert(from, to, "--layout=rankings");
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(told) });
    }
    const { code, stderr } = await backstory(["build", `--output=${there}`, ...FLAGS, "--quiet"]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("and an output has one") });
    expect(await gcs.names("data")).toEqual(before);
  });
});
