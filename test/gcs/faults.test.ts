import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { useLimits } from "../../pipeline/gcs/limits";
import { replaceText } from "../../pipeline/gcs/objects";
import { readRange } from "../../pipeline/gcs/range";
import { findInputs } from "../../pipeline/io/files";
import type { Fault, Seen } from "./proxy";
import { IMPATIENT, service, UPLOADS } from "./service";

const gcs = service(IMPATIENT);
const URI = "gs://inputs/data.ndjson";
const CONTENT = Buffer.from('{"id":1}\n'.repeat(200_000));
const isData = ({ url }: Seen) => url.includes("alt=media");

beforeAll(async () => {
  await gcs.createBucket("inputs");
  await gcs.put(URI, CONTENT);
});

const find = () => findInputs(URI, "clicks");
/** The fault befalls the first so many requests of a kind. */
const first = (count: number, fault: Fault, kind: (seen: Seen) => boolean = () => true) => {
  gcs.proxy.fault = (seen) => (kind(seen) && count-- > 0 ? fault : undefined);
};
const refused = (status: number, message: string, reason = ""): Fault => ({
  status,
  body: { error: { code: status, message, errors: [{ message, domain: "global", reason }] } },
});
const busy = refused(503, "try again", "backendError");
const limited = refused(429, "slow down", "rateLimitExceeded");

describe("what passes", () => {
  test.each<[string, Fault]>([
    ["429", limited],
    ["503", busy],
    ["408", refused(408, "late")],
    ["a connection cut in the middle of the object", { cut: 500_000 }],
    ["a connection cut before the first byte", { cut: 0 }],
    ["an answer that falls silent", { stall: 300_000 }],
    ["no answer", "silence"],
  ])("%s: the object is read all the same", async (_, fault) => {
    const [file] = await find();
    first(2, fault, isData);
    expect((await readRange(file, 0, file.size)).equals(CONTENT)).toBe(true);
    expect(gcs.proxy.seen.filter(isData)).toHaveLength(3);
  });

  test("a cut connection is taken up where it ended", async () => {
    const [file] = await find();
    first(3, { cut: 500_000 }, isData);
    await readRange(file, 0, file.size);
    const starts = gcs.proxy.seen.filter(isData).map(({ range }) => Number(/=(\d+)-/.exec(range!)![1]));
    expect(starts.every((start, i) => i === 0 || start > starts[i - 1])).toBe(true);
  });

  test("an object is read though each connection is cut: each piece gives all tries anew", async () => {
    const [file] = await find();
    gcs.proxy.fault = () => ({ cut: 100_000 });
    expect((await readRange(file, 0, file.size)).equals(CONTENT)).toBe(true);
  });

  test.each<[string, Fault]>([
    ["429", limited],
    ["503", busy],
    ["a cut connection", { cut: 10 }],
    ["no answer", "silence"],
  ])("%s: a bucket is listed all the same", async (_, fault) => {
    first(2, fault, (seen) => !isData(seen));
    expect(await find()).toHaveLength(1);
  });

  test.each<[string, Fault]>([
    ["503", busy],
    ["a lost answer", "lost answer"],
    ["no answer", "silence"],
  ])("%s: an object is written all the same", async (_, fault) => {
    const uri = "gs://inputs/written";
    first(1, fault, ({ method }) => method === "POST");
    const restore = useLimits({ ...IMPATIENT, ...UPLOADS, totalTimeout: 20 });
    await replaceText(uri, "text").finally(restore);
    expect(gcs.proxy.seen.filter(({ method }) => method === "POST")).toHaveLength(2);
    expect((await gcs.get(uri)).toString()).toBe("text");
    await gcs.remove(uri);
  });
});

describe("what does not pass", () => {
  test("a few bytes from each connection: it ends after its tries, and does not go on for hours", async () => {
    const [file] = await find();
    gcs.proxy.fault = (request) => (isData(request) ? { cut: 1000 } : undefined);
    await expect(readRange(file, 0, file.size)).rejects.toThrow(/the connection to Cloud Storage failed/);
    expect(gcs.proxy.seen.filter(isData)).toHaveLength(4); // the first and three more
  });

  const failure = async (work: () => Promise<unknown>) => {
    const error: { message: string; exitCode: number } = await work().then(
      () => ({ message: "no error", exitCode: 0 }),
      (error) => error,
    );
    return { message: error.message, exitCode: error.exitCode };
  };

  test.each<[string, Fault, string, number]>([
    ["503", busy, `cannot read "${URI}": Cloud Storage answers 503, again and again. Run it again later.`, 1],
    ["429", limited, `cannot read "${URI}": Cloud Storage answers 429, again and again. Run it again later.`, 1],
    [
      "cut",
      { cut: 0 },
      `cannot read "${URI}": the connection to Cloud Storage failed (ECONNRESET). Check the network, and run it again.`,
      1,
    ],
    [
      "silence",
      "silence",
      `cannot read "${URI}": the connection to Cloud Storage failed (ETIMEDOUT). Check the network, and run it again.`,
      1,
    ],
    [
      "403",
      refused(403, "me@x.iam does not have storage.objects.get access to the Google Cloud Storage object.", "forbidden"),
      `cannot read "${URI}": the account lacks the permission storage.objects.get (403). Grant it roles/storage.objectViewer on the bucket, or use another account.`,
      2,
    ],
    [
      "requester pays",
      refused(400, "Bucket is a requester pays bucket but no user project provided.", "required"),
      `cannot read "${URI}": in this bucket the requester pays. Name the project to bill in GOOGLE_CLOUD_QUOTA_PROJECT (your account needs serviceusage.services.use there).`,
      2,
    ],
    [
      "401",
      refused(401, "Invalid Credentials", "authError"),
      `cannot read "${URI}": the credentials are missing or have expired (401). Renew them, as with gcloud auth application-default login.`,
      2,
    ],
  ])("%s, of an object", async (_, fault, message, exitCode) => {
    const [file] = await find();
    gcs.proxy.fault = () => fault;
    expect(await failure(() => readRange(file, 0, file.size))).toEqual({ message, exitCode });
    expect(gcs.proxy.seen.filter(isData)).toHaveLength(exitCode === 1 ? 4 : 1);
  });

  test.each<[string, Fault, string, number]>([
    ["503", busy, `cannot list "${URI}": Cloud Storage answers 503, again and again. Run it again later.`, 1],
    [
      "403",
      refused(403, "me@x.iam does not have storage.objects.list access to the Google Cloud Storage bucket.", "forbidden"),
      `cannot list "${URI}": the account lacks the permission storage.objects.list (403). Grant it roles/storage.objectViewer on the bucket, or use another account.`,
      2,
    ],
  ])("%s, of a bucket", async (_, fault, message, exitCode) => {
    gcs.proxy.fault = () => fault;
    expect(await failure(find)).toEqual({ message, exitCode });
  });

  test("silence, of a bucket", async () => {
    gcs.proxy.fault = () => "silence";
    const { message, exitCode } = await failure(find);
    expect(message).toMatch(/^cannot list "gs:\/\/inputs\/data.ndjson": /);
    expect(exitCode).toBe(1);
  });

  test("a bucket that is not there", async () => {
    expect(await failure(() => findInputs("gs://no-such-bucket/x", "clicks"))).toEqual({
      message: 'cannot list "gs://no-such-bucket/x": there is no such bucket (404). Check the path.',
      exitCode: 2,
    });
  });

  test.each(["s3://bucket/x", "http://host/x", "GS://inputs/x", "gs:///x", "gs://inputs*/x", "gs://UPPER/x", "gs://inputs/a\nb"])(
    "%j is refused",
    async (path) => {
      expect((await failure(() => findInputs(path, "clicks"))).exitCode).toBe(2);
      expect(gcs.proxy.seen).toEqual([]);
    },
  );

  describe("an object that is no longer what it was", () => {
    const changed = 'clicks.ndjson" was replaced or removed while it was read: its generation';
    const uri = "gs://inputs/clicks.ndjson";
    beforeEach(() => gcs.put(uri, CONTENT));

    test("replaced", async () => {
      const [file] = await findInputs(uri, "clicks");
      await gcs.put(uri, CONTENT);
      const { message, exitCode } = await failure(() => readRange(file, 0, file.size));
      expect(message).toContain(changed);
      expect(exitCode).toBe(1);
    });

    test("removed", async () => {
      const [file] = await findInputs(uri, "clicks");
      await gcs.remove(uri);
      expect((await failure(() => readRange(file, 0, file.size))).message).toContain(changed);
    });

    test("replaced between two tries of a range", async () => {
      const [file] = await findInputs(uri, "clicks");
      let cuts = 0;
      gcs.proxy.fault = async (seen) => {
        if (!isData(seen)) return undefined;
        if (cuts++ === 0) return { cut: 500_000 };
        await gcs.put(uri, CONTENT);
        return undefined;
      };
      expect((await failure(() => readRange(file, 0, file.size))).message).toContain(changed);
    });
  });
});

describe("credentials", () => {
  let folder: string;
  const before = { ...process.env };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "credentials-"));
    delete process.env.STORAGE_EMULATOR_HOST;
    process.env.METADATA_SERVER_DETECTION = "none";
    process.env.HOME = folder;
  });
  afterEach(() => {
    for (const name of ["STORAGE_EMULATOR_HOST", "METADATA_SERVER_DETECTION", "HOME", "GOOGLE_APPLICATION_CREDENTIALS"]) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    process.env.STORAGE_EMULATOR_HOST = gcs.host;
    rmSync(folder, { recursive: true });
  });

  test("none", async () => {
    await expect(find()).rejects.toThrow(/^there are no credentials for gs:\/\/ paths\. Run gcloud auth application-default login/);
  });

  test("a file that is not there", async () => {
    process.env.GOOGLE_APPLICATION_CREDENTIALS = join(folder, "none.json");
    await expect(find()).rejects.toThrow(`the file of credentials, ${join(folder, "none.json")}, cannot be read.`);
  });

  test("a file that is no JSON is not quoted", async () => {
    process.env.GOOGLE_APPLICATION_CREDENTIALS = join(folder, "key.json");
    writeFileSync(process.env.GOOGLE_APPLICATION_CREDENTIALS, "-----BEGIN PRIVATE KEY-----SECRET");
    const error = await find().catch((error) => error);
    expect(error.message).toMatch(/^the file of credentials for gs:\/\/ paths is no JSON/);
    expect(require("node:util").inspect(error, { depth: 10 })).not.toMatch(/SECRET|BEGIN/);
  });
});
