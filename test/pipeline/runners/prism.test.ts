import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { findPrism } from "../../../pipeline/runners/prism";
import { SHORT, serve, temporary } from "./web";

const before = { ...process.env };
beforeEach(() => {
  delete process.env.BACKSTORY_PRISM;
  process.env.PATH = "/nowhere";
  jest.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  process.env = { ...before };
  jest.restoreAllMocks();
});

const SYSTEM = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
const NAME = `apache_beam-v2.77.0-prism-${SYSTEM}`;
const PRISM = '#!/bin/sh\necho "  -job_port int" >&2\n';
const OTHER = '#!/bin/sh\necho "usage: prism mock" >&2\nexit 1\n';

/** A zip archive of one file, with a comment at its end. */
function zipOf(name: string, text: string): Buffer {
  const content = deflateRawSync(text);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(8, 10);
  entry.writeUInt32LE(content.length, 20);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(30 + name.length + content.length, 16);
  end.writeUInt16LE(7, 20);
  return Buffer.concat([local, Buffer.from(name), content, entry, Buffer.from(name), end, Buffer.from("comment")]);
}

function program(folder: string, name: string, text: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

const sources = (folder: string, releases = "http://127.0.0.1:1") => ({ cache: join(folder, "cache"), releases, limits: SHORT });
const release = (zip: Buffer, sum = createHash("sha512").update(zip).digest("hex")) =>
  serve((request, response) => response.end(request.url?.endsWith(".sha512") ? `${sum}  ${NAME}.zip\n` : zip));

test("BACKSTORY_PRISM is taken before all others", async () => {
  using folder = temporary();
  process.env.BACKSTORY_PRISM = program(folder.path, "mine", PRISM);
  process.env.PATH = join(folder.path, "bin");
  program(process.env.PATH, "prism", PRISM);
  await expect(findPrism(sources(folder.path))).resolves.toBe(join(folder.path, "mine"));
});

test.each([
  ["is not there", undefined],
  ["is some other program", OTHER],
])("BACKSTORY_PRISM that %s is an error of the configuration", async (_, text) => {
  using folder = temporary();
  const path = join(folder.path, "mine");
  if (text !== undefined) program(folder.path, "mine", text);
  process.env.BACKSTORY_PRISM = path;
  await expect(findPrism(sources(folder.path))).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(`got "${path}"`) });
});

test("of those on the PATH, the one that is Beam's; others have the name too", async () => {
  using folder = temporary();
  const [one, two] = [join(folder.path, "one"), join(folder.path, "two")];
  process.env.PATH = `${one}:${two}`;
  program(one, "prism", OTHER);
  program(two, "prism", PRISM);
  await expect(findPrism(sources(folder.path))).resolves.toBe(join(two, "prism"));
});

test("the release's binary is fetched once, by two at the same time as well", async () => {
  using folder = temporary();
  await using web = await release(zipOf(NAME, PRISM));
  const found = await Promise.all([findPrism(sources(folder.path, web.url)), findPrism(sources(folder.path, web.url))]);
  const there = join(folder.path, "cache", "prism-v2.77.0", "prism");
  expect(found).toEqual([there, there]);
  expect(statSync(there).mode & 0o777).toBe(0o755);
  expect(readdirSync(join(folder.path, "cache", "prism-v2.77.0"))).toEqual(["prism"]);
  const asked = web.asked();
  await findPrism(sources(folder.path, web.url));
  expect(web.asked()).toBe(asked);
});

const BROKEN: [what: string, zip: Buffer, sum: string | undefined, message: RegExp][] = [
  ["another sum", zipOf(NAME, PRISM), "00", /has sha512 [0-9a-f]{128}, not 00\./],
  ["no such file in it", zipOf("other", PRISM), undefined, /the archive has no file "apache_beam-v2\.77\.0-prism-/],
  ["no archive", Buffer.from("<html>"), undefined, /what was fetched is no zip archive/],
];
test.each(BROKEN)("a release with %s is not used, and what to do is told", async (_, zip, sum, message) => {
  using folder = temporary();
  await using web = await release(zip, sum);
  const found = findPrism(sources(folder.path, web.url));
  await expect(found).rejects.toThrow(message);
  await expect(found).rejects.toThrow(/There is no Go on the PATH to build it with\. Install Go .* BACKSTORY_PRISM, .* --job-endpoint\.$/);
  expect(readdirSync(join(folder.path, "cache", "prism-v2.77.0"))).toEqual([]);
});

/** A stand-in for Go, whose module has a sum. */
const go = (sum: string, install = `printf '%s' '${PRISM}' > $GOBIN/prism && chmod 755 $GOBIN/prism`) =>
  `#!/bin/sh\nPATH=/bin:/usr/bin\ncase $1 in\nmod) mkdir -p $GOBIN; echo '{"Sum":"${sum}"}';;\ninstall) ${install};;\nesac\n`;
const SUM = "h1:RsC61pHEvtySEHAURQyP/+CVOJm/hy5hewuG9JF0+Ow=";

test("where the release cannot be had, Go builds it", async () => {
  using folder = temporary();
  process.env.PATH = join(folder.path, "bin");
  program(process.env.PATH, "go", go(SUM));
  await using web = await serve((_, response) => response.writeHead(404).end());
  const there = join(folder.path, "cache", "prism-v2.77.0");
  await expect(findPrism(sources(folder.path, web.url))).resolves.toBe(join(there, "prism"));
  expect(readdirSync(there)).toEqual(["prism"]);
});

test.each([
  ["another sum", go("h1:other"), /has checksum h1:other, not h1:RsC6/],
  ["an error", go(SUM, "echo no space >&2; exit 1"), /Go cannot build it: no space\./],
])("Go with %s: nothing is left, and what to do is told", async (_, text, message) => {
  using folder = temporary();
  process.env.PATH = join(folder.path, "bin");
  program(process.env.PATH, "go", text);
  await expect(findPrism(sources(folder.path))).rejects.toThrow(message);
  expect(readdirSync(join(folder.path, "cache", "prism-v2.77.0"))).toEqual([]);
});
