/** What `npm run bench` makes of its measurements; the measuring itself wants Python and minutes. */
import { availableParallelism } from "node:os";

interface Contestant {
  tool: string;
  label: string;
  format: string;
  flags?: string[];
  command(input: string, output: string): [string, string[]];
}
interface Workload {
  name: string;
  actions: number;
  able: string[];
  formats: string[];
  peers?: string[];
  flags: string[];
}
interface Run {
  seconds: number;
  peakBytes: number | null;
  outputBytes: number;
  stages?: Record<string, { seconds: number; busySeconds: number }>;
}

const { workloadOf } = require("../../bench/workloads") as { workloadOf(name: string): Workload | undefined };
const { contestantsOf } = require("../../bench/contestants") as { contestantsOf(workload: Workload, options: object): Contestant[] };
const { turnsOf } = require("../../bench/turns") as { turnsOf<T>(contestants: T[], repeatsOf: (contestant: T) => number): T[] };
const { markdown } = require("../../bench/markdown") as { markdown(results: object): string };
const { chart } = require("../../bench/chart") as { chart(results: object): string };

const pythons = { python: "python3", beam: "beam-python3" };
const asked = (name: string, options = {}) => contestantsOf(workloadOf(name)!, { pythons, buildFlags: [], ...options });
const names = (contestants: Contestant[]) => contestants.map(({ tool, format }) => `${tool} ${format}`);

describe("who runs when", () => {
  test("runs of each are spread over the whole time, and the first contestant begins", () => {
    const turns = turnsOf(["a", "b", "c", "d"], (name) => (name === "d" ? 4 : 1)).join("");
    expect(turns).toBe("adbdcdd");
    expect(turnsOf(["a", "b"], () => 3).join("")).toBe("ababab");
    expect(turnsOf(["a", "b"], (name) => (name === "b" ? 5 : 1))[0]).toBe("a");
  });
});

describe("who runs what", () => {
  test("S: all peers from what they read, backstory from all formats", () => {
    const peers = ["duckdb", "polars", "pyspark"].flatMap((tool) => [`${tool} ndjson`, `${tool} parquet`]);
    expect(names(asked("S"))).toEqual([...peers, "beam ndjson", "backstory ndjson", "backstory parquet", "backstory csv"]);
    expect(names(asked("S", { pythons: { python: "python3" } }))).not.toContain("beam ndjson");
  });

  test("Beam's Python runner has S at most", () => {
    expect(names(asked("M"))).not.toContain("beam ndjson");
    expect(names(asked("M", { peers: ["beam"], formats: ["ndjson"] }))).toEqual(["backstory ndjson"]);
  });

  test("L: backstory alone from NDJSON, within 2 GB, unless asked otherwise", () => {
    const [own, ...others] = asked("L");
    expect([names([own]), others]).toEqual([["backstory ndjson"], []]);
    expect(own.command("in", "out")[1]).toContain("--max-memory=2GB");
    expect(names(asked("L", { peers: ["polars"], formats: ["parquet"] }))).toEqual(["polars parquet", "backstory parquet"]);
  });

  test("a variant has the formats that it is made in", () => {
    expect(names(asked("M-varied", { peers: [] }))).toEqual(["backstory ndjson"]);
    expect(names(asked("M-hot", { peers: [] }))).toEqual(["backstory ndjson", "backstory parquet"]);
    expect(names(asked("M-varied", { peers: [], formats: ["csv"] }))).toEqual([]);
    for (const unknown of ["XL", "M-cold", "M-hot-crowd", ""]) expect(workloadOf(unknown)).toBeUndefined();
  });

  test("--build-flags are for backstory; peers have a thread for each core", () => {
    const [peer, own] = asked("S", { peers: ["duckdb"], formats: ["ndjson"], buildFlags: ["--compression=zstd"] });
    expect(own.command("in", "out")[1]).toEqual(
      expect.arrayContaining(["--clicks=in/clicks.ndjson", "--output=out", "--compression=zstd"]),
    );
    expect(peer.command("in", "out")[1].slice(1)).toEqual(["in", "out", "ndjson", `--threads=${availableParallelism()}`]);
  });
});

const run = (command: string) => ({
  machine: { date: "2026-01-02 03:04", cpu: "some", cores: 2, memoryBytes: 25e9, system: "Linux", versions: { Node: "24" } },
  command,
  options: { repeats: 3, peerRepeats: 1, limitSeconds: 900 },
  loadBefore: 0,
});
const runs = (seconds: number[], more: Partial<Run> = {}): Run[] =>
  seconds.map((each, i) => ({ seconds: each, peakBytes: (i + 1) * 100e6, outputBytes: 5e6, ...more }));
const entry = (tool: string, format: string, rows: number, seconds: number[], more: object = {}) => ({
  contestant: { tool, label: tool, format },
  rows,
  runs: runs(seconds, more),
});
const stagesOf = (seconds: number) => ({ stages: { scan: { seconds, busySeconds: 2 * seconds } } });

const RESULTS = {
  run: run("all"),
  workloads: [
    {
      name: "M",
      actions: 10e6,
      reference: "duckdb ndjson",
      run: run("all"),
      entries: [
        entry("duckdb", "ndjson", 1e6, [120]),
        { ...entry("polars", "ndjson", 1e6, []), problem: "killed | at the limit" },
        { ...entry("backstory", "ndjson", 1e6, [4, 2, 3], stagesOf(1.5)), sameFiles: true },
        { ...entry("backstory", "csv", 1e6, [3.6], stagesOf(2)), different: "7 of 9 rows differ" },
      ],
    },
    { name: "M-hot", actions: 10e6, run: run("all"), reference: "backstory ndjson", entries: [entry("backstory", "ndjson", 1e6, [4.5])] },
    { name: "L", actions: 100e6, run: run("another"), reference: "backstory ndjson", entries: [entry("backstory", "ndjson", 10e6, [33])] },
  ],
};

const cellsOf = (text: string, start: string): string[] => {
  const line = text.split("\n").find((each) => each.startsWith(start));
  return line!.split("|").map((cell) => cell.trim());
};

describe("RESULTS.md", () => {
  const text = markdown(RESULTS);

  test("the median with its spread, the most memory, rows a second, ratio to backstory", () => {
    const own = ["", "backstory", "ndjson", "3.00 (2.00 to 4.00)", "300", "5.00", "333,333", "", "the same, same files in 3 runs", ""];
    expect(cellsOf(text, "| backstory | ndjson | 3.00")).toEqual(own);
    expect(cellsOf(text, "| duckdb")).toEqual(["", "duckdb", "ndjson", "120", "100", "5.00", "8,333", "40.0 x", "reference", ""]);
  });

  test("who failed or differs is told", () => {
    expect(text).toContain("| polars | ndjson | killed \\| at the limit |");
    expect(text).toContain("**7 of 9 rows differ**");
  });

  test("formats, shapes and sizes by the row, to M from NDJSON", () => {
    expect(cellsOf(text, "| M | csv")).toEqual(["", "M", "csv", "10", "1,000,000", "3.60", "3.60", "1.20 x", ""]);
    expect(cellsOf(text, "| M-hot")).toEqual(["", "M-hot", "ndjson", "10", "1,000,000", "4.50", "4.50", "1.50 x", ""]);
    expect(cellsOf(text, "| L")).toEqual(["", "L", "ndjson", "100", "10,000,000", "33.0", "3.30", "1.10 x", ""]);
  });

  test("stages: how long, and the work of all threads", () => {
    expect(cellsOf(text, "| scan")).toEqual(["", "scan", "1.50 (3.00)", "2.00 (4.00)", ""]);
  });

  test("what is from another run says so", () => {
    const sections = text.split("\n## ");
    expect(sections.filter((section) => section.includes("From another run")).map((section) => section.split(":")[0])).toEqual(["L"]);
    expect(sections.find((section) => section.startsWith("L:"))).toContain("    another");
  });

  test("without anybody else's rows it does not say that they are the same", () => {
    expect(text).toContain("Nobody else ran it");
    expect(cellsOf(text, "| backstory | ndjson | 33.0").at(-2)).toBe("not compared");
  });
});

test("the chart has a panel for each size and format with peers; backstory first where it is quickest, failures last", () => {
  const svg = chart(RESULTS);
  expect(svg.match(/M actions from/g)).toHaveLength(1);
  expect(svg).toContain("M: 10 M actions from NDJSON");
  const order = [...svg.matchAll(/text-anchor="end"[^>]*>(\w+)</g)].map(([, label]) => label);
  expect(order).toEqual(["backstory", "duckdb", "polars"]);
  expect(svg).toContain("did not end well");
});
