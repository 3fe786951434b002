import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Client, credentials } from "@grpc/grpc-js";
import { beamFnExternalWorkerPoolDefinition } from "apache-beam/proto/beam_fn_api.grpc-server";
import type * as Compiled from "../../../pipeline/runners/pool";
import { FakeRunner, until } from "../../beam/fakerunner";

jest.setTimeout(30_000);

/** Workers are compiled programs, so that theirs is the compiled pool. */
const { LIMITS, WorkerPool } = require("../../../dist/pipeline/runners/pool.js") as typeof Compiled;

const SETTINGS = { threads: 1, folder: null };
const { startWorker, stopWorker } = beamFnExternalWorkerPoolDefinition;

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function start(limits: Partial<typeof LIMITS> = {}, ready = 0) {
  const told: string[] = [];
  const tell = (importance: string, text: string) => void told.push(`${importance}: ${text}`);
  const pool = await new WorkerPool({ settings: SETTINGS, ready, tell, limits: { ...LIMITS, ...limits } }).listen();
  open.push(() => pool.close());
  const client = new Client(pool.address, credentials.createInsecure());
  open.push(() => client.close());
  const call = (method: typeof startWorker | typeof stopWorker, request: object): Promise<{ error: string }> =>
    new Promise((resolve, reject) =>
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize as never,
        method.responseDeserialize as never,
        request,
        (error, value) => (error === null ? resolve(value as never) : reject(error)),
      ),
    );
  const ask = (url: string | undefined, workerId = "w") =>
    call(startWorker, { workerId, controlEndpoint: url === undefined ? undefined : { url }, params: {} });
  return { pool, told, ask, stop: (workerId: string) => call(stopWorker, { workerId }) };
}

async function runner(): Promise<FakeRunner> {
  const fake = await new FakeRunner().start();
  open.push(() => fake.stop());
  return fake;
}

/** A worker that has registered with a runner of its own. */
async function atWork(ask: (url: string, workerId: string) => Promise<unknown>, id: string): Promise<void> {
  const fake = await runner();
  await ask(fake.endpoint, id);
  await fake.ask("1", { oneofKind: "harnessMonitoringInfos", harnessMonitoringInfos: {} });
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("a pool is at this machine's own address only, unless told otherwise", async () => {
  const { pool } = await start();
  const [host, port] = pool.address.split(":");
  expect(host).toBe("localhost");
  const reached = (address: string) =>
    new Promise<boolean>((resolve) => {
      const socket = connect(Number(port), address, () => resolve(true)).on("error", () => resolve(false));
      socket.once("close", () => socket.destroy()).setTimeout(5000, () => socket.destroy(new Error("silent")));
      open.push(() => socket.destroy());
    });
  expect(await reached("localhost")).toBe(true);
  const others = Object.values(networkInterfaces()).flatMap((all) => all!.filter(({ internal, family }) => !internal && family === "IPv4"));
  for (const { address } of others) expect([address, await reached(address)]).toEqual([address, false]);
});

test("a port that somebody has is told, with what to do", async () => {
  const { pool } = await start();
  const [, port] = pool.address.split(":");
  const second = new WorkerPool({ settings: SETTINGS, ready: 0, tell: () => {}, port: Number(port) });
  await expect(second.listen()).rejects.toThrow(
    /^no worker pool can listen at localhost:\d+: .*EADDRINUSE.* Choose another --port or --host\.$/,
  );
  await second.close();
});

test("a worker registers with the runner, answers it, and ends when it is told to", async () => {
  const { pool, ask, stop } = await start({}, 1);
  const fake = await runner();
  const [pid] = pool.living();
  expect(await ask(fake.endpoint)).toEqual({ error: "" });
  expect(pool.living()).toEqual([pid]); // the one that was ready
  expect((await fake.ask("1", { oneofKind: "harnessMonitoringInfos", harnessMonitoringInfos: {} })).error).toBe("");
  await stop("w");
  await until("the worker ends", () => !alive(pid));
  expect(pool.lastDeath).toBeUndefined();
});

test("workers end with the process that started them, however it ends", async () => {
  const parent = spawn(process.execPath, [join(__dirname, "poolparent.js")], { stdio: ["ignore", "pipe", "inherit"] });
  open.push(() => parent.kill("SIGKILL"));
  const [line] = await once(parent.stdout, "data");
  const workers: number[] = JSON.parse(String(line));
  expect(workers.map(alive)).toEqual([true, true]);
  parent.kill("SIGKILL");
  await until("all workers end", () => !workers.some(alive), 15_000);
});

test("a worker ends with its runner, which is no fault", async () => {
  const { pool, ask } = await start();
  const fake = await runner();
  await ask(fake.endpoint);
  await fake.ask("1", { oneofKind: "harnessMonitoringInfos", harnessMonitoringInfos: {} });
  fake.stop();
  await until("the worker ends", () => pool.living().length === 0);
  expect(pool.lastDeath).toBeUndefined();
});

test("a worker that dies is told, and the run fails if the runner does nothing about it", async () => {
  const { pool, told, ask } = await start({ reactMs: 100 });
  const fake = await runner();
  await ask(fake.endpoint, "w7");
  await fake.ask("1", { oneofKind: "harnessMonitoringInfos", harnessMonitoringInfos: {} });
  process.kill(pool.living()[0], "SIGKILL");
  await expect(pool.failed).rejects.toThrow(/worker w7 ended by itself \(signal SIGKILL\).*did not ask for another one/s);
  expect(told).toContain("warning: worker w7 ended by itself (signal SIGKILL)");
});

test("another worker takes the place of one that died, if the runner asks for it", async () => {
  const { pool, ask } = await start({ reactMs: 2000 });
  const fake = await runner();
  await ask(fake.endpoint);
  await fake.ask("1", { oneofKind: "harnessMonitoringInfos", harnessMonitoringInfos: {} });
  process.kill(pool.living()[0], "SIGKILL");
  await until("its death is told", () => pool.lastDeath !== undefined);
  await ask(fake.endpoint, "again");
  expect(pool.living()).toHaveLength(1);
});

test("of several that died none is waited for once the runner asks for workers again", async () => {
  const { pool, told, ask } = await start({ reactMs: 1000 });
  for (const id of ["a", "b"]) await atWork(ask, id);
  for (const pid of pool.living()) process.kill(pid, "SIGKILL");
  await until("both deaths are told", () => told.filter((each) => each.includes("SIGKILL")).length === 2);
  await ask((await runner()).endpoint, "again");
  expect(await Promise.race([pool.failed, setTimeout(1500, "goes on")])).toBe("goes on");
});

test("the death of a worker that nobody misses, since others work on, is told and no more", async () => {
  const { pool, told, ask } = await start({ reactMs: 200 });
  for (const id of ["a", "b"]) await atWork(ask, id);
  process.kill(pool.living()[0], "SIGKILL");
  await until("its death is told", () => told.some((each) => each.includes("SIGKILL")));
  expect(await Promise.race([pool.failed, setTimeout(600, "goes on")])).toBe("goes on");
});

test("the end of what a worker has printed is told", async () => {
  const { pool, ask } = await start({ reactMs: 100 });
  await ask("localhost:1");
  await expect(pool.failed).rejects.toThrow(
    /worker w ended by itself \(exit code 1\); the end of what it printed:\n.*backstory-worker: the runner at localhost:1 cannot be reached/s,
  );
});

test("a runner that never asks for a worker", async () => {
  const { pool } = await start({ askMs: 50 });
  pool.expect();
  await expect(pool.failed).rejects.toThrow(/has not asked for a worker within 0.05 s.*worker pool at localhost:\d+/);
});

test("a worker that does not reach its runner in time", async () => {
  const { pool, ask } = await start({ registerMs: 1 });
  await ask("192.0.2.1:1"); // of a network that is nowhere
  await expect(pool.failed).rejects.toThrow(/worker w has not reached the runner at 192.0.2.1:1 within/);
});

test("nonsense is refused", async () => {
  const { pool, ask, stop } = await start();
  expect((await ask(undefined)).error).toMatch(/control endpoint/);
  expect(await stop("unknown")).toEqual({ error: "" });
  expect(pool.living()).toEqual([]);
});

test("a pool ends all its workers, and may do so twice", async () => {
  const { pool } = await start({}, 2);
  const workers = pool.living();
  await Promise.all([pool.close(), pool.close()]);
  expect(workers.map(alive)).toEqual([false, false]);
});
