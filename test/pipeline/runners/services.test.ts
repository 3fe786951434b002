import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, type JobService, startService } from "../../../pipeline/runners/services";
import { temporary } from "./web";

/** A service for a test: a Node process that listens, leaves a file in its temporary folder and does as told. */
const PROGRAM = `
const [temporary, then] = process.argv.slice(1);
const server = require("node:net").createServer((socket) => socket.on("data", () => process.exit(7)).on("error", () => {}));
if (then === "fails") { console.error("no such thing"); process.exit(3); }
if (then === "hangs") setInterval(() => {}, 1000);
else server.listen(0, () => {
  require("node:fs").writeFileSync(temporary + "/file", "");
  const child = require("node:child_process").spawn("sleep", ["60"]);
  console.log("child=" + child.pid + " pid=" + process.pid + " port=" + server.address().port);
});`;

const command = (folder: string, then = "serves"): Command => ({
  name: "Runner",
  folder,
  command: process.execPath,
  args: ["-e", PROGRAM, join(folder, "tmp"), then],
  ready: /port=(?<port>\d+)/,
  limitMs: then === "hangs" ? 500 : 20_000,
});

function pidsOf(service: Pick<JobService, "log">): number[] {
  return [...readFileSync(service.log, "utf8").matchAll(/(?:child|pid)=(\d+)/g)].map(([, pid]) => Number(pid));
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // one that nobody has waited for is not alive either
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

async function becomes(what: () => boolean): Promise<void> {
  for (const limit = Date.now() + 10_000; !what(); await sleep(20)) if (Date.now() > limit) throw new Error("it never did");
}

test("a service listens where it says, and stop ends it, its children and its files, however often", async () => {
  using folder = temporary();
  const service = await startService(command(folder.path));
  expect(service.endpoint).toMatch(/^localhost:\d+$/);
  const pids = pidsOf(service);
  expect(pids.map(lives)).toEqual([true, true]);
  expect(readdirSync(join(folder.path, "tmp"))).toEqual(["file"]);
  await Promise.all([service.stop(), service.stop()]);
  await service.stop();
  await becomes(() => !pids.some(lives));
  expect(readdirSync(folder.path)).toEqual(["runner.log"]);
});

test("two at a time have ports of their own", async () => {
  using one = temporary();
  using other = temporary();
  const services = await Promise.all([one, other].map(({ path }) => startService(command(path))));
  expect(new Set(services.map(({ endpoint }) => endpoint)).size).toBe(2);
  await Promise.all(services.map((service) => service.stop()));
});

test("one that ends by itself tells why, and its files go", async () => {
  using folder = temporary();
  const service = await startService(command(folder.path));
  connect(Number(service.endpoint.split(":")[1]))
    .on("error", () => {})
    .write("end");
  await expect(service.ended).resolves.toBe("Runner ended with exit code 7");
  expect(existsSync(join(folder.path, "tmp"))).toBe(false);
  await service.stop();
});

test("one that is killed tells so", async () => {
  using folder = temporary();
  const service = await startService(command(folder.path));
  const [, pid] = pidsOf(service);
  process.kill(pid, "SIGKILL");
  await expect(service.ended).resolves.toBe("Runner was killed");
  await service.stop();
});

test("one that was stopped has not ended by itself", async () => {
  using folder = temporary();
  const service = await startService(command(folder.path));
  await service.stop();
  await expect(Promise.race([service.ended, sleep(50, "silent")])).resolves.toBe("silent");
});

test("one that dies at start: its code and its last words", async () => {
  using folder = temporary();
  await expect(startService(command(folder.path, "fails"))).rejects.toThrow(
    /^Runner ended with exit code 3\. The end of its log, .*:\nno such thing$/,
  );
  expect(readdirSync(folder.path)).toEqual(["runner.log"]);
});

test("one that never answers is given up at its limit, and ended", async () => {
  using folder = temporary();
  await expect(startService(command(folder.path, "hangs"))).rejects.toThrow(/^Runner did not answer within 0\.5 s\. Its log is empty: /);
  expect(readdirSync(folder.path)).toEqual(["runner.log"]);
});

test("a program that is not there", async () => {
  using folder = temporary();
  const none = { ...command(folder.path), command: join(folder.path, "none") };
  await expect(startService(none)).rejects.toThrow(/^Runner ended with exit code 127\. (.|\n)*not found/);
});

test("a service ends with the process that started it, however that ends, and its files go", async () => {
  using folder = temporary();
  const script = join(folder.path, "parent.js");
  const module = join(__dirname, "../../../dist/pipeline/runners/services.js");
  const wanted = { ...command(folder.path), ready: undefined };
  writeFileSync(
    script,
    `require(${JSON.stringify(module)}).startService({ ...${JSON.stringify(wanted)}, ready: /port=(?<port>\\d+)/ }).then(({ log }) => console.log(log))`,
  );
  const parent = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  // it must not end by itself
  const log = await new Promise<string>((tell) => parent.stdout.once("data", (bytes) => tell(String(bytes).trim())));
  const pids = pidsOf({ log });
  expect(pids).toHaveLength(2);
  parent.kill("SIGKILL");
  await becomes(() => !pids.some(lives) && !existsSync(join(folder.path, "tmp")));
});
