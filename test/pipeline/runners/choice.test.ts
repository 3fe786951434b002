import { ConfigError } from "../../../pipeline/errors";
import { parseFlags } from "../../../pipeline/flags";
import { BuildOptions } from "../../../pipeline/options";
import { chooseRunner, endsWithUs, type Portable } from "../../../pipeline/runners/choice";

const CORES = 4;
const choose = (...flags: string[]): Portable | null =>
  chooseRunner(parseFlags(BuildOptions, ["--impressions=i", "--output=o", ...flags], 0).options, CORES);

test("nothing said is the direct runner", () => {
  expect(choose()).toBeNull();
  expect(choose("--runner=direct", "--threads=3", "--max-memory=1GB")).toBeNull();
});

test.each([
  [["--runner=prism"], { workers: 1, threads: 4, environment: { kind: "external", config: undefined } }],
  [["--runner=prism", "--threads=2", "--workers=1"], { workers: 1, threads: 2 }],
  [["--runner=flink"], { workers: 4, threads: 1, parallelism: 4, flinkMaster: undefined }],
  [["--runner=flink", "--workers=2", "--parallelism=8", "--threads=3"], { workers: 2, threads: 3, parallelism: 8 }],
  [
    ["--runner=flink", "--job-endpoint=far:1", "--environment=docker", "--environment-config=image:1"],
    { environment: { kind: "docker", config: "image:1" } },
  ],
  [["--runner=flink", "--environment=process"], { environment: { kind: "process", config: undefined } }],
  [["--runner=portable", "--job-endpoint=localhost:8099"], { jobEndpoint: "localhost:8099", runnerBytes: 0 }],
  [["--runner=portable", "--job-endpoint=[::1]:8099"], { jobEndpoint: "[::1]:8099" }],
  [
    ["--runner=portable", "--job-endpoint=far:8099", "--environment-config=far:50000"],
    { environment: { kind: "external", config: "far:50000" } },
  ],
])("%j", (flags, wanted) => {
  expect(choose(...flags)).toMatchObject(wanted);
});

test.each([
  [["--job-endpoint=localhost:1"], /--job-endpoint is of no use with --runner=direct.*--runner=prism, flink or portable/],
  [["--environment=process"], /--environment is of no use/],
  [["--environment-config=x"], /--environment-config is of no use/],
  [["--workers=2"], /--workers is of no use/],
  [["--parallelism=2"], /--parallelism is of no use/],
  [["--flink-master=x:1"], /--flink-master is of no use/],
  [["--runner=prism", "--flink-conf-dir=x"], /--flink-conf-dir is of no use with --runner=prism/],
  [["--runner=prism", "--parallelism=2"], /--parallelism is of no use with --runner=prism/],
  [["--runner=prism", "--workers=2"], /--workers must be 1 on Prism.*--threads/],
  [["--runner=portable"], /wants the address of a job service.*--job-endpoint=HOST:PORT/],
  [["--runner=flink", "--environment=docker"], /wants the worker's image/],
  [["--runner=flink", "--environment-config=localhost"], /must be the HOST:PORT of a worker pool/],
  [["--runner=flink", "--job-endpoint=cluster:8099"], /cannot reach a worker pool of this machine.*worker-pool/],
  [["--runner=flink", "--max-memory=600MB", "--workers=2"], /--max-memory must be at least \d+MB with 2 workers of one thread/],
  [["--runner=spark"], /--runner must be one of direct, prism, flink, portable, dataflow; got "spark"/],
  [["--runner=portable", "--job-endpoint=http://x:1"], /--job-endpoint must be HOST:PORT/],
  [["--runner=portable", "--job-endpoint=x:0"], /--job-endpoint must be HOST:PORT/],
  [["--runner=portable", "--job-endpoint=x:65536"], /--job-endpoint must be HOST:PORT/],
  [["--runner=portable", "--job-endpoint=x"], /--job-endpoint must be HOST:PORT/],
  [["--runner=flink", "--workers=0"], /--workers must be at least 1/],
  [["--runner=flink", "--environment="], /--environment must be one of external, process, docker/],
])("%j is refused", (flags, message) => {
  const refused = () => choose(...flags);
  expect(refused).toThrow(ConfigError);
  expect(refused).toThrow(message);
});

test("memory is divided: a runner that is started here gets its share, and no more workers start than there is memory for", () => {
  const of = (...flags: string[]) => choose("--runner=flink", "--max-memory=4GB", ...flags)!;
  expect(of("--workers=1").runnerBytes).toBe(1.6e9);
  expect(choose("--runner=flink", "--max-memory=1.6GB")!.workers).toBe(1);
});

test("on Prism the one worker has as many threads as there are cores, or memory for", () => {
  const threads = (...flags: string[]) => choose("--runner=prism", ...flags)!.threads;
  expect(threads("--max-memory=8GB")).toBe(CORES);
  expect(threads("--max-memory=1.2GB")).toBe(1);
  expect(threads("--max-memory=8GB", "--threads=3")).toBe(3);
  expect(() => threads("--max-memory=1.2GB", "--threads=3")).toThrow(/--max-memory must be at least \d+MB.*fewer --workers or --threads/);
});

test("only of a run whose runner and workers are its own the end of the process says that it is dead", () => {
  const own = (...flags: string[]) => endsWithUs(choose(...flags)!);
  expect(own("--runner=prism")).toBe(true);
  expect(own("--runner=flink", "--workers=2")).toBe(true);
  expect(own("--runner=flink", "--job-endpoint=localhost:1")).toBe(false);
  expect(own("--runner=flink", "--environment=process")).toBe(false);
  expect(own("--runner=flink", "--environment-config=pool:1")).toBe(false);
});
