import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Seen } from "./proxy";
import { backstory, sha256s } from "./run";
import { service } from "./service";

const gcs = service();
const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"];
const OUT = "gs://outputs/training";

let folder: string;
let tmp: string;
let expected: Record<string, string>;
const at = (...path: string[]) => join(folder, ...path);
const inputs = () => TABLES.map((table) => `--${table.replaceAll("_", "-")}=${at("in", `${table}.ndjson`)}`);
const build = (output: string, ...args: string[]) => backstory(["build", `--output=${output}`, ...inputs(), ...args], { TMPDIR: tmp });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gcs-outputs-"));
  tmp = mkdtempSync(at("tmp-"));
  await gcs.createBucket("outputs");
  expect((await backstory(["generate", `--output=${at("in")}`, "--rankings=1000", "--actions=50000"])).stderr).toBe("");
  expect((await build(at("expected"), "--shards=2", "--train-days=3")).stderr).toBe("");
  expected = sha256s(at("expected"));
  expect(Object.keys(expected)).toHaveLength(6);
});
beforeEach(async () => {
  for (const name of await gcs.names("outputs")) await gcs.remove(`gs://outputs/${name}`);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function remoteSha256s(): Promise<Record<string, string>> {
  const names = (await gcs.names("outputs")).filter((name) => name.startsWith("training/") && name.endsWith(".parquet"));
  const pairs = names.map(async (name) => [
    name.slice("training/".length),
    createHash("sha256")
      .update(await gcs.get(`gs://outputs/${name}`))
      .digest("hex"),
  ]);
  return Object.fromEntries(await Promise.all(pairs));
}
const others = async () => (await gcs.names("outputs")).filter((name) => !name.endsWith(".parquet"));
const days = () => [...new Set(Object.keys(expected).map((path) => path.split("/")[0]))];

/** What a published output has besides its rows: nothing of attempts and turns is left, neither there nor on this machine. */
async function expectWhole() {
  expect(await remoteSha256s()).toEqual(expected);
  const left = await others();
  const manifest = left.filter((name) => name.startsWith("training/_manifests/"));
  expect(manifest.length).toBeGreaterThan(0);
  expect(left).toEqual([...manifest, "training/_SUCCESS", ...days().map((day) => `training/${day}/_SUCCESS`)].sort());
  expect(readdirSync(tmp).filter((name) => name.startsWith("backstory-"))).toEqual([]);
}

const LIKE = ["--shards=2", "--train-days=3"];

test.each([[[]], [["--threads=2"]], [["--threads=2", "--max-memory=650MB"]]])(
  "an output in a bucket is the one on a disk: %j",
  async (args) => {
    expect(await build(OUT, ...LIKE, "--quiet", ...args)).toEqual({ code: 0, stdout: "", stderr: "" });
    await expectWhole();
  },
);

test("another run takes the place of one before, and its other files", async () => {
  expect((await build(OUT, "--shards=4", "--train-days=3")).code).toBe(0);
  expect((await build(OUT, ...LIKE)).code).toBe(0);
  await expectWhole();
});

test("two runs at once: one publishes after the other, and nothing is lost", async () => {
  const runs = await Promise.all([build(OUT, ...LIKE, "--write-mode=append"), build(OUT, ...LIKE, "--write-mode=append")]);
  expect(runs.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
    { code: 0, stderr: "" },
    { code: 0, stderr: "" },
  ]);
  const found = Object.values(await remoteSha256s()).sort();
  expect(found).toEqual(
    Object.values(expected)
      .flatMap((sum) => [sum, sum])
      .sort(),
  );
});

test("rejects and figures go to a bucket", async () => {
  const args = ["--rejects=gs://outputs/told/rejects.ndjson", "--metrics-json=gs://outputs/told/metrics.json"];
  for (let run = 0; run < 2; run++) expect((await build(at("local"), ...LIKE, ...args)).code).toBe(0);
  expect((await gcs.get("gs://outputs/told/rejects.ndjson")).toString()).toBe("");
  expect(JSON.parse((await gcs.get("gs://outputs/told/metrics.json")).toString()).rows).toBeGreaterThan(0);
});

test("inspect and analyse read a bucket as they read a disk", async () => {
  expect((await build(OUT, ...LIKE)).code).toBe(0);
  for (const command of ["inspect", "analyse"]) {
    const local = await backstory([command, at("expected")]);
    expect(local.stdout.length).toBeGreaterThan(100);
    expect(await backstory([command, OUT])).toEqual(local);
    const [day] = days();
    expect(await backstory([command, `${OUT}/${day}`])).toEqual(await backstory([command, at("expected", day)]));
  }
  expect((await backstory(["inspect", "gs://outputs/none"])).code).toBe(2);
});

describe("faults", () => {
  const busy = { status: 503, body: { error: { code: 503, message: "try again" } } };
  const isUpload = ({ method, url }: Seen) => method === "POST" && url.startsWith("/upload/");

  test("each kind of request fails once, and is made again", async () => {
    const failed = new Set<string>();
    gcs.proxy.fault = ({ method, url }) => {
      const kind = `${method} ${url.replace(/\?.*/, "").replace(/\/o\/[^/]+/g, "/o/NAME")} ${/uploadType=\w+/.exec(url)?.[0]}`;
      if (failed.has(kind)) return undefined;
      failed.add(kind);
      return busy;
    };
    expect(await build(OUT, ...LIKE, "--quiet")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(failed.size).toBeGreaterThan(4);
    await expectWhole();
  });

  test("the answers to uploads are lost: each object is there once, and it is ours", async () => {
    const lost = new Set<string>();
    gcs.proxy.fault = (seen) => {
      // days, runs and random parts aside: the library waits a second and more before it tries again
      const kind = seen.url.replace(/.*name=([^&]*).*/, "$1").replace(/\d{4}[\w~-]*/g, "");
      if (!isUpload(seen) || lost.has(kind)) return undefined;
      lost.add(kind);
      return "lost answer";
    };
    expect(await build(OUT, ...LIKE, "--quiet")).toEqual({ code: 0, stdout: "", stderr: "" });
    await expectWhole();
  });

  test("no permission to write", async () => {
    const message = "me@x.iam does not have storage.objects.create access to the Google Cloud Storage object.";
    gcs.proxy.fault = (seen) => (isUpload(seen) ? { status: 403, body: { error: { code: 403, message } } } : undefined);
    const { code, stderr } = await build(OUT, ...LIKE);
    expect(stderr).toContain(
      "the account lacks the permission storage.objects.create (403). Grant it roles/storage.objectUser on the bucket",
    );
    expect(code).toBe(2);
    expect(await gcs.names("outputs")).toEqual([]);
  });

  test("no such bucket", async () => {
    const { code, stderr } = await build("gs://no-such-bucket/out");
    expect(stderr).toMatch(/^backstory: cannot .* "gs:\/\/no-such-bucket/);
    expect(code).toBe(2);
  });
});

test.each([
  ["--output", "s3://bucket/a"],
  ["--output", "gs://B/a"],
  ["--metrics-json", "gs://outputs/a/"],
  ["--rejects", "s3://outputs/a"],
  ["--temp-dir", "gs://outputs/a"],
])("%s=%s is refused", async (flag, path) => {
  const args = flag === "--output" ? [] : [`${flag}=${path}`];
  const { code, stderr } = await build(flag === "--output" ? path : at("refused"), ...args);
  expect(stderr).toContain(flag);
  expect(code).toBe(2);
  expect(existsSync(at("refused"))).toBe(false);
});

test("what is written is what is read again", async () => {
  const { code, stderr } = await build("gs://outputs/in", ...LIKE);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const within = await backstory([
    "build",
    "--output=gs://outputs/in/x",
    "--impressions=gs://outputs/in",
    "--clicks=none",
    "--add-to-carts=none",
    "--previous-orders=none",
  ]);
  expect(within.stderr).toContain("--output is among the files of impressions");
  expect(readFileSync(at("in/impressions.ndjson")).length).toBeGreaterThan(0);
});
