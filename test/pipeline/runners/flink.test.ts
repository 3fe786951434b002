import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findJars, findJava, shares } from "../../../pipeline/runners/flink";
import { JARS } from "../../../pipeline/runners/flinkjars";
import { SHORT, serve, temporary } from "./web";

const before = { ...process.env };
beforeEach(() => {
  jest.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  process.env = { ...before };
  jest.restoreAllMocks();
});

const jar = (path: string): [string, string] => [createHash("sha256").update(`/${path}`).digest("hex"), path];
const MANY = Array.from({ length: 20 }, (_, i) => jar(`org/some/jar${i}/1.0/jar${i}-1.0.jar`));

test("the jars are named, each once, with its checksum", () => {
  expect(JARS).toHaveLength(162);
  for (const [sum, path] of JARS) expect(`${sum} ${path}`).toMatch(/^[0-9a-f]{64} [\w./-]+\.jar$/);
  expect(new Set(JARS.map(([, path]) => path.split("/").at(-1))).size).toBe(162);
});

test("jars are fetched once; what is there is kept", async () => {
  using folder = temporary();
  await using web = await serve((request, response) => response.end(request.url));
  const sources = { cache: folder.path, maven: web.url, limits: { ...SHORT, stallMs: 20_000, totalMs: 20_000 }, jars: MANY };
  const there = await findJars({ ...sources, jars: MANY.slice(0, 5) });
  expect(web.asked()).toBe(5);
  expect(await findJars(sources)).toBe(there);
  expect(await findJars(sources)).toBe(there);
  expect(web.asked()).toBe(20);
  expect(readdirSync(there)).toHaveLength(20);
});

test("a jar with another checksum is refused, and the next attempt has the others", async () => {
  using folder = temporary();
  let evil = true;
  await using web = await serve((request, response) => response.end(evil && request.url?.includes("jar19") ? "evil" : request.url));
  const sources = { cache: folder.path, maven: web.url, limits: SHORT, jars: MANY };
  await expect(findJars(sources)).rejects.toThrow(/jar19-1\.0\.jar has sha256 [0-9a-f]{64}, not [0-9a-f]{64}\./);
  evil = false;
  expect(readdirSync(await findJars(sources))).toHaveLength(20);
});

test("one that cannot be had ends the fetching of the others", async () => {
  using folder = temporary();
  await using web = await serve((request, response) => void (request.url?.includes("jar3/") && response.writeHead(404).end()));
  const limits = { ...SHORT, stallMs: 20_000, totalMs: 20_000 };
  await expect(findJars({ cache: folder.path, maven: web.url, limits, jars: MANY })).rejects.toThrow("answers 404 Not Found");
});

function java(home: string, version: string): string {
  mkdirSync(join(home, "bin"), { recursive: true });
  const path = join(home, "bin", "java");
  writeFileSync(path, `#!/bin/sh\necho '${version}' >&2\n`);
  chmodSync(path, 0o755);
  return path;
}

test.each(['openjdk version "11.0.2" 2019-01-15', 'openjdk version "17" 2021-09-14', 'java version "17.0.15" LTS'])(
  "%s will do",
  async (version) => {
    using folder = temporary();
    process.env.JAVA_HOME = folder.path;
    const path = java(folder.path, version);
    await expect(findJava()).resolves.toBe(path);
  },
);

test.each([
  ['java version "1.8.0_392"', "is 8"],
  ['openjdk version "21.0.1" 2023-10-17', "is 21"],
  ["something else", "is unknown"],
])("%s will not", async (version, what) => {
  using folder = temporary();
  process.env.JAVA_HOME = folder.path;
  java(folder.path, version);
  await expect(findJava()).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(what) });
});

test("no Java: what is wanted and how to name it", async () => {
  using folder = temporary();
  process.env.PATH = folder.path;
  delete process.env.JAVA_HOME;
  await expect(findJava()).rejects.toThrow(
    /^Flink needs Java 11 or 17; there is no java that runs on the PATH\. Install it .* JAVA_HOME\.$/,
  );
  process.env.JAVA_HOME = folder.path;
  await expect(findJava()).rejects.toThrow(`JAVA_HOME is "${folder.path}"`);
});

const GiB = 2 ** 30;
test.each([1, 2, 4, 8, 16])("heap, managed memory and buffers for %d tasks stay below what was given", (parallelism) => {
  for (const memory of [2 * GiB, 4 * GiB, 64 * GiB]) {
    const { heap, managed, network } = shares(memory, parallelism);
    expect(heap + managed + network).toBeLessThan(memory);
    expect(Math.min(heap, managed, network)).toBeGreaterThan(0);
  }
});

test("too little memory is refused with what is needed", () => {
  expect(() => shares(GiB / 2, 2)).toThrow(
    "Flink with 2 tasks at a time gets 40% of --max-memory, and needs at least 806MB; it was given 537MB. Give --max-memory=2014MB, or take fewer --workers.",
  );
});
