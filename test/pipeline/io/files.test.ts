import { mkdirSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { ConfigError } from "../../../pipeline/errors";
import { findFiles, planSplits } from "../../../pipeline/io/files";
import type { Format } from "../../../pipeline/io/rows";
import { temporary } from "./gather";

const files = temporary();
const at = (path: string) => join(files.path, path);
const found = (path: string) => findFiles(at(path), "clicks").map((file) => relative(files.path, file.path));

function write(path: string, content: string | Uint8Array = "{}\n") {
  mkdirSync(dirname(at(path)), { recursive: true });
  return files.write(path, content);
}

describe("what counts", () => {
  beforeAll(() => {
    for (const path of [
      "in/b.ndjson",
      "in/a.ndjson",
      "in/B.ndjson",
      "in/é.ndjson",
      "in/z/dt=2025-08-16/c.ndjson",
      "in/_SUCCESS",
      "in/.c.crc",
    ])
      write(path);
    for (const path of [
      "in/_attempts/d.ndjson",
      "in/z/.hidden/e.ndjson",
      "_staging/dt=2025-08-17/f.ndjson",
      "_staging/_g.ndjson",
      "in/[1]/h.ndjson",
    ])
      write(path);
  });
  const all = ["in/B.ndjson", "in/[1]/h.ndjson", "in/a.ndjson", "in/b.ndjson", "in/z/dt=2025-08-16/c.ndjson", "in/é.ndjson"];

  test("a folder gives the files in it at every level, in byte order, without _ and . names", () => expect(found("in")).toEqual(all));
  test("with a slash behind it too", () => expect(found("in/")).toEqual(all));
  test("a file gives itself, whatever it is called", () => expect(found("_staging/_g.ndjson")).toEqual(["_staging/_g.ndjson"]));
  test("a given folder may begin with _", () => expect(found("_staging")).toEqual(["_staging/dt=2025-08-17/f.ndjson"]));
  test("a given path with the characters of a glob is a path if there is one", () => expect(found("in/[1]")).toEqual(["in/[1]/h.ndjson"]));

  test.each([
    ["in/*.ndjson", ["in/B.ndjson", "in/a.ndjson", "in/b.ndjson", "in/é.ndjson"]],
    ["in/{a,b}.ndjson", ["in/a.ndjson", "in/b.ndjson"]],
    ["in/**/*.ndjson", all],
    ["in/**", all],
    ["in/z/dt=*", ["in/z/dt=2025-08-16/c.ndjson"]],
    ["_staging/dt=*/*", ["_staging/dt=2025-08-17/f.ndjson"]],
    ["_staging/*", ["_staging/dt=2025-08-17/f.ndjson"]],
  ])("glob %s", (glob, expected) => expect(found(glob)).toEqual(expected));

  test("a glob may be relative", () => {
    const glob = relative(process.cwd(), at("in/*.ndjson"));
    expect(findFiles(glob, "clicks").map(({ path }) => path)).toEqual(["B", "a", "b", "é"].map((name) => at(`in/${name}.ndjson`)));
  });

  test.each(["nowhere", "nowhere/*", "in/a.ndjson/x", "in/*.csv", "in/_*", ""])("nothing at %j is a ConfigError that names it", (path) => {
    expect(() => findFiles(path && at(path), "clicks")).toThrow(ConfigError);
    expect(() => findFiles(path && at(path), "clicks")).toThrow(path || '""');
  });
  test("an empty folder is a ConfigError", () => {
    mkdirSync(at("empty/_x"), { recursive: true });
    expect(() => findFiles(at("empty"), "clicks")).toThrow(ConfigError);
  });
});

describe("links", () => {
  beforeAll(() => {
    write("far/away.ndjson");
    write("links/a.ndjson");
    symlinkSync("../far/away.ndjson", at("links/file.ndjson"));
    symlinkSync("../far", at("links/folder"));
    symlinkSync("..", at("links/up"));
    mkdirSync(at("broken"));
    symlinkSync("nowhere.ndjson", at("broken/b.ndjson"));
  });
  const all = ["links/a.ndjson", "links/file.ndjson", "links/folder/away.ndjson"];

  test("are followed, save those that lead back up", () => expect(found("links")).toEqual(all));
  test("are followed by globs too", () => expect(found("links/**/*.ndjson")).toEqual(all));
  test.each(["broken", "broken/*", "broken/b.ndjson"])("to nowhere, in %s, are a ConfigError", (path) => {
    expect(() => found(path)).toThrow(ConfigError);
    expect(() => found(path)).toThrow(/b\.ndjson/);
  });
});

describe("Hive folders", () => {
  test.each([
    ["hive/dt=2025-08-16/country=de/a.ndjson", { dt: "2025-08-16", country: "de" }],
    ["hive/dt=1/dt=2/a.ndjson", { dt: "2" }],
    ["hive/v=a%2Fb%20c%C3%A9/a.ndjson", { v: "a/b cé" }],
    ["hive/v=100%/w=%FF/a.ndjson", { v: "100%", w: "%FF" }],
    ["hive/v=a=b/=c/a.ndjson", { v: "a=b" }],
    ["hive/v=/x=y.ndjson", { v: "" }],
  ])("%s", (path, partition) => {
    write(path);
    expect(findFiles(at(path), "clicks")[0].partition).toEqual(partition);
  });

  test("count where they are part of the given path, too", () => {
    write("hive2/dt=2025-08-16/a.ndjson");
    for (const path of ["hive2", "hive2/dt=2025-08-16", "hive2/dt=*", "hive2/*/a.ndjson"]) {
      expect(findFiles(at(path), "clicks")[0].partition).toEqual({ dt: "2025-08-16" });
    }
  });
});

describe("formats", () => {
  const array = "\ufeff \n[{}]";
  test.each<[string, string | Buffer, Format, string]>([
    ["a.ndjson", "", "ndjson", "none"],
    ["a.jsonl.gz", "", "ndjson", "gzip"],
    ["a.JSONL.ZST", "", "ndjson", "zstd"],
    ["a.csv", "", "csv", "none"],
    ["a.csv.gz", "", "csv", "gzip"],
    ["a.parquet", "", "parquet", "none"],
    ["a.snappy.parquet", "", "parquet", "none"],
    ["a.gz.parquet", "", "parquet", "none"],
    ["a.pq", "", "parquet", "none"],
    ["a.parquet.gz", "", "parquet", "gzip"],
    ["a.json", array, "json", "none"],
    ["a.json", "{}\n{}", "ndjson", "none"],
    ["a.json", "", "ndjson", "none"],
    ["a.json", "nonsense", "ndjson", "none"],
    ["a.json.gz", gzipSync(array), "json", "gzip"],
    ["a.json.gz", gzipSync("{}".repeat(1_000_000)), "ndjson", "gzip"],
    ["a.json.gz", "no gzip", "ndjson", "gzip"],
    ["part-0000", "PAR1...", "parquet", "none"],
    ["part-0000", gzipSync("{}\n"), "ndjson", "gzip"],
    ["part-0000.gz", gzipSync("a,b\n"), "csv", "gzip"],
    ["part-0000", array, "json", "none"],
    ["part-0000.txt", '{"a":1}', "ndjson", "none"],
    ["part-0000.dat", "a,b\n1,2\n", "csv", "none"],
  ])("%s holding %.12j is %s, %s", (name, content, format, compression) => {
    expect(findFiles(write(`formats/${name}`, content), "clicks")).toEqual([
      { path: at(`formats/${name}`), size: Buffer.byteLength(content), format, compression, partition: {} },
    ]);
  });
});

describe("splits", () => {
  test("cover every byte of NDJSON once and are numbered through all files; empty files have none", async () => {
    write("splits/a.ndjson", "x".repeat(1000));
    write("splits/b.ndjson", "");
    write("splits/c.ndjson.gz", "y".repeat(1000));
    write("splits/d.csv", "z".repeat(1000));
    const splits = await planSplits("clicks", findFiles(at("splits"), "clicks"), 300);
    expect(splits.map(({ index, start, end, file }) => [index, relative(at("splits"), file.path), start, end])).toEqual([
      [0, "a.ndjson", 0, 333],
      [1, "a.ndjson", 333, 666],
      [2, "a.ndjson", 666, 1000],
      [3, "c.ndjson.gz", 0, Number.MAX_SAFE_INTEGER],
      [4, "d.csv", 0, 1000],
    ]);
  });

  test("of Parquet are runs of row groups", async () => {
    const path = join(__dirname, "../../fixtures/parquet-in/row-groups.parquet");
    const plan = async (bytes: number) =>
      (await planSplits("clicks", findFiles(path, "clicks"), bytes)).map(({ start, end }) => [start, end]);
    expect(await plan(1)).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(await plan(1 << 30)).toEqual([[0, 3]]);
  });
});

test("a file may be called as what every object has", () => {
  write("odd/a.constructor");
  write("odd/b.ndjson.__proto__");
  expect(findFiles(at("odd"), "clicks").map(({ format, compression }) => [format, compression])).toEqual(Array(2).fill(["ndjson", "none"]));
});
