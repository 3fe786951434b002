/** The command on a machine that has no room, no permission, a wrong clock, or odd files. What wants a mount or another user wants to be root. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAsUser } from "../pipeline/publishcases";

const BIN = join(__dirname, "../../bin/backstory.js");
const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? test : test.skip;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backstory-machine-"));
  chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true }));
const at = (...path: string[]) => join(folder, ...path);

const slot = { item_id: 12, is_order: false };
const ranking = (i: number, slots = 1) => ({ dt: "2025-08-16", ranking_id: `r${i}`, customer_id: i, impressions: Array(slots).fill(slot) });
const lines = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
const NONE = ["--clicks=none", "--add-to-carts=none", "--previous-orders=none"];

/** @param as what starts the command */
function build(output: string, impressions: string, more: string[] = [], { env = {}, as = [] as string[] } = {}) {
  const args = [process.execPath, BIN, "build", `--output=${output}`, `--impressions=${impressions}`, ...NONE, ...more];
  const [command, ...rest] = [...as, ...args];
  const { status, stdout, stderr } = spawnSync(command, rest, { env: { ...process.env, ...env }, encoding: "utf8", timeout: 300_000 });
  return { status, stdout, stderr };
}

function few(): string {
  const path = at("impressions.ndjson");
  writeFileSync(path, lines([ranking(1), ranking(2)]));
  return path;
}

/** Texts that do not compress. */
function many(): string {
  const path = at("many.ndjson");
  const id = () => Array.from({ length: 8 }, () => Math.random().toString(36)).join("");
  writeFileSync(path, lines(Array.from({ length: 20_000 }, (_, i) => ({ ...ranking(i), ranking_id: id() }))));
  return path;
}

asRoot("a disk that is full: exit 1 that says so, the earlier output as it was, no attempts; with room again it is built", () => {
  const disk = at("disk");
  mkdirSync(disk);
  const [input, large] = [few(), many()];
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
  try {
    expect(build(join(disk, "out"), input)).toMatchObject({ status: 0 });
    const before = readAsUser(join(disk, "out"));
    const { status, stderr } = build(join(disk, "out"), large);
    expect([status, stderr]).toEqual([1, expect.stringContaining("the disk is full, so nothing was published")]);
    expect(readAsUser(join(disk, "out"))).toEqual(before);
    expect(existsSync(join(disk, "out/_attempts"))).toBe(false);
    execFileSync("mount", ["-o", "remount,size=50m", disk]);
    expect(build(join(disk, "out"), large)).toMatchObject({ status: 0 });
    expect(Object.keys(readAsUser(join(disk, "out")))).toEqual(["2025-08-16"]);
  } finally {
    execFileSync("umount", [disk]);
  }
});

asRoot("a disk that is read-only, and a folder of somebody else: exit 2 before anything is read", () => {
  const [disk, input] = [at("disk"), few()];
  mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
  try {
    execFileSync("mount", ["-o", "remount,ro", disk]);
    expect(build(join(disk, "out"), input)).toMatchObject({ status: 2, stderr: expect.stringContaining("the disk is read-only") });
  } finally {
    execFileSync("umount", [disk]);
  }
  const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  expect(build(at("out"), input, [], { as: nobody })).toMatchObject({ status: 2, stderr: expect.stringContaining("no permission") });
});

test("folders in which none can be made: exit 2, at once", () => {
  const input = few();
  for (const output of ["/proc/out", "/proc", "/sys/out"])
    expect(build(output, input)).toMatchObject({ status: 2, stderr: expect.stringMatching(/^backstory: --output cannot be written to/) });
});

test("a clock that was set back by years: the newer run has the partition, and both are told apart", () => {
  const input = few();
  expect(build(at("out"), input)).toMatchObject({ status: 0 });
  const [[earlier]] = Object.values(readAsUser(at("out")));
  const env = { NODE_OPTIONS: `--require=${join(__dirname, "clock.js")}` };
  expect(build(at("out"), input, ["--history-length=3"], { env })).toMatchObject({ status: 0 });
  const [[run]] = Object.values(readAsUser(at("out")));
  expect([run.slice(0, 16), run === earlier]).toEqual(["20010101T000000Z", false]);
  expect(build(at("out"), input)).toMatchObject({ status: 0 });
  expect(Object.values(readAsUser(at("out")))[0]).not.toEqual([run]);
});

test("a partition that is a link out of the output is refused, and what it leads to stays", () => {
  mkdirSync(at("out"));
  mkdirSync(at("elsewhere"));
  writeFileSync(at("elsewhere/part-00000-of-00001.parquet"), "somebody's");
  symlinkSync(at("elsewhere"), at("out/dt=2025-08-16"));
  expect(build(at("out"), few())).toMatchObject({ status: 2, stderr: expect.stringContaining("is a link that leads out of the output") });
  expect(existsSync(at("elsewhere/part-00000-of-00001.parquet"))).toBe(true);
});

test.each(["with blanks ", "\u00fcn\u00efc\u00f6de \u{1F600}", "new\nline", "a/../b", "..name", "quote'\"s", "-dash"])(
  "inputs and outputs named %j",
  (name) => {
    const [input, output] = [`${folder}/in/${name}`, `${folder}/out/${name}`];
    mkdirSync(at("in/a"), { recursive: true });
    mkdirSync(at("out/a"), { recursive: true });
    mkdirSync(input, { recursive: true });
    writeFileSync(`${input}/x${name.replace(/.*\//, "")}.ndjson`, lines([ranking(1)]));
    expect(build(output, input, ["--quiet"])).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(Object.keys(readAsUser(output))).toEqual(["2025-08-16"]);
  },
);

test("10,000 small files are one table", () => {
  mkdirSync(at("in"));
  for (let i = 0; i < 10_000; i++) writeFileSync(at("in", `${i}.ndjson`), lines([ranking(i)]));
  const { status, stdout } = build(at("out"), at("in"), ["--json"]);
  expect([status, JSON.parse(stdout).rows]).toEqual([0, 10_000]);
});

test("a CSV of 100 columns, of which four are wanted", () => {
  const others = Array.from({ length: 96 }, (_, i) => `c${i}`);
  const cells = (i: number) => [...others.map((name) => `"${name}, ${i}"`), "2025-08-16", `r${i}`, i, '"[{""item_id"":1,""is_order"":0}]"'];
  const rows = Array.from({ length: 1000 }, (_, i) => cells(i).join());
  writeFileSync(at("wide.csv"), `${[...others, "dt,ranking_id,customer_id,impressions"].join()}\n${rows.join("\n")}\n`);
  const { status, stdout } = build(at("out"), at("wide.csv"), ["--json"]);
  expect([status, JSON.parse(stdout).rows]).toEqual([0, 1000]);
});
