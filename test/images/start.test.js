/** deploy/start.sh and what else calls a container engine, with one that starts the image's entry from a folder (fakedocker.js). */
const { spawnSync } = require("node:child_process");
const { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { parse } = require("yaml");
const { hashes, newFolder, ROOT } = require("../runners/kit");
const { imageRoot } = require("./root");

const START = join(ROOT, "deploy/start.sh");
const TABLES = ["impressions", "clicks", "add_to_carts", "previous_orders"];
const IMAGE = `backstory-launcher:${require("../../package.json").version}`;
/** All that scripts may call, so that no engine of this machine is found. */
const TOOLS = ["bash", "cat", "chmod", "cp", "dirname", "env", "id", "mkdir", "mktemp", "rm", "sh", "tail", "tr"];

let folder;
let data;
let engines;
let image;
beforeAll(async () => {
  folder = newFolder();
  data = join(folder, "our data");
  for (const table of TABLES) {
    mkdirSync(join(data, table), { recursive: true });
    cpSync(join(ROOT, "examples/otto", `${table}.ndjson`), join(data, table, "rows.ndjson"));
  }
  engines = join(folder, "engines");
  for (const name of ["docker", "podman"]) {
    mkdirSync(join(engines, name), { recursive: true });
    symlinkSync(join(__dirname, "fakedocker.js"), join(engines, name, name));
  }
  for (const name of ["none", "system"]) mkdirSync(join(engines, name));
  for (const name of [...TOOLS, "node"]) symlinkSync(name === "node" ? process.execPath : onPath(name), join(engines, "system", name));
  image = await imageRoot();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => rmSync(join(folder, "calls"), { force: true }));

const onPath = (name) =>
  process.env.PATH.split(":")
    .map((at) => join(at, name))
    .find((path) => existsSync(path));

function start(args, { engine = "docker", env = {}, command = START, cwd = ROOT } = {}) {
  const PATH = `${join(engines, engine)}:${join(engines, "system")}`;
  const own = { DATA: data, FAKE_ROOT: image.folder, FAKE_CALLS: join(folder, "calls"), TMPDIR: folder };
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", env: { PATH, ...own, ...env }, cwd, timeout: 200_000 });
  return { status, stdout, stderr };
}
const calls = () =>
  readFileSync(join(folder, "calls"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const flags = (root, day) => [
  "build",
  ...TABLES.map((table) => `--${table.replaceAll("_", "-")}=${root}/${table}`),
  `--output=${root}/output`,
  ...day,
];
const user = `${process.getuid()}:${process.getgid()}`;
const called = (day, { as = user, more = [] } = {}) => [
  ...["run", "--rm", "--read-only", "--tmpfs=/tmp", "--network=none", "--cap-drop=ALL", "--security-opt=no-new-privileges"],
  ...[`--user=${as}`, `--mount=type=bind,source=${data},target=/data`, ...more, IMAGE],
  ...flags("/data", day),
];
const NOTHING = { FAKE_STATUS: "0" };

test("a day, from a folder with a blank in its name: what the image starts gives the same bytes as the command", () => {
  expect(start(["2022-08-28"])).toMatchObject({ status: 0 });
  expect(calls().at(-1)).toEqual(called(["--dates=2022-08-28"]));
  const output = join(folder, "direct");
  const built = start([...flags(data, ["--dates=2022-08-28"]).filter((flag) => !flag.startsWith("--output")), `--output=${output}`], {
    command: join(ROOT, "bin/backstory.js"),
  });
  expect(built).toMatchObject({ status: 0 });
  expect(Object.keys(hashes(output))).toContain("dt=2022-08-28/_SUCCESS");
  expect(hashes(join(data, "output"))).toEqual(hashes(output));
});

test("without a day it is the newest that the rows have", () => {
  expect(start([])).toMatchObject({ status: 0, stdout: expect.stringContaining("43 rows in 1 file,") });
  expect(calls().at(-1)).toEqual(called(["--train-days=1"]));
});

test("where days are folders, it is the newest of them; files, and names that are no days, are none", () => {
  const dated = join(folder, "dated");
  cpSync(data, dated, { recursive: true });
  rmSync(join(dated, "impressions/rows.ndjson"));
  for (const name of ["dt=2022-08-27", "dt=2022-08-28", "dt=newest-xx-yy", "other"]) mkdirSync(join(dated, "impressions", name));
  writeFileSync(join(dated, "impressions/dt=2022-08-29"), "");
  const env = { DATA: dated, ...NOTHING };
  expect(start([], { env })).toMatchObject({ status: 0 });
  expect(calls().at(-1)).toContain("--dates=2022-08-28");
  expect(start(["2022-08-27"], { env })).toMatchObject({ status: 0 });
  expect(calls().at(-1)).toContain("--dates=2022-08-27");
  expect(start(["2022-08-29"], { env })).toEqual({
    status: 2,
    stdout: "",
    stderr: `start.sh: there are no impressions of 2022-08-29 in "${dated}/impressions": no folder dt=2022-08-29. The newest day is 2022-08-28.\n`,
  });
});

test("options go on as they are, and name tables and output anew", () => {
  const options = ["--history-length=7", "--clicks=none", "--add_to_carts=/data/two words", "--output=/data/$(id)"];
  expect(start(["2022-08-28", ...options], { env: NOTHING })).toMatchObject({ status: 0 });
  const own = flags("/data", ["--dates=2022-08-28"]).filter((flag) => !/^--(clicks|add-to-carts|output)=/.test(flag));
  expect(
    calls()
      .at(-1)
      .slice(-own.length - options.length),
  ).toEqual([...own, ...options]);
});

test.each([
  ["docker", {}, user, []],
  ["docker", { FAKE_INFO: "[name=seccomp,profile=builtin name=rootless]" }, "0:0", []],
  ["podman", {}, user, ["--userns=keep-id"]],
])("what %s writes belongs to the caller: %j", (engine, env, as, more) => {
  expect(start([], { engine, env })).toMatchObject({ status: 0 });
  expect(calls().at(-1)).toEqual(called(["--train-days=1"], { as, more }));
});

test("exit codes are handed on: backstory's and the engine's", () => {
  expect(start(["2021-01-01"])).toMatchObject({ status: 2, stderr: expect.stringContaining("no impressions in the dates") });
  expect(start(["--fail-on=rows<1000"])).toMatchObject({ status: 3 });
  expect(start([], { engine: "podman", env: { FAKE_STATUS: "125" } })).toMatchObject({ status: 125 });
});

describe("what cannot work is told at once", () => {
  const made = (name, tables) => {
    for (const table of tables) mkdirSync(join(folder, name, table), { recursive: true });
    return { DATA: join(folder, name) };
  };
  test.each([
    ["no data folder", [], () => ({ env: { DATA: "/nowhere" } }), /no data folder "\/nowhere"\. Put .* or name another by DATA\.$/],
    ["not a day", ["yesterday"], () => ({}), /a day is YYYY-MM-DD; got "yesterday"\. Try /],
    ["an empty day", [""], () => ({}), /a day is YYYY-MM-DD; got ""\. Try /],
    ["two days", ["2022-08-28", "--dates=2022-08-27"], () => ({}), /the day is given without a flag/],
    [
      "a table that is not there",
      [],
      () => ({ env: made("half", TABLES.slice(0, 3)) }),
      /no folder ".*half\/previous_orders"\. .*--previous-orders=none\.$/,
    ],
    ["a path that the engine would take apart", [], () => ({ env: made("a,b", TABLES) }), /without commas and quotes/],
    ["no engine", [], () => ({ engine: "none" }), /neither docker nor podman on the PATH\. .*--local\.$/],
    ["the engine of one's choice", [], () => ({ engine: "podman", env: { ENGINE: "docker" } }), /no docker on the PATH/],
    ["an engine that is not running", [], () => ({ env: { FAKE_STATUS: "1" } }), /docker does not answer: .*Start it/],
  ])("%s", (_, args, given, wanted) => {
    const { status, stdout, stderr } = start(args, given());
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^start\.sh: .*\n$/);
    expect(stderr.slice("start.sh: ".length).trimEnd()).toMatch(wanted);
  });
});

test("without a container the same arguments go to a program, which takes the place of the shell and so gets its signals", () => {
  const program = join(folder, "a program");
  writeFileSync(program, `#!/bin/sh\necho $$ "$PPID"; printf '%s\\n' "$@"\n`);
  chmodSync(program, 0o755);
  const { status, stdout } = start(["--local", "2022-08-28"], { env: { RUN: program } });
  const [[, parent], ...args] = stdout
    .trim()
    .split("\n")
    .map((line, i) => (i === 0 ? line.split(" ") : line));
  expect({ status, args, parent: Number(parent) }).toEqual({ status: 0, args: flags(data, ["--dates=2022-08-28"]), parent: process.pid });
});

test("without a container it is the command of the checkout, unless told otherwise", () => {
  expect(start(["--local", "2022-08-28"])).toMatchObject({ status: 0, stdout: expect.stringContaining("43 rows in 1 file,") });
});

/** As the Compose Specification has it: ${NAME:-otherwise} and ${NAME:+instead}. */
function interpolated(text, env) {
  return text.replaceAll(/\$\{(\w+):([-+])([^}]*)\}/g, (_, name, kind, words) =>
    kind === "+" ? (env[name] ? words : "") : env[name] || words,
  );
}

test.each([
  [{}, IMAGE, "1000:1000", "../data", "--train-days=1"],
  [{ DATE: "2022-08-28", DATA: "/x", RUN_AS: "5:6", IMAGE: "i:1" }, "i:1", "5:6", "/x", "--dates=2022-08-28"],
])("compose.yaml runs the same: %j", (env, name, as, source, day) => {
  const { build } = parse(interpolated(readFileSync(join(ROOT, "deploy/compose.yaml"), "utf8"), env)).services;
  expect(build).toMatchObject({ image: name, user: as, read_only: true, network_mode: "none", cap_drop: ["ALL"], tmpfs: ["/tmp"] });
  expect(build.security_opt).toEqual(["no-new-privileges"]);
  expect(build.volumes).toEqual([{ type: "bind", source, target: "/data" }]);
  expect(build.command).toEqual(flags("/data", [day]));
});

test("the images' own test passes, and fails where a version is another", () => {
  const own = { command: join(ROOT, "deploy/testimages.sh") };
  const [, version] = IMAGE.split(":");
  expect(start(["registry/backstory", version], own)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/\na day of the sample: good\n$/),
  });
  expect(start(["registry/backstory", "9.9.9"], own)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/the worker's version: got/),
  });
});
