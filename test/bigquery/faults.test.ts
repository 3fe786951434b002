import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Exports } from "../../pipeline/bigquery/exports";
import { BuildOptions } from "../../pipeline/options";
import { build } from "../../pipeline/run";
import { backstory, type Ended, sha256s } from "../gcs/run";
import { type Job, Refused, type Seen } from "./server";
import { services } from "./service";
import { type Change, FIELDS, fill, inputs, PROJECT } from "./tables";

const cloud = services({ idleTimeout: 20, totalTimeout: 60 });
const TEMP = "gs://temporary/exports";

let folder: string;
let expected: Record<string, string>;
const at = (...path: string[]) => join(folder, ...path);
const bq = (table: string, dataset = "shop") => `bq://${PROJECT}.${dataset}.${table}`;

const options = (more: object = {}, dataset = "shop") =>
  BuildOptions.parse({
    impressions: bq("impressions", dataset),
    clicks: bq("clicks", dataset),
    addToCarts: bq("add_to_carts", dataset),
    previousOrders: bq("previous_orders", dataset),
    output: at("out"),
    tempLocation: TEMP,
    dates: "2025-08-05..2025-08-06",
    threads: 1,
    ...more,
  });

/** What is told, besides what comes of it. */
async function run(more: object = {}, dataset = "shop", signal?: AbortSignal) {
  const told: string[] = [];
  const outcome = await build(options(more, dataset), {
    tell: (importance, text) => void told.push(`${importance}: ${text}`),
    signal,
  }).then(
    () => ({ message: "no error", exitCode: 0 }),
    ({ message, exitCode }) => ({ message, exitCode }),
  );
  return { ...outcome, told };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "bigquery-faults-"));
  await cloud.gcs.createBucket("temporary");
  expect((await backstory(["generate", `--output=${at("in")}`, "--rankings=200", "--actions=5000", "--format=parquet"])).stderr).toBe("");
  await fill(cloud, "shop", at("in"));
  expect(await run()).toMatchObject({ exitCode: 0 });
  expected = sha256s(at("out"));
});
afterEach(async () => {
  rmSync(at("out"), { recursive: true, force: true });
  expect(await cloud.gcs.names("temporary")).toEqual([]);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The fault befalls the first so many requests of a kind. */
function first(count: number, id: string, fault: Error | "lose", which: (seen: Seen) => boolean = () => true) {
  cloud.bigQuery.fault = (seen) => (seen.id === id && which(seen) && count-- > 0 ? fault : undefined);
}
const isOf = (what: string) => (seen: Seen) => seen.body?.jobReference?.jobId?.includes(what) ?? false;
const jobOf = (what: string) => (job: Job) => new RegExp(`${what}(-\\d)?$`).test(job.jobReference.jobId);
const triesOf = (what: string) => [...cloud.bigQuery.jobs.values()].filter(jobOf(what)).length;

const INSERT = "bigquery.jobs.insert";

describe("what passes", () => {
  test.each<[string, string, Error | "lose"]>([
    ["503 to the insertion of a job", INSERT, new Refused(503, "backendError", "try again")],
    ["429 to the insertion of a job", INSERT, new Refused(429, "rateLimitExceeded", "slow down")],
    ["403 with a rate limit", INSERT, new Refused(403, "rateLimitExceeded", "Exceeded rate limits")],
    ["500 to a look at a job", "bigquery.jobs.get", new Refused(500, "internalError", "oops")],
    ["502 to a look at a table", "bigquery.tables.get", new Refused(502, "backendError", "oops")],
    ["a look at a job whose answer is lost", "bigquery.jobs.get", "lose"],
  ])("%s", async (_, id, fault) => {
    first(2, id, fault);
    expect(await run()).toMatchObject({ exitCode: 0 });
    expect(sha256s(at("out"))).toEqual(expected);
  });

  test("a job whose insertion was done though its answer was lost is one job", async () => {
    first(2, INSERT, "lose", isOf("clicks"));
    expect(await run()).toMatchObject({ exitCode: 0 });
    expect(triesOf("clicks")).toBe(1);
    expect(cloud.bigQuery.seen.filter((seen) => seen.id === INSERT && isOf("clicks")(seen)).map(({ code }) => code)).toEqual(
      [200, 409, 409].slice(0, 3),
    );
    expect(sha256s(at("out"))).toEqual(expected);
  });

  test.each(["backendError", "rateLimitExceeded", "jobInternalError"])(
    "a job that fails in the middle by %s: what it left is not read",
    async (reason) => {
      let faults = 2;
      cloud.bigQuery.jobFault = (job) =>
        jobOf("clicks")(job) && job.looks === 0 && job.status.errorResult === undefined && faults-- > 0
          ? { reason, message: "An error" }
          : undefined;
      expect(await run()).toMatchObject({ exitCode: 0 });
      expect(triesOf("clicks")).toBe(3);
      expect(sha256s(at("out"))).toEqual(expected);
    },
  );
});

describe("what does not pass", () => {
  const denied = (what: string) => new Refused(403, "accessDenied", `Access Denied: ${what}: User does not have permission`);
  test.each<[string, string, Error, number, string]>([
    [
      "no permission to see a table",
      "bigquery.tables.get",
      denied("Table"),
      2,
      `cannot read ${bq("impressions")}: Access Denied: Table: User does not have permission (403 accessDenied). Grant the account roles/bigquery.dataViewer on the table or its dataset, or use another account.`,
    ],
    ["no permission to run jobs", INSERT, denied("Project billing-project"), 2, "roles/bigquery.jobUser on the project"],
    ["credentials that have expired", INSERT, new Refused(401, "authError", "Invalid Credentials"), 2, "Renew the credentials"],
    [
      "a quota that is used up",
      INSERT,
      new Refused(403, "quotaExceeded", "Quota exceeded: Your project exceeded quota"),
      1,
      "(403 quotaExceeded). Wait until the quota is there again",
    ],
    ["no billing", INSERT, new Refused(403, "billingNotEnabled", "Billing has not been enabled"), 2, "Enable billing in the project"],
    [
      "503 for ever",
      INSERT,
      new Refused(503, "backendError", "try again"),
      1,
      "try again (503 backendError), again and again. Run it again later.",
    ],
    [
      "an unknown project",
      INSERT,
      new Refused(400, "invalid", "The project x has not enabled BigQuery."),
      2,
      "has not enabled BigQuery (400 invalid)",
    ],
  ])("%s", async (_, id, fault, exitCode, message) => {
    first(Number.POSITIVE_INFINITY, id, fault);
    const failed = await run();
    expect(failed).toEqual({ exitCode, message: expect.stringContaining(message), told: expect.anything() });
    expect(cloud.bigQuery.jobIds()).toEqual([]);
  });

  test.each<[string, string, number, number, string]>([
    [
      "quotaExceeded",
      "Quota exceeded: Your project exceeded quota for ExtractBytesPerDay",
      1,
      1,
      "ExtractBytesPerDay (quotaExceeded). Wait until the quota is there again",
    ],
    ["backendError", "An internal error", 4, 1, "An internal error (backendError), again and again. Run it again later."],
    [
      "accessDenied",
      "Access Denied: BigQuery: Permission denied while writing",
      1,
      2,
      "Permission denied while writing (accessDenied). Grant the account",
    ],
    [
      "invalidQuery",
      "No matching signature for value: SECRET",
      1,
      2,
      "No matching signature for value (invalidQuery). Check the table and its columns.",
    ],
    ["invalid", "Bad value 'SECRET' and \"SECRET\" in row", 1, 2, "Bad value"],
    ["stopped", "Job execution was cancelled", 1, 1, "Job execution was cancelled (stopped). Run it again."],
  ])("a job that ends with %s", async (reason, message, tries, exitCode, said) => {
    cloud.bigQuery.jobFault = (job) => (jobOf("clicks")(job) && job.looks === 0 ? { reason, message } : undefined);
    const failed = await run();
    expect(failed).toEqual({ exitCode, message: expect.stringContaining(said), told: expect.anything() });
    expect(JSON.stringify(failed)).not.toContain("SECRET");
    expect(triesOf("clicks")).toBe(tries);
  });

  test("where one export fails, the others are cancelled", async () => {
    cloud.bigQuery.jobFault = (job) =>
      jobOf("clicks")(job) ? { reason: "invalid", message: "no" } : jobOf("add_to_carts")(job) ? "hang" : undefined;
    expect(await run()).toMatchObject({ exitCode: 2, message: expect.stringContaining(`cannot read ${bq("clicks")}: no (invalid)`) });
    expect([...cloud.bigQuery.jobs.values()].find(jobOf("add_to_carts"))!.status.errorResult!.reason).toBe("stopped");
  });
});

describe("bad input", () => {
  const impressions = (fields: Change["fields"], rows?: Change["rows"]): Record<string, Change> => ({ impressions: { fields, rows } });
  const without = (table: string, name: string) => FIELDS[table].filter((field) => field.name !== name);
  const typed = (table: string, name: string, type: string) => FIELDS[table].map((field) => (field.name === name ? { name, type } : field));

  test.each<[string, Record<string, Change>, string]>([
    [
      "a column that is missing",
      {
        clicks: {
          fields: [...without("clicks", "item_id"), { name: "item", type: "INTEGER" }],
          rows: (all) => `SELECT *, 1 AS item FROM (${all})`,
        },
      },
      `bq://${PROJECT}.bad.clicks has no column "item_id"; found: dt, customer_id, click_time, item. The nearest is "item". Check that this is clicks, or rename columns in a --config file or in a view.`,
    ],
    [
      "a number that is none",
      { clicks: { fields: typed("clicks", "item_id", "FLOAT") } },
      `bq://${PROJECT}.bad.clicks: item_id of clicks is FLOAT64; it must be INT64, or STRING with digits. Cast it in a view, and name that.`,
    ],
    [
      "a day with a time",
      { previous_orders: { fields: typed("previous_orders", "order_date", "TIMESTAMP") } },
      "order_date of previous_orders is TIMESTAMP; it must be DATE, or STRING with YYYY-MM-DD",
    ],
    [
      "a time as a number",
      { clicks: { fields: typed("clicks", "click_time", "INTEGER"), rows: (all) => `SELECT * REPLACE (1 AS click_time) FROM (${all})` } },
      "click_time of clicks is INT64; it must be TIMESTAMP, DATETIME or STRING (INT64 with --time-unit)",
    ],
    [
      "a ranking_id that is a number",
      impressions(typed("impressions", "ranking_id", "INTEGER"), (all) => `SELECT * REPLACE (1 AS ranking_id) FROM (${all})`),
      "ranking_id of impressions is INT64; it must be STRING",
    ],
    [
      "impressions that are no list",
      impressions(typed("impressions", "impressions", "INTEGER"), (all) => `SELECT * REPLACE (1 AS impressions) FROM (${all})`),
      "impressions of impressions is INT64; it must be ARRAY<STRUCT<item_id INT64, is_order BOOL>>, or STRING with the list as JSON",
    ],
    [
      "impressions without is_order",
      impressions(
        [
          ...without("impressions", "impressions"),
          { name: "impressions", type: "RECORD", mode: "REPEATED", fields: [{ name: "item_id", type: "INTEGER" }] },
        ],
        (all) => `SELECT * REPLACE ([{'item_id': 1}] AS impressions) FROM (${all})`,
      ),
      'has no column "impressions.is_order"; found: item_id.',
    ],
    [
      "a table without rows",
      { impressions: { rows: (all) => `SELECT * FROM (${all}) WHERE false` } },
      `bq://${PROJECT}.bad.impressions of impressions has no rows. Check the table.`,
    ],
    [
      "a view without rows",
      { impressions: { rows: (all) => `SELECT * FROM (${all}) WHERE false`, resource: { type: "VIEW" } } },
      `there are no impressions in --dates=2025-08-05..2025-08-06: bq://${PROJECT}.bad.impressions has no row of these days. Check --impressions and --dates.`,
    ],
  ])("%s", async (_, changes, message) => {
    await fill(cloud, "bad", at("in"), changes);
    const failed = await run({}, "bad");
    expect(failed).toEqual({ exitCode: 2, message: expect.stringContaining(message), told: expect.anything() });
  });

  test("no impressions in the dates, which is known before anything is exported but by --train-days", async () => {
    expect(await run({ dates: "2020-01-01", trainDays: 2 })).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining("there are no impressions in --dates=2020-01-01"),
    });
    expect(cloud.bigQuery.jobIds()).toHaveLength(1);
  });

  test("newest days without a valid ranking", async () => {
    const invalid = (all: string) =>
      `SELECT * REPLACE (CASE WHEN dt = '2025-08-16' THEN NULL ELSE ranking_id END AS ranking_id) FROM (${all})`;
    await fill(cloud, "invalid", at("in"), { impressions: { rows: invalid } });
    const failed = await run({ dates: undefined, trainDays: 2 }, "invalid");
    expect(failed).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining("of the 2 newest days of the impressions only 1 have a valid ranking."),
    });
  });

  test.each<[string, object, string]>([
    [
      "no table",
      { clicks: bq("none") },
      `cannot read ${bq("none")}: Not found: Table ${PROJECT}:shop.none (404 notFound). Check the name.`,
    ],
    ["no bucket", { tempLocation: "gs://no-such-bucket/x" }, "there is no such bucket (404)"],
    ["a bucket that is none", { tempLocation: "gs://UPPER/x" }, '"UPPER" is no name of a bucket'],
    ["a temporary place that would end a text in SQL", { tempLocation: "gs://temporary/x'y" }, "--temp-location must be a plain path"],
    [
      "no temporary place",
      { tempLocation: undefined },
      `${bq("impressions")} is exported before it is read, which wants a place. Add --temp-location=gs://BUCKET/PATH.`,
    ],
    ["just what may be billed, for the days and all exports", { maxBytesBilled: "50MiB", trainDays: 1 }, "no error"],
    [
      "more than may be billed, by all exports",
      { maxBytesBilled: "39MiB" },
      "--max-bytes-billed is 40894464 bytes, but BigQuery would bill 41943040 for the exports (impressions 0.0 MB, ",
    ],
    [
      "more than may be billed, by the days",
      { maxBytesBilled: "9MiB", trainDays: 1 },
      "but BigQuery would bill 10485760 for the days of the impressions. Raise it, or read fewer days",
    ],
    ["another file that is missing", { clicks: "/nowhere/none.ndjson" }, "No such file, folder or glob for clicks"],
  ])("%s", async (_, more, message) => {
    const failed = await run(more);
    expect(failed.message).toContain(message);
    expect(failed.exitCode).toBe(message === "no error" ? 0 : 2);
    if (failed.exitCode !== 0) expect(cloud.bigQuery.jobIds()).toEqual([]);
  });

  test("a table that grows between the estimate and the export is billed for no more than is allowed", async () => {
    cloud.bigQuery.fault = (seen) => {
      const query = seen.body?.configuration?.query;
      if (query?.maximumBytesBilled !== undefined) query.maximumBytesBilled = "1000";
      return undefined;
    };
    const failed = await run({ maxBytesBilled: "1GB" });
    expect(failed).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(
        "Query exceeded limit for bytes billed: 1000. 10485760 or higher required (bytesBilledLimitExceeded). Raise --max-bytes-billed",
      ),
    });
  });

  test("a bucket in another location than the dataset", async () => {
    cloud.bigQuery.buckets.set("temporary", "EU");
    const failed = await run();
    cloud.bigQuery.buckets.clear();
    expect(failed).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining("source: US, destination: EU (invalid). Dataset and bucket must be in one location"),
    });
  });

  test("a folder for exports that is not empty", async () => {
    const uri = `${TEMP}/backstory-taken/x`;
    await cloud.gcs.put(uri, "somebody else's");
    const exports = new Exports(options(), "taken", { tell: () => {} });
    await expect(exports.run([], {} as never)).rejects.toThrow(`the folder for exports, ${TEMP}/backstory-taken, is not empty.`);
    await cloud.gcs.remove(uri);
  });

  test("what others have under the temporary place stays", async () => {
    await cloud.gcs.put(`${TEMP}/backstory-other/x`, "somebody else's");
    expect(await run()).toMatchObject({ exitCode: 0 });
    expect(await cloud.gcs.names("temporary")).toEqual(["exports/backstory-other/x"]);
    await cloud.gcs.remove(`${TEMP}/backstory-other/x`);
  });
});

test("exports that cannot be removed are told, and the run is what it is", async () => {
  const removals: string[] = [];
  cloud.gcs.proxy.fault = ({ method, url }) => {
    if (method !== "DELETE" || !url.includes("exports")) return undefined;
    removals.push(url);
    return { status: 403, body: { error: { code: 403, message: "no", errors: [{ reason: "forbidden" }] } } };
  };
  const { exitCode, told } = await run();
  expect(exitCode).toBe(0);
  expect(told.at(-1)).toMatch(
    /^warning: gs:\/\/temporary\/exports\/backstory-[^ ]* could not be removed \(cannot remove .*roles\/storage.objectUser.*\)\. Remove it\.$/,
  );
  cloud.gcs.proxy.fault = () => undefined;
  for (const name of await cloud.gcs.names("temporary")) await cloud.gcs.remove(`gs://temporary/${name}`);
});

describe("credentials", () => {
  const names = ["BIGQUERY_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT", "METADATA_SERVER_DETECTION", "HOME", "GOOGLE_APPLICATION_CREDENTIALS"];
  const before = Object.fromEntries(names.map((name) => [name, process.env[name]]));
  beforeEach(() => {
    delete process.env.BIGQUERY_EMULATOR_HOST;
    process.env.METADATA_SERVER_DETECTION = "none";
    process.env.HOME = at("home");
  });
  afterEach(() => {
    for (const name of names) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    Object.assign(process.env, cloud.env);
  });

  test("none", async () => {
    expect(await run()).toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^there are no credentials for BigQuery\. Run gcloud auth application-default login/),
    });
  });

  test("a file that is not there", async () => {
    process.env.GOOGLE_APPLICATION_CREDENTIALS = at("none.json");
    expect(await run()).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(`the file of credentials, ${at("none.json")}, cannot be read.`),
    });
  });

  test("a file that is no JSON is not quoted", async () => {
    process.env.GOOGLE_APPLICATION_CREDENTIALS = at("key.json");
    writeFileSync(at("key.json"), "-----BEGIN PRIVATE KEY-----SECRET");
    const failed = await run();
    expect(failed).toMatchObject({ exitCode: 2, message: expect.stringMatching(/^the file of credentials for BigQuery is no JSON/) });
    expect(JSON.stringify(failed)).not.toMatch(/SECRET|BEGIN/);
  });

  test("no project", async () => {
    process.env.BIGQUERY_EMULATOR_HOST = cloud.env.BIGQUERY_EMULATOR_HOST;
    for (const name of ["GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"]) delete process.env[name];
    expect(await run()).toMatchObject({
      exitCode: 2,
      message: "no project is named that BigQuery's jobs are to run in. Add --project=PROJECT.",
    });
    expect(await run({ project: "named-project" })).toMatchObject({ exitCode: 0, message: "no error" });
  });
});

describe("a run that is ended", () => {
  test.each<[NodeJS.Signals, number]>([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])("by %s while it exports: the jobs are cancelled, and nothing is left", async (signal, code) => {
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    cloud.bigQuery.jobFault = (job) => {
      if (!jobOf("clicks")(job)) return undefined;
      resolve();
      return "hang";
    };
    const args = ["bin/backstory.js", "build", `--output=${at("out")}`, `--temp-location=${TEMP}`, ...inputs("shop")];
    const child = spawn(process.execPath, args, {
      cwd: join(__dirname, "../.."),
      env: { ...process.env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (text) => (stderr += text));
    const ended = new Promise<Ended["code"]>((resolve) => child.once("exit", (code) => resolve(code ?? -1)));
    await begun;
    child.kill(signal);
    expect(await ended).toBe(code);
    expect(stderr).toContain(`backstory: ended by ${signal}; nothing was published.`);
    const states = [...cloud.bigQuery.jobs.values()].map(({ status }) => status);
    expect(states.find(({ errorResult }) => errorResult?.reason === "stopped")).toBeDefined();
    expect(states.filter(({ state }) => state !== "DONE")).toEqual([]);
  });
});
