/** An output against the manifests it names: files, hashes, certificates, ledger, inputs, several runs. */
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MANIFESTS, type Manifest } from "../../pipeline/manifest";
import { click, ranking } from "../events";
import { ndjson } from "../graphs";
import { buildTo, forget, verified, writeInputs } from "./outputs";

jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), "backstory-verify-manifest-"));
const built = join(folder, "built");
const output = join(folder, "out");
const DT = "2025-08-16";
const FILE = `dt=${DT}/part-00000-of-00001.parquet`;
let inputs: string[];

const RANKINGS = [ranking(DT, "a", 1, 5), ranking(DT, "b", 2, 5), ranking("2025-08-17", "c", 1, 5), ranking("2025-08-17", "d", 3, 5)];

beforeAll(async () => {
  inputs = writeInputs(folder, {
    impressions: { "all.ndjson": ndjson(RANKINGS) },
    clicks: { "all.ndjson": ndjson([click(1, 11, "2025-08-14 10:00:00"), click(2, 12, "2025-08-15 10:00:00"), { customer_id: "x" }]) },
  });
  await buildTo(built, [...inputs, "--history-length=4", "--timezone=Europe/Berlin"]);
});
beforeEach(() => cpSync(built, output, { recursive: true }));
afterEach(() => rmSync(output, { recursive: true, force: true }));
afterAll(() => rmSync(folder, { recursive: true }));

const recompute = () => verified(output, ["--sample=all"]);

/** Changes the manifest of the only run. */
function rewrite(change: (manifest: Manifest) => void): void {
  const [name] = readdirSync(join(output, MANIFESTS));
  const path = join(output, MANIFESTS, name);
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  change(manifest);
  writeFileSync(path, JSON.stringify(manifest));
}

test("all that is needed to verify is in the manifest", async () => {
  expect(await recompute()).toMatchObject({
    differences: 0,
    unchecked: [],
    warnings: [],
    checked: { runs: [{ customers: 3, all: true, rows: 4 }] },
  });
});

test("each flipped bit of a file is found", async () => {
  const path = join(output, FILE);
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at += 97) {
    const flipped = Buffer.from(bytes);
    flipped[at] ^= 1 << (at % 8);
    writeFileSync(path, flipped);
    expect((await verified(output, ["--sample=0"])).counts).toHaveProperty(["wrong hash"], 1);
  }
});

test("a flipped bit of a file that no manifest tells of never stops the rest", async () => {
  forget(output);
  const path = join(output, FILE);
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at += 61) {
    const flipped = Buffer.from(bytes);
    flipped[at] ^= 1 << (at % 8);
    writeFileSync(path, flipped);
    expect(await verified(output, ["--sample=0"])).toMatchObject({ differences: expect.any(Number) });
  }
});

// biome-ignore format: a table
const PLANTED: [name: string, kind: string, change: () => void][] = [
  ["a truncated file", "wrong size", () => truncateSync(join(output, FILE), 100)],
  ["a missing file", "missing file", () => rmSync(join(output, FILE))],
  ["a file too many", "file not in the manifest", () => cpSync(join(output, FILE), join(output, `dt=${DT}/part-00000-of-00002.parquet`))],
  ["a missing partition", "missing partition", () => rmSync(join(output, `dt=${DT}`), { recursive: true })],
  ["a missing manifest", "missing manifest", () => rmSync(join(output, MANIFESTS), { recursive: true })],
  ["a manifest that is none", "broken manifest", () => rewrite((manifest) => Object.assign(manifest, { rows: "many" }))],
  ["a partition that names another run", "missing manifest", () => writeFileSync(join(output, `dt=${DT}/_SUCCESS`), '{"runs":["other"]}')],
  ["a partition that its run does not name", "partition of another run", () => rewrite((manifest) => void manifest.partitions.shift())],
  ["a wrong count of rows", "wrong row count", () => rewrite(({ partitions }) => void partitions[0].files[0].rows++)],
  ["another column", "wrong schema", () => rewrite(({ schema }) => void schema.pop())],
  ["a certificate with another cutoff", "wrong certificate", () => rewrite(({ partitions }) => void (partitions[0].certificate.cutoff = "2025-08-16T00:00:00.000000Z"))],
  ["a certificate with a leak", "wrong certificate", () => rewrite(({ partitions }) => void (partitions[0].certificate.used["1"].newest = "2025-08-16T10:00:00.000000Z"))],
  ["a certificate that knows less", "wrong certificate", () => rewrite(({ partitions }) => void (partitions[0].certificate.used["1"].newest = "2025-08-14T10:00:00.000000Z"))],
  ["a certificate of a type that nobody has", "wrong certificate", () => rewrite(({ partitions: [{ certificate: { used } }] }) => void (used["2"] = used["1"]))],
  ["a certificate with other rows", "wrong certificate", () => rewrite(({ partitions }) => void partitions[0].certificate.rows++)],
  ["a certificate with other customers", "wrong certificate", () => rewrite(({ partitions }) => void partitions[0].certificate.customers++)],
  ["a certificate with other rows without history", "wrong certificate", () => rewrite(({ partitions }) => void partitions[1].certificate.zeroHistoryRows++)],
  ["other rejects in the ledger", "wrong ledger", () => rewrite(({ ledger }) => void ledger.clicks.places.rejected++)],
  ["other rows in the ledger", "wrong ledger", () => rewrite(({ ledger }) => void ledger.impressions.rows++)],
  ["other options", "missing action", () => rewrite(({ options }) => void (options.timezone = "Pacific/Kiritimati"))],
];

test.each(PLANTED)("%s is found: %s", async (...[, kind, change]) => {
  change();
  if (kind === "missing action") appendFileSync(join(output, FILE), "");
  const { counts } = await recompute();
  if (kind === "missing action") expect(Object.keys(counts)).toContain("wrong certificate");
  else expect(Object.keys(counts)).toContain(kind);
});

test("an input that has changed is named before what comes of it; one that is gone is said to be", async () => {
  const clicks = join(inputs[1].replace("--clicks=", ""), "all.ndjson");
  const before = readFileSync(clicks);
  appendFileSync(clicks, `${JSON.stringify(click(3, 13, "2025-08-10 10:00:00"))}\n`);
  const changed = await recompute();
  rmSync(clicks);
  const gone = await recompute();
  writeFileSync(clicks, before);
  expect(changed.warnings).toEqual([expect.stringContaining(`${clicks} has changed`)]);
  expect(changed.counts).toHaveProperty(["missing action"]);
  expect([gone.differences, gone.unchecked]).toEqual([0, [expect.stringContaining("gone")]]);
});

test("runs that share an output are verified each by its own manifest", async () => {
  const days = writeInputs(folder, {
    impressions: { "all.ndjson": ndjson(RANKINGS) },
    clicks: { "all.ndjson": ndjson([click(1, 11, "2025-08-14 10:00:00"), click(1, 12, "2025-08-15 10:00:00")]) },
  });
  const two = mkdtempSync(join(folder, "runs-"));
  await buildTo(two, [...days, "--history-length=4", "--dates=2025-08-16"]);
  await buildTo(two, [...days, "--history-length=4", "--dates=2025-08-17", "--lookback-days=2"]);
  await buildTo(two, [...days, "--history-length=4", "--dates=2025-08-17", "--write-mode=append"]);
  const report = await verified(two, ["--sample=all"]);
  expect([report.findings, report.checked.runs.map(({ rows }) => rows)]).toEqual([[], [2, 2, 2]]);
  const one = await verified(two, ["--sample=all", "--dates=2025-08-16"]);
  expect([one.findings, one.checked]).toMatchObject([[], { partitions: 1, rows: 2 }]);
});

test("a partition that a later run emptied is not missing", async () => {
  const fewer = writeInputs(folder, { impressions: { "all.ndjson": ndjson(RANKINGS.slice(0, 2)) } });
  await buildTo(output, [...fewer, "--history-length=4", "--dates=2025-08-16..2025-08-17"]);
  expect((await recompute()).findings).toEqual([]);
});

test("flags go before the manifest", async () => {
  const { counts } = await verified(output, ["--sample=all", "--history-length=3"]);
  expect(Object.keys(counts)).toContain("wrong length");
});
