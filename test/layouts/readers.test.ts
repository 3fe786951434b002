/** What reads outputs says the same of every layout. */
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compare } from "../../compare/compare";
import { CompareOptions } from "../../compare/options";
import { analyse } from "../../pipeline/analyse";
import { lookAt } from "../../pipeline/bigquery/load";
import { main } from "../../pipeline/cli";
import { parseFlags } from "../../pipeline/flags";
import { generate } from "../../pipeline/generate";
import { inspect } from "../../pipeline/inspect";
import { type Layout, layoutNoteOf, type Padding } from "../../pipeline/layout";
import { NOTE_KEY } from "../../pipeline/notekey";
import { RebuildOptions, rebuild } from "../../pipeline/rebuild";
import { figuresOf } from "../../report/figures";
import { buildTo, forget, readFile, verified, writeFile } from "../verify/outputs";

jest.setTimeout(300_000);

const WAYS: [Layout, Padding][] = [
  ["rows", "none"],
  ["rankings", "zeros"],
  ["histories", "none"],
];
const folder = mkdtempSync(join(tmpdir(), "backstory-read-"));
const temporary = mkdtempSync(join(tmpdir(), "backstory-read-tmp-"));
const at = (...path: string[]) => join(folder, ...path);
const flags = [
  ...["impressions", "clicks", "add_to_carts", "previous_orders"].map(
    (table) => `--${table.replaceAll("_", "-")}=${at("in", `${table}.ndjson`)}`,
  ),
  "--history-length=50",
  "--lookback-days=2",
  "--shards=2",
];
const build = (name: string, layout: Layout, padding: Padding, ...more: string[]) =>
  buildTo(at(name), [...flags, `--layout=${layout}`, `--padding=${padding}`, ...more]);

const before = process.env.TMPDIR;
beforeAll(async () => {
  process.env.TMPDIR = temporary;
  await generate({ output: at("in"), rankings: 80, actions: 4000, customers: 30, items: 60, days: 3 });
  await build("rows", "rows", "zeros");
  for (const [layout, padding] of WAYS) await build(`${layout}-${padding}`, layout, padding);
});
afterEach(() => expect(readdirSync(temporary)).toEqual([]));
afterAll(() => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  for (const each of [folder, temporary]) rmSync(each, { recursive: true });
});

const linesOf = async (path: string): Promise<string[]> => {
  const lines: string[] = [];
  for await (const line of inspect(path, { rows: 40 })) lines.push(line);
  return lines;
};
const compared = (a: string, b: string) => compare(at(a), at(b), parseFlags(CompareOptions, [], 0).options);
/** The Parquet files of an output, from it. */
const parquetOf = (name: string): string[] =>
  readdirSync(at(name), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".parquet"))
    .sort();

describe.each(WAYS)("an output of the layout %s, padding %s", (layout, padding) => {
  const name = `${layout}-${padding}`;
  test("inspect and analyse: the same, of all, of a partition and of a file", async () => {
    expect(await linesOf(at(name))).toEqual(await linesOf(at("rows")));
    const part = parquetOf("rows")[0];
    for (const below of ["", "dt=2025-08-04"])
      expect((await analyse(at(name, below))).report()).toEqual((await analyse(at("rows", below))).report());
    for (const path of parquetOf(name)
      .filter((path) => path.endsWith(part.slice(part.indexOf("/") + "/part".length)))
      .slice(0, 2))
      expect(await linesOf(at(name, path))).toEqual(await linesOf(at("rows", path.replace(/(histories|slots)-/, "part-"))));
  });

  test("report: the same figures", async () => {
    // of rows that are made aside no manifest tells
    const { manifests: there, output: _there, isTold: _told, ...figures } = await figuresOf(at(name));
    const { manifests: here, output: _here, isTold: _known, ...expected } = await figuresOf(at("rows"));
    expect(figures).toEqual(expected);
    expect(there[0].options).toEqual({ ...here[0].options, layout, padding });
  });

  test("compare: no difference, on either side", async () => {
    for (const [a, b] of [
      [name, "rows"],
      ["rows", name],
    ]) {
      const { total } = await compared(a, b);
      expect(total).toMatchObject({ here: total.same, there: total.same, different: 0, onlyHere: 0, onlyThere: 0 });
      expect(total.same).toBeGreaterThan(0);
    }
  });

  test("verify: no difference; all customers are recomputed from the inputs", async () => {
    const [here, there] = [await verified(at(name), ["--sample=all"]), await verified(at("rows"), ["--sample=all"])];
    expect(here).toMatchObject({ output: at(name), differences: 0, findings: [], warnings: there.warnings, unchecked: [] });
    const { files, bytes, runs, ...checked } = there.checked;
    expect(here.checked).toMatchObject({
      ...checked,
      files: parquetOf(name).length,
      runs: runs.map((run) => ({ ...run, run: expect.anything() })),
    });
    forget(at(name));
    expect((await verified(at(name), [...flags.slice(0, 4), "--sample=all", "--history-length=50", "--lookback-days=2"])).findings).toEqual(
      [],
    );
  });
});

describe("what is wrong is found", () => {
  let names = 0;
  const copy = (from: string): string => {
    cpSync(at(from), at(`wrong-${names}`), { recursive: true });
    return at(`wrong-${names++}`);
  };
  beforeAll(() => build("fresh", "histories", "zeros"));
  const kinds = async (output: string, ...more: string[]) => (await verified(output, ["--sample=all", ...more])).counts;

  test("a file that was changed, cut, or is missing", async () => {
    const output = copy("fresh");
    const [first, second, ...others] = parquetOf("fresh").filter((path) => path.includes("histories-"));
    appendFileSync(join(output, first), "x");
    writeFileSync(join(output, second), readFileSync(join(output, second)).subarray(0, 400));
    rmSync(join(output, others[0].replace("histories-", "slots-")));
    expect(await kinds(output)).toMatchObject({ "wrong size": 2, "missing file": 1, "broken file": 3 });
  });

  test("of --dates alone: other days may be broken", async () => {
    const output = copy("fresh");
    const [day, ...others] = [...new Set(parquetOf("fresh").map((path) => path.slice("dt=".length).split("/")[0]))];
    for (const path of parquetOf("fresh").filter((path) => others.some((dt) => path.startsWith(`dt=${dt}/`))))
      writeFileSync(join(output, path), readFileSync(join(output, path)).subarray(0, 400));
    const { differences, checked } = await verified(output, ["--sample=all", `--dates=${day}`]);
    expect([differences, checked.partitions]).toEqual([0, 1]);
  });

  test("what others keep among the manifests is left alone", async () => {
    const output = copy("fresh");
    mkdirSync(join(output, "_manifests", "notes"));
    expect(await kinds(output)).toEqual({});
    expect(await main(["convert", output, `--to=${at("without-notes")}`, "--layout=rows", "--quiet"])).toBe(0);
    expect(readdirSync(at("without-notes", "_manifests"))).toEqual(readdirSync(at("fresh", "_manifests")));
  });

  test("an action that the rule does not give, though all fits together", async () => {
    const output = copy("rows");
    forget(output);
    const path = join(output, parquetOf("rows")[0]);
    const { schema, rows } = await readFile(path);
    const [{ customer_id: customer }] = rows;
    const others = (actions: bigint[]) => actions.map((item, i) => (i === 0 ? item + 1n : item));
    writeFile(path, {
      schema,
      rows: rows.map((row) => (row.customer_id === customer ? { ...row, actions: others(row.actions as bigint[]) } : row)),
    });
    expect(await main(["convert", output, `--to=${at("tampered")}`, "--layout=histories", "--quiet"])).toBe(0);
    const { counts, warnings } = await verified(at("tampered"), [...flags.slice(0, -1), "--sample=all"]);
    expect(counts).toMatchObject({ "wrong item": expect.any(Number) });
    expect(warnings.join()).toContain("told as they are once the output is converted");
  });

  test("files of another layout than the output says", async () => {
    const output = copy("fresh");
    rmSync(join(output, "_layout.json"));
    expect(await kinds(output)).toEqual({ "wrong layout": parquetOf("fresh").length });
    writeFileSync(join(output, "_layout.json"), "{}");
    expect(await kinds(output)).toEqual({ "wrong layout": 1 });
  });
});

test("BigQuery: what is no table is refused, before anything runs", async () => {
  const told = /takes the layout rows; got the layout \w+, without padding. .* backstory convert/;
  const more = ["--output-table=bq://my-project.models.training", "--layout=histories", "--padding=none"];
  await expect(buildTo("gs://bucket/nowhere", [...flags, ...more])).rejects.toMatchObject({
    message: expect.stringMatching(told),
    exitCode: 2,
  });
  await expect(lookAt(at("histories-none"))).rejects.toMatchObject({ message: expect.stringMatching(told), exitCode: 2 });
  expect((await lookAt(at("rows"))).days).toHaveLength(3);
  cpSync(at("rankings-zeros"), at("unsaid"), { recursive: true });
  writeFileSync(at("unsaid", "_layout.json"), "{}");
  await expect(lookAt(at("unsaid"))).rejects.toMatchObject({ message: expect.stringMatching(/does not say which layout/), exitCode: 2 });
});

test("an output has one layout: builds of another are refused and change nothing", async () => {
  const manifests = () => ["rows", "fresh"].map((name) => readdirSync(at(name, "_manifests")));
  const there = manifests();
  const refused = (has: string, got: string) => ({
    exitCode: 2,
    message: expect.stringMatching(`has ${has}, and an output has one; got ${got}`),
  });
  for (const mode of ["--write-mode=append", "--write-mode=overwrite"]) {
    await expect(build("rows", "histories", "zeros", mode)).rejects.toMatchObject(refused("the layout rows", "the layout histories"));
    await expect(build("fresh", "rows", "zeros", mode)).rejects.toMatchObject(refused("the layout histories", "the layout rows"));
    await expect(build("fresh", "histories", "none", mode)).rejects.toMatchObject(
      refused("the layout histories", "the layout histories, without padding"),
    );
  }
  expect(manifests()).toEqual(there);
  const shards = [...flags.slice(0, -1), "--shards=3", "--layout=histories", "--write-mode=append"];
  await buildTo(at("fresh"), shards);
  expect((await verified(at("fresh"), ["--sample=all"])).differences).toBe(0);
});

test("columns that another layout cannot do without", async () => {
  for (const [more, name] of [
    [["--layout=histories"], "--layout=histories"],
    [["--padding=none"], "--padding=none"],
  ] as const)
    await expect(buildTo(at("few"), [...flags, ...more, "--columns=customer_id,actions"])).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(`${name} takes the columns .*; --columns leaves out ranking_id`),
    });
  expect(existsSync(at("few"))).toBe(false);
});

test("a note by which a history would be padded without end is none", () => {
  const noteOf = (historyLength: number) => {
    const note = { layout: "rankings", padding: "none", historyLength, rowGroupBytes: 1000, columns: [] };
    return layoutNoteOf({ key_value_metadata: [{ key: NOTE_KEY, value: JSON.stringify(note) }] } as never);
  };
  expect(noteOf(100_000)).toBeDefined();
  for (const historyLength of [100_001, 1e12, 0, 1.5]) expect(noteOf(historyLength)).toBeUndefined();
});

test("rebuild: the same bytes of a build in a layout, and of a conversion", async () => {
  const { runId } = await build("once", "histories", "none", "--write-mode=append");
  const options = RebuildOptions.parse({ output: at("again"), quiet: true });
  const { options: made } = await rebuild(at("once", "_manifests", `${runId}.json`), options);
  expect(made).toMatchObject({ layout: "histories", padding: "none" });
  const [run] = readdirSync(at("rows", "_manifests"));
  expect(await main(["convert", at("rows"), `--to=${at("converted")}`, "--layout=rankings", "--quiet"])).toBe(0);
  await rebuild(at("converted", "_manifests", run), RebuildOptions.parse({ output: at("anew"), quiet: true }));
  expect(readFileSync(at("anew", "_layout.json"), "utf8")).toBe('{"layout":"rankings","padding":"zeros"}\n');
});
