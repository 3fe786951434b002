/** What can go wrong around publishing: each is refused, or said, and nothing of an earlier run is lost. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clean, cleanAndTell, ownAttempts } from "../../pipeline/clean";
import { type Manifest, parseManifest } from "../../pipeline/manifest";
import { inputOf } from "../../pipeline/origin";
import { thisProcess } from "../../pipeline/owner";
import { type PublishOptions, publish } from "../../pipeline/publishrun";
import { tellRejects } from "../../pipeline/rejects";
import { Disk } from "../../pipeline/storage";
import { optionsOf, placeAt, type Run, readAsUser, sha256, written } from "./publishcases";

let folder: string;
let output: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backstory-faults-"));
  output = join(folder, "out");
});
afterEach(() => rmSync(folder, { recursive: true }));

const EARLIER: Run = { run: "earlier", dts: ["2025-08-16"], shards: 2 };
const LATER: Run = { run: "later", dts: ["2025-08-16", "2025-08-17"], shards: 1, seen: ["earlier"] };

const publishRun = (run: Run, some: Partial<PublishOptions> = {}, storage = new Disk()) =>
  publish(written(run, output), { ...optionsOf(run, output), ...some }, placeAt(output, storage));
const manifestOf = (run: string): Manifest => {
  const path = join(output, "_manifests", `${run}.json`);
  return parseManifest(readFileSync(path, "utf8"), path);
};
const failing = (run: Promise<unknown>) => run.then(() => "published").catch((error) => error);

/** A disk that fails each time a path of a kind is written. */
const broken = (code: string, on: (operation: string, path: string) => boolean) =>
  new Disk((operation, path) => {
    if (on(operation, path)) throw Object.assign(new Error(`${code}: ${operation}`), { code });
  });

test("a manifest says what was published, and passes its schema", async () => {
  await publishRun(EARLIER);
  await publishRun(LATER);
  const { partitions, rows, bytes, versions } = manifestOf("later");
  expect(rows).toBe(6);
  expect(bytes).toBe(partitions.reduce((sum, { files }) => sum + files[0].bytes, 0));
  expect(versions.tz).toMatch(/^\d{4}[a-z]?$/);
  expect(partitions.map(({ dt, runs, replaced }) => ({ dt, runs, replaced }))).toEqual([
    { dt: "2025-08-16", runs: ["later"], replaced: ["part-00000-of-00002.parquet", "part-00001-of-00002.parquet"] },
    { dt: "2025-08-17", runs: ["later"], replaced: [] },
  ]);
  expect(partitions[0].certificate).toEqual({
    cutoff: "2025-08-16T00:00:00.000000Z",
    orderCutoff: "2025-08-16T00:00:00.000000Z",
    lookbackStart: "2024-08-16T00:00:00.000000Z",
    timezone: "UTC",
    tz: process.versions.tz,
    actionClock: "time",
    orderTime: "order-date",
    orderLagDays: 0,
    used: { 1: { oldest: "2025-08-01T00:00:00.000000Z", newest: "2025-08-01T00:00:00.000005Z" } },
    rows: 3,
    zeroHistoryRows: 0,
    customers: 1,
  });
});

test("append: a partition is of both runs, and the same run again adds nothing", async () => {
  await publishRun({ ...EARLIER, writeMode: "append" });
  const appended: Run = { ...LATER, writeMode: "append" };
  await publishRun(appended);
  const before = readdirSync(join(output, "dt=2025-08-16"));
  await publishRun(appended);
  expect(readAsUser(output)).toEqual({ "2025-08-16": ["earlier", "later"], "2025-08-17": ["later"] });
  expect(readdirSync(join(output, "dt=2025-08-16"))).toEqual(before);
});

test("append to a partition that is not known to be whole is refused", async () => {
  await publishRun(EARLIER);
  rmSync(join(output, "dt=2025-08-16/_SUCCESS"));
  expect(await failing(publishRun({ ...LATER, writeMode: "append" }))).toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/no _SUCCESS/),
  });
});

test("append beside another run's append, at the same time, is no conflict; overwrite is", async () => {
  await publishRun({ ...EARLIER, writeMode: "append" });
  await publishRun({ ...LATER, seen: [], writeMode: "append" });
  expect(await failing(publishRun({ ...LATER, run: "last", seen: ["earlier"] }))).toMatchObject({
    exitCode: 1,
    message: expect.stringMatching(/^run later has published partition dt=2025-08-16 of .* while this run was at work/),
  });
  expect(readAsUser(output)).toEqual({ "2025-08-16": ["earlier", "later"], "2025-08-17": ["later"] });
});

test("runs of different partitions at the same time do not mind each other", async () => {
  await publishRun(EARLIER);
  await publishRun({ run: "other", dts: ["2025-08-17"], shards: 1, seen: [] });
  expect(readAsUser(output)).toEqual({ "2025-08-16": ["earlier"], "2025-08-17": ["other"] });
});

test("a file that is not from backstory stays, and one that readers would take for rows is refused", async () => {
  await publishRun(EARLIER);
  writeFileSync(join(output, "dt=2025-08-16/notes.txt"), "");
  const foreign = join(output, "dt=2025-08-16/part-00000-4f1b.c000.snappy.parquet");
  writeFileSync(foreign, "somebody's");
  expect(await failing(publishRun(LATER))).toMatchObject({ exitCode: 2, message: expect.stringMatching(/is not from backstory/) });
  expect([existsSync(foreign), existsSync(join(output, "dt=2025-08-17"))]).toEqual([true, false]);
  rmSync(foreign);
  await publishRun(LATER);
  expect(existsSync(join(output, "dt=2025-08-16/notes.txt"))).toBe(true);
});

test.each(["ENOSPC", "EDQUOT", "EIO"])(
  "%s before the commit: nothing is published, the earlier run stays, the next ends right",
  async (code) => {
    await publishRun(EARLIER);
    const error = await failing(
      publishRun(
        LATER,
        {},
        broken(code, (operation, path) => operation === "write" && /plan\.json$/.test(path)),
      ),
    );
    expect(error).toBeInstanceOf(Error);
    expect(readAsUser(output)).toEqual({ "2025-08-16": ["earlier"] });
    expect(existsSync(join(output, "_manifests/later.json"))).toBe(false);
  },
);

test("an error in the middle of publishing says so, and the next run finishes it", async () => {
  await publishRun(EARLIER);
  const disk = broken("EIO", (operation, path) => operation === "rename" && path.endsWith("dt=2025-08-17/part-00000-of-00001.parquet"));
  expect(await failing(publishRun(LATER, {}, disk))).toMatchObject({
    exitCode: 1,
    message: expect.stringMatching(/begun and could not be finished \(EIO: rename\).*backstory clean/),
  });
  expect(readAsUser(output)).toEqual({ "2025-08-16": ["later"] });
  expect(existsSync(join(output, "_SUCCESS"))).toBe(false);
  expect(await clean(placeAt(output))).toMatchObject({ finished: ["later"], removed: expect.arrayContaining(["later"]) });
  expect(readAsUser(output)).toEqual({ "2025-08-16": ["later"], "2025-08-17": ["later"] });
  expect(readdirSync(output).sort()).toEqual(["_SUCCESS", "_manifests", "dt=2025-08-16", "dt=2025-08-17"]);
});

test("a commit whose files somebody has removed is given up by name, and the days can be built again", async () => {
  await publishRun(EARLIER);
  const disk = broken("EIO", (operation, path) => operation === "rename" && path.endsWith("dt=2025-08-17/part-00000-of-00001.parquet"));
  await failing(publishRun(LATER, {}, disk));
  rmSync(join(output, "_attempts"), { recursive: true });
  const next: Run = { run: "next", dts: ["2025-08-17"], shards: 1, seen: ["earlier", "later"] };
  const gone = { exitCode: 1, message: expect.stringMatching(/part-00000-of-00001.parquet" is gone.*backstory clean .* --run=later/) };
  expect(await failing(clean(placeAt(output)))).toMatchObject(gone);
  expect(await failing(publishRun(next))).toMatchObject(gone);
  await clean(placeAt(output), "later");
  expect(readAsUser(output)).toEqual({ "2025-08-16": ["later"] });
  await publishRun(next);
  expect(readAsUser(output)).toEqual({ "2025-08-16": ["later"], "2025-08-17": ["next"] });
});

test("a folder that cannot be written to is refused before anything goes", async () => {
  await publishRun(EARLIER);
  class ReadOnly extends Disk {
    override refuses = async (path: string) => (path.endsWith("dt=2025-08-17") ? "EROFS" : undefined);
  }
  expect(await failing(publishRun(LATER, {}, new ReadOnly()))).toMatchObject({
    exitCode: 1,
    message: expect.stringMatching(/cannot be written to \(EROFS\)/),
  });
  expect(readAsUser(output)).toEqual({ "2025-08-16": ["earlier"] });
  if (process.getuid?.() === 0) return;
  chmodSync(join(output, "dt=2025-08-16"), 0o500);
  expect(await failing(publishRun({ ...LATER, run: "last" }))).toMatchObject({
    message: expect.stringMatching(/cannot be written to \(EACCES\)/),
  });
  chmodSync(join(output, "dt=2025-08-16"), 0o700);
});

test.each(["dt=2025-08-16", "_attempts", "_manifests", "_publishing"])("%s as a link out of the output is refused", async (name) => {
  mkdirSync(join(folder, "elsewhere"));
  mkdirSync(output);
  writeFileSync(join(folder, "elsewhere/part-00000-of-00001.parquet"), "somebody's");
  symlinkSync(join(folder, "elsewhere"), join(output, name));
  const refused = name.startsWith("dt=") ? failing(publishRun(LATER)) : failing(clean(placeAt(output)));
  expect(await refused).toMatchObject({ exitCode: 2, message: expect.stringMatching(/is a link that leads out of the output/) });
  expect(readdirSync(join(folder, "elsewhere"))).toEqual(["part-00000-of-00001.parquet"]);
});

test("an output that is removed during the run", async () => {
  await publishRun(EARLIER);
  const reports = written(LATER, output);
  rmSync(output, { recursive: true });
  expect(await failing(publish(reports, optionsOf(LATER, output), placeAt(output)))).toMatchObject({
    exitCode: 1,
    message: expect.stringMatching(/is gone: somebody has changed the output folder during the run/),
  });
  expect(readAsUser(output)).toEqual({});
});

test("a clock that was set back changes nothing", async () => {
  await publishRun({ ...EARLIER, run: "20300101T000000Z-ffffffff" });
  const now = jest.spyOn(Date, "now").mockReturnValue(0);
  await publishRun({ ...LATER, run: "19700101T000000Z-00000000", seen: ["20300101T000000Z-ffffffff"] });
  now.mockRestore();
  const runs = ["19700101T000000Z-00000000"];
  expect(readAsUser(output)).toEqual({ "2025-08-16": runs, "2025-08-17": runs });
});

test.each(["with blanks ", "\u00fcn\u00efc\u00f6de \u{1F600}", "new\nline", "a/../b", "..name", "quote'\"s", "%2F*?[x]"])(
  "an output named %j",
  async (name) => {
    output = join(folder, name);
    await publishRun(EARLIER);
    await publishRun(LATER);
    await clean(placeAt(output));
    expect(readAsUser(output)).toEqual({ "2025-08-16": ["later"], "2025-08-17": ["later"] });
  },
);

test.each([
  ["longer", (path: string) => writeFileSync(path, "1234567")],
  ["touched", (path: string) => utimesSync(path, 1, 1)],
  ["gone", (path: string) => rmSync(path)],
])("an input that is %s at the end of the run: nothing is published", async (_, change) => {
  await publishRun(EARLIER);
  const path = join(folder, "clicks.ndjson");
  writeFileSync(path, "123");
  const { origin } = optionsOf(LATER, output);
  const inputs = [inputOf("clicks", { path, size: 3, format: "ndjson", compression: "none", partition: {} })];
  change(path);
  expect(await failing(publishRun(LATER, { origin: { ...origin, inputs } }))).toMatchObject({
    exitCode: 3,
    message: expect.stringMatching(/clicks\.ndjson" of clicks changed during the run/),
  });
  expect(readAsUser(output)).toEqual({ "2025-08-16": ["earlier"] });
});

test("histories that know too much are not published", async () => {
  const reports = written(LATER, output).map((report) => {
    if ("metrics" in report) report.metrics.days["2025-08-17"].used = { 1: { oldest: 0, newest: Date.UTC(2025, 7, 17) * 1000 } };
    return report;
  });
  expect(await failing(publish(reports, optionsOf(LATER, output), placeAt(output)))).toMatchObject({
    exitCode: 1,
    message: expect.stringMatching(/dt=2025-08-17 uses an action of type 1 from 2025-08-17T00:00:00.000000Z, the cutoff is/),
  });
});

test("rows written that were not measured, and a shard written twice with different content, are not published", async () => {
  const reports = written(LATER, output);
  const lacking = reports.filter((report) => !("file" in report && report.file.dt === "2025-08-17"));
  const lost = failing(publish(lacking, optionsOf(LATER, output), placeAt(output)));
  expect(await lost).toMatchObject({ exitCode: 1, message: expect.stringContaining("dt=2025-08-17: 0 rows written, 3 measured") });
  const twice = [...reports, ...written(LATER, output).flatMap((r) => ("file" in r ? [{ file: { ...r.file, sha256: sha256("x") } }] : []))];
  expect(await failing(publish(twice, optionsOf(LATER, output), placeAt(output)))).toMatchObject({
    message: expect.stringMatching(/written twice with different/),
  });
  const again = [...reports, ...written(LATER, output).filter((report) => "file" in report)];
  expect(await publish(again, optionsOf(LATER, output), placeAt(output))).toMatchObject({ rows: 6 });
});

test("clean: leaves the living and those it does not know, removes the dead and those it is told of", async () => {
  await publishRun(EARLIER);
  const place = placeAt(output);
  for (const run of ["living", "dead", "unknown", "afar"]) written({ ...LATER, run }, output);
  for (const run of ["living", "dead", "afar"]) await ownAttempts(place, run, run !== "afar");
  writeFileSync(join(output, "_attempts/dead/owner.json"), JSON.stringify({ ...thisProcess(), began: "1" }));
  const { removed, left } = await clean(place);
  expect(removed).toEqual(["dead", "earlier"]);
  expect(left.map(({ run }) => run)).toEqual(["afar", "living", "unknown"]);
  expect(await cleanAndTell(output, "afar")).toEqual(expect.arrayContaining(["afar: attempts removed"]));
  expect(readdirSync(join(output, "_attempts")).sort()).toEqual(["living", "unknown"]);
  await expect(cleanAndTell(join(folder, "nowhere"))).rejects.toThrow("no output folder");
});

test("rejects that two tell at once are those of one", async () => {
  const split = join(folder, "split.ndjson");
  writeFileSync(split, '{"position":2,"reason":"not JSON"}\n');
  const path = join(folder, "told/rejects.ndjson");
  const extents = [{ table: "clicks", path: "c.ndjson", index: 0, positions: 9, rejects: split, examples: {} }];
  await Promise.all([tellRejects(path, extents), tellRejects(path, extents), tellRejects(path, extents)]);
  expect(readFileSync(path, "utf8")).toBe('{"table":"clicks","file":"c.ndjson","position":2,"reason":"not JSON"}\n');
  expect(readdirSync(join(folder, "told"))).toEqual(["rejects.ndjson"]);
});

test("an output that was moved between two runs is the same output", async () => {
  await publishRun(EARLIER);
  renameSync(output, join(folder, "moved"));
  output = join(folder, "moved");
  await publishRun(LATER);
  expect(readAsUser(output)).toEqual({ "2025-08-16": ["later"], "2025-08-17": ["later"] });
});
