/**
 * What is fuzzed. A target is made for a folder of its own; `cases` are bytes made of what is in the corpus or is written here, and `check` throws where
 * such bytes do what no bytes may.
 */
const { gzipSync, zstdCompressSync } = require("node:zlib");
const { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, cpSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const fc = require("fast-check");
const { mutated } = require("./bytes.js");
const { gcs } = require("./gcs.js");
const { dist, scanBoth, unclear, verifyReads } = require("./scans.js");

const CLICKS = [
  '{"customer_id":1,"item_id":9007199254740993,"click_time":"2025-03-01 10:00:00"}',
  '{"dt":"2025-03-02","item_id":"7","click_time":"2025-03-01T10:00:00.123456789+02:00","x":{"y":[1,2.5e3,"\\u00e9\\ud83d\\ude00"]},"customer_id":-3}',
];
const RANKINGS = [
  '{"dt":"2025-03-02","ranking_id":"r1","customer_id":1,"impressions":[{"item_id":5,"is_order":true},{"is_order":false,"item_id":6}]}',
  '{"impressions":[{"item_id":1,"is_order":false}],"ranking_id":"\\u00e4\\n","dt":"dt=2025-03-03","customer_id":"2"}',
];
const ROWS = [...CLICKS, ...RANKINGS];
const CSV = [
  'customer_id,item_id,click_time\r\n1,2,2025-03-01 10:00:00\r\n"3","4","2025-03-01 10:00:00.5Z"\r\n',
  'dt,ranking_id,customer_id,impressions\n2025-03-02,r,1,"[{""item_id"": 5, ""is_order"": true}]"\n2025-03-02,"a ""b"", c",2,"[\n]"\n',
];
const JSON_TOKENS = [
  '"',
  "\\",
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "\\ud800",
  "\\u0000",
  "__proto__",
  '"__proto__":{"polluted":1},',
  "NaN",
  "1e999",
  "-0",
  "01",
  "[".repeat(70),
  "\ufeff",
  "\r",
  "\n",
  "9".repeat(50),
  "\u00ff",
];
const CSV_TOKENS = ['"', '""', ",", "\n", "\r", "\r\n", '"1"2', "\ufeff", "__proto__", "customer_id", "\u00ff"];

const buffers = (texts) => texts.map((each) => Buffer.from(each));
const both = (name) => async (bytes, folder) => {
  await scanBoth(bytes, folder, name);
  await verifyReads(bytes, folder, name);
};

/** Commands in this process, as a shell would start them in `folder`. */
async function cli(args) {
  const { main } = dist("pipeline/cli.js");
  const { log, error } = console;
  let err = "";
  let out = "";
  console.log = (line) => void (out += `${line}\n`);
  console.error = (line) => void (err += `${line}\n`);
  const code = await main(args).finally(() => Object.assign(console, { log, error }));
  // 1 is for what no words were found for, except where what another run has left cannot be finished
  if (![0, 1, 2, 3, 4].includes(code) || (code === 1 && /--debug prints where/.test(err)))
    throw new Error(`exit code ${code} of ${JSON.stringify(args)}: ${err}`);
  const last = err.trimEnd().split("\n").at(-1);
  if (code !== 0 && code !== 4 && !(last.startsWith("backstory: ") && last.length < 20_000))
    throw new Error(`no clear message of ${JSON.stringify(args)}: ${err}`);
  if (unclear(err)) throw new Error(`an unclear message of ${JSON.stringify(args)}: ${err}`);
  return { code, out, err };
}

/** Small inputs, and an output made of them. */
async function makeOutput(folder) {
  const input = (name, rows) => writeFileSync(join(folder, `${name}.ndjson`), rows.map((row) => `${row}\n`).join(""));
  input("clicks", [CLICKS[0], CLICKS[0].replace("10:00", "11:00")]);
  input("impressions", [RANKINGS[0], RANKINGS[0].replaceAll("2025-03-02", "2025-03-03")]);
  const tables = ["--impressions=impressions.ndjson", "--clicks=clicks.ndjson", "--add-to-carts=none", "--previous-orders=none"];
  process.chdir(folder);
  const { code, err } = await cli(["build", ...tables, "--output=out", "--history-length=3", "--shards=1", "--threads=1", "--quiet"]);
  if (code !== 0) throw new Error(`the output to fuzz could not be built: ${err}`);
  return tables;
}

const namesBelow = (folder) => readdirSync(folder, { recursive: true, encoding: "utf8" }).sort().join("\n");

/** Values that a hostile JSON would have somewhere. */
const hostile = fc.oneof(
  fc.constantFrom(
    null,
    true,
    "",
    -1,
    1e308,
    2 ** 53,
    0.5,
    "../../precious",
    "/etc/passwd",
    "..",
    ".",
    "dt=../x",
    "a\0b",
    "x".repeat(5000),
    [],
    {},
    [[]],
    "__proto__",
    "constructor",
  ),
  fc.constantFrom(
    "out",
    "gs://",
    "2025-03-02",
    "9999-12-31",
    "part-00000-of-00001.parquet",
    "2025-02-30",
    "1y",
    "none",
    "../impressions.ndjson",
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

/** A JSON text with some of its values, keys or elements changed. */
const hostileJson = (texts) =>
  fc
    .tuple(
      fc.constantFrom(...texts),
      fc.array(fc.tuple(fc.nat(), hostile, fc.constantFrom("set", "set", "set", "drop", "add", "proto")), { minLength: 1, maxLength: 3 }),
    )
    .map(([text, changes]) => {
      const root = JSON.parse(text);
      for (const [which, given, kind] of changes) {
        const value = structuredClone(given); // else a value could come to be within itself
        const places = [];
        const walk = (node) => {
          for (const key of Object.keys(node)) {
            places.push([node, key]);
            if (node[key] !== null && typeof node[key] === "object") walk(node[key]);
          }
        };
        walk(root);
        if (places.length === 0) continue;
        const [node, key] = places[which % places.length];
        const define = (name, to) => Object.defineProperty(node, name, { value: to, enumerable: true, configurable: true, writable: true });
        if (kind === "set") node[key] = value;
        else if (kind === "drop" && !Array.isArray(node)) delete node[key];
        else if (kind === "add") define(Array.isArray(node) ? node.length : `extra${which}`, value);
        else if (!Array.isArray(node)) define("__proto__", { polluted: value });
      }
      return Buffer.from(JSON.stringify(root));
    });

const FLAGS = ["impressions", "clicks", "add-to-carts", "previous-orders", "output", "dates", "train-days", "timezone", "history-length", "lookback-days", "order-lag-days",
  "order-time", "action-clock", "write-mode", "columns", "max-memory", "temp-dir", "compression", "rejects", "max-rejects", "fail-on", "metrics-json", "config", "runner",
  "job-endpoint", "environment", "time-unit", "shards", "row-group-bytes", "sample", "seed", "max-findings", "rows", "actions", "run", "max-positions", "workers", "parallelism"]; // biome-ignore format: a table
const VALUES = ["", "none", "0", "1", "-1", "1.5", "1e9", "0x10", "NaN", "2025-03-02", "2025-03-02..2025-03-03", "2025-03-03..2025-03-02", "2025-02-30", "0000-00-00..9999-99-99", "UTC", "Europe/Berlin", "Mars",
  "+01:00", "../", "__proto__", "constructor", "toString", "in.ndjson", "*.ndjson", "**", "[", "{a,b}", "{1..99999999}", "+(+(+(a)))", "!(*)", "a\\", "\0", "\n", "%", "50%", "101%", "-5%", "1GB", "999999999999TB", "1%",
  "zero_history_pct>0.5", "rows>", ">", "rows>NaN", "leak,leak", "standard", "+length,+times", "actions=actions,item_id=actions", "=", "a=b=c", ",", "é", "\ud800", "x".repeat(3000), "direct", "overwrite", "append",
  "time", "dt", "both", "s", "ns", "zstd", "gs://", "gs:///x", "s3://b/x", "file:///x", "out", "out/dt=2025-03-02", "clicks.ndjson", "impressions.ndjson", "all"]; // biome-ignore format: a table

const flag = fc
  .tuple(
    fc.constantFrom(...FLAGS, "__proto__", "constructor", "no-quiet", "json", "debug", "", "clikcs"),
    fc.oneof(fc.constantFrom(...VALUES), fc.string({ maxLength: 12 })),
    fc.nat(9),
  )
  .map(([name, value, form]) =>
    form === 0
      ? [`--${name}`]
      : form === 1
        ? [`--${name}`, value]
        : form === 2
          ? [value]
          : [`--${name.replaceAll("-", form === 3 ? "_" : "-")}=${value}`],
  );

/** Nothing that leaves the folder, waits for the network or takes hours by request. */
const isHarmless = (args) =>
  !args.some((arg) => /(^|=)\/(?!$)|\.\.\/|gs:\/\/.|[a-z]+-endpoint=.*:|^--?(host|port|debug)/.test(arg)) &&
  !args.some((arg) => /^(prism|flink|portable)$|=(prism|flink|portable)$/.test(arg));

const TARGETS = {
  ndjson: async () => ({
    cases: () => mutated(buffers([...ROWS, `${ROWS.join("\n")}\n`, `${ROWS.join("\r\n")}`]), JSON_TOKENS),
    check: both("a.ndjson"),
  }),
  json: async () => ({
    cases: () => mutated(buffers([`[${ROWS.join(",\n")}]`, "[]", `[${CLICKS[0]}]`]), JSON_TOKENS),
    check: both("a.json"),
  }),
  csv: async () => ({ cases: () => mutated(buffers(CSV), CSV_TOKENS), check: both("a.csv") }),
  packed: async () => {
    const text = Buffer.from(`${ROWS.join("\n")}\n`.repeat(20));
    const bomb = Buffer.alloc(4 << 20, 0x20);
    const seeds = [
      gzipSync(text),
      zstdCompressSync(text),
      Buffer.concat([gzipSync(text), gzipSync(text)]),
      Buffer.concat([zstdCompressSync(text), zstdCompressSync(text)]),
      gzipSync(bomb),
      zstdCompressSync(bomb),
    ];
    return {
      cases: () => mutated(seeds),
      check: async (bytes, folder) => {
        for (const name of ["a.ndjson.gz", "a.csv.zst", "a", "a.parquet.gz"]) await both(name)(bytes, folder);
      },
    };
  },
  parquet: async () => ({ cases: (corpus) => mutated([...corpus, ...fixtures()]), check: both("a.parquet") }),
  config: async (folder) => {
    const { parseFlags } = dist("pipeline/flags.js");
    const { BuildOptions } = dist("pipeline/options.js");
    const seeds = [
      "history_length: 200\ntables:\n  - { name: clicks, type: 1, customer: user, item: sku, time: at }\n  - &a { name: wishes, type: 4, item: item_id, time: wished_at, path: data/wishes }\n",
      "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\ndates: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n",
      '{"historyLength":5,"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"tables":[{"name":"clicks","__proto__":{}}]}',
      "<<: {dates: x}\n? [a]\n: b\n!!js/function x: 1\ntimezone: !!binary aGk=\n",
    ];
    const tokens = [
      "__proto__",
      "constructor",
      "&a",
      "*a",
      "<<: *a",
      "!!set",
      "!!binary",
      "\t",
      "---\n",
      "{",
      "}",
      "[",
      "]",
      "|\n",
      ": ",
      "- ",
      "tables",
      "null",
      "~",
      ".inf",
      "0o17",
      "1e400",
    ];
    return {
      cases: (corpus) => mutated([...buffers(seeds), ...corpus], tokens),
      check: async (bytes) => {
        for (const name of ["config.yaml", "config.json"]) {
          writeFileSync(join(folder, name), bytes);
          try {
            parseFlags(
              BuildOptions,
              [`--config=${join(folder, name)}`, "--impressions=a", "--clicks=a", "--add-to-carts=a", "--previous-orders=a", "--output=o"],
              0,
            );
          } catch (error) {
            if (error.exitCode !== 2 || unclear(error.message) || error.message.length > 3000) throw error;
          }
        }
      },
    };
  },
  cli: async (folder) => {
    const tables = await makeOutput(folder);
    const start = {
      build: [...tables, "--output=out2", "--quiet"],
      verify: ["out"],
      clean: ["out"],
      inspect: ["out"],
      analyse: ["out"],
      rebuild: [join("out", "_manifests", readdirSync("out/_manifests")[0]), "--output=out3"],
      generate: ["--output=gen", "--rankings=3", "--actions=10", "--customers=2", "--overwrite"],
    };
    const args = fc
      .tuple(
        fc.constantFrom(...Object.keys(start), "build", "build", "verify", "", "--help", "__proto__", "constructor"),
        fc.nat(7),
        fc.array(flag, { maxLength: 4 }),
        fc.boolean(),
      )
      .map(([name, bare, flags, before]) => {
        const own = bare > 0 && Object.hasOwn(start, name) ? start[name] : [];
        return [name, ...(before ? [...flags.flat(), ...own] : [...own, ...flags.flat()])];
      })
      .filter(isHarmless)
      .map((all) => Buffer.from(JSON.stringify(all)));
    return {
      cases: () => args,
      check: async (bytes) => {
        await cli(JSON.parse(bytes.toString()));
        for (const name of readdirSync(folder))
          if (!/^(out|case|clicks\.ndjson|impressions\.ndjson)$/.test(name)) rmSync(name, { recursive: true, force: true });
      },
    };
  },
  manifest: async (folder) => {
    await makeOutput(folder);
    cpSync("out", "good", { recursive: true });
    mkdirSync("precious");
    writeFileSync("precious/part-00000-of-00001.parquet", "precious");
    const [name] = readdirSync("out/_manifests");
    const manifest = readFileSync(join("out/_manifests", name), "utf8");
    const run = name.replace(/\.json$/, "");
    const plan = JSON.stringify({
      run,
      partitions: [
        {
          dt: "2025-03-02",
          files: [{ attempt: "a", name: "part-00000-of-00001.parquet", bytes: 3 }],
          replaced: ["part-00000-of-00002.parquet"],
          runs: [run],
        },
      ],
    });
    const part = "out/dt=2025-03-02/part-00000-of-00001.parquet";
    const parts = mutated([readFileSync(part)]).map((bytes) => Buffer.concat([Buffer.from("part\n"), bytes]));
    const places = {
      part,
      manifest: join("out/_manifests", name),
      marker: "out/dt=2025-03-02/_SUCCESS",
      plan: `out/_publishing/${run}~1/commit/plan.json`,
    };
    const of = (place, texts) =>
      fc
        .oneof(
          { weight: 5, arbitrary: hostileJson(texts) },
          { weight: 1, arbitrary: mutated(buffers(texts), ["{", "}", "null", '"', "__proto__"]) },
        )
        .map((bytes) => Buffer.concat([Buffer.from(`${place}\n`), bytes]));
    return {
      cases: () =>
        fc.oneof({ weight: 4, arbitrary: of("manifest", [manifest]) }, of("marker", [`{"runs":["${run}"]}`]), of("plan", [plan]), {
          weight: 2,
          arbitrary: parts,
        }),
      check: async (bytes) => {
        const lf = bytes.indexOf(10);
        const place = places[bytes.toString("utf8", 0, lf)];
        rmSync("out", { recursive: true, force: true });
        cpSync("good", "out", { recursive: true });
        mkdirSync(join(place, ".."), { recursive: true });
        writeFileSync(place, bytes.subarray(lf + 1));
        const outside = namesBelow("precious");
        const before = readFileSync("clicks.ndjson", "utf8") + readFileSync("impressions.ndjson", "utf8");
        await cli(["verify", "out", "--sample=all"]);
        await cli(["verify", "out", "--sample=1", "--json"]);
        if (place === places.manifest) await cli(["rebuild", place, "--output=again", "--quiet"]);
        await cli(["clean", "out"]);
        await cli(["clean", "out", `--run=${run}`]);
        for (const command of ["inspect", "analyse"]) await cli([command, "out"]);
        rmSync("again", { recursive: true, force: true });
        if (
          namesBelow("precious") !== outside ||
          before !== readFileSync("clicks.ndjson", "utf8") + readFileSync("impressions.ndjson", "utf8")
        )
          throw new Error("something outside of the output was changed");
        const strangers = readdirSync(".").filter((each) => !/^(out|good|precious|case|clicks\.ndjson|impressions\.ndjson)$/.test(each));
        if (strangers.length > 0) throw new Error(`outside of the output there is ${strangers}`);
      },
    };
  },
  gcs: () => gcs({ hostileJson, mutated, rows: `${ROWS.join("\n")}\n` }),
  columns: async () => {
    const { ColumnsCoder } = dist("beam/coders.js");
    const { Writer, Reader } = require("protobufjs");
    const coder = new ColumnsCoder();
    const encoded = (value) => {
      const writer = Writer.create();
      coder.encode(value, writer, "needsDelimiters");
      return Buffer.from(writer.finish());
    };
    const of = (n, f) => Array.from({ length: n }, (_, i) => f(i));
    const seeds = [
      {
        a: Int32Array.from(of(300, (i) => i % 7)),
        b: Float64Array.from(of(300, (i) => 1.7e15 + i * 1e6)),
        c: BigInt64Array.from(of(300, (i) => BigInt(i * i) << 20n)),
        d: new Uint8Array(300),
        n: null,
      },
      { q: BigInt64Array.of(1n, -(2n ** 63n)), list: [{ x: 1.5, y: "text" }, [true, 10n]] },
      {
        sorted: Int32Array.from(of(500, (i) => i * 1000)),
        same: new Int32Array(500),
        steps: Float64Array.from(of(400, (i) => i * 86_400_000_000)),
      },
    ].map(encoded);
    return {
      cases: () => mutated(seeds, ["__proto__", "constructor", "toString", "a", "o", "g", "n", "j", "b", "B", "I", "D", "Q"]),
      // what a runner hands on is not people's: any error will do, but memory and time have limits, and what is read can be written
      check: async (bytes) => {
        let value;
        try {
          value = coder.decode(Reader.create(bytes), "needsDelimiters");
        } catch (error) {
          if (!(error instanceof Error)) throw new Error(`threw ${error}`);
          return;
        }
        encoded({ value });
      },
    };
  },
};

function fixtures() {
  const place = join(__dirname, "../fixtures/parquet-in");
  return existsSync(place)
    ? readdirSync(place)
        .filter((name) => name.endsWith(".parquet"))
        .map((name) => readFileSync(join(place, name)))
    : [];
}

module.exports = { TARGETS };
