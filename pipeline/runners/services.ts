import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A runner of our own, which ends with this process, however that ends. */
export interface JobService {
  /** host:port of the job service */
  endpoint: string;
  /** where its log goes */
  log: string;
  /** resolves when it ended by itself, with why */
  ended: Promise<string>;
  /** ends it, its children and temporary files; idempotent */
  stop(): Promise<void>;
}

export interface Command {
  /** as people call it; in lower case it names the log */
  name: string;
  /** for its log and its temporary files; made if it is not there */
  folder: string;
  command: string;
  args: string[];
  /** finds `port` in what it logs once it listens. The service chooses the port, so that nobody can take it in between. */
  ready: RegExp;
  limitMs?: number;
}

/** A service that does not start, or what it needs cannot be had. */
export class ServiceError extends Error {
  override name = "ServiceError";
  readonly exitCode = 1;
}

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 10_000;
const POLL_MS = 20;

/**
 * Runs "$@" until standard input is closed, which it is when the parent ends, however it does. Temporary files go when the service ends.
 * A service killed (137) may leave children in its group: so the last line ends the whole group, this shell included.
 */
const GUARD = `
tmp=$1; shift
exec 3<&0
"$@" </dev/null 3<&- & child=$!
{ cat <&3 >/dev/null; kill -9 $child; } 2>/dev/null & watch=$!
exec 3<&-
wait $child; status=$?
kill $watch 2>/dev/null
rm -rf "$tmp"
[ $status = 137 ] && kill -9 0
exit $status`;

/** The folder for a service's temporary files: it goes when the service ends. */
export const temporaryFolder = (folder: string) => join(resolve(folder), "tmp");

/** @throws ServiceError with the end of its log, if it does not start to listen in time */
export async function startService(wanted: Command): Promise<JobService> {
  const temporary = temporaryFolder(wanted.folder);
  mkdirSync(temporary, { recursive: true });
  const log = join(resolve(wanted.folder), `${wanted.name.toLowerCase()}.log`);
  const service = new Service(wanted.name, spawnGuarded(wanted, temporary, log), log, temporary);
  const limitMs = wanted.limitMs ?? START_LIMIT_MS;
  const limit = Date.now() + limitMs;
  for (;;) {
    const port = wanted.ready.exec(readFileSync(log, "utf8"))?.groups?.port;
    if (port !== undefined && (await answers(Number(port)))) return service.listeningOn(port);
    const why = service.fate ?? (Date.now() > limit ? `${wanted.name} did not answer within ${limitMs / 1000} s` : undefined);
    if (why === undefined) {
      await sleep(POLL_MS);
      continue;
    }
    const message = `${why}. ${lastWords(log)}`;
    await service.stop();
    throw new ServiceError(message);
  }
}

/** In a group of its own: Ctrl-C is for this process, which has a job to cancel before the service may go. */
function spawnGuarded({ command, args }: Command, temporary: string, log: string): ChildProcess {
  const out = openSync(log, "w");
  try {
    return spawn("sh", ["-c", GUARD, "guard", temporary, command, ...args], { stdio: ["pipe", out, out], detached: true });
  } finally {
    closeSync(out);
  }
}

class Service {
  /** how it ended, if it has */
  fate: string | undefined;
  private readonly exited: Promise<string>;
  private stopping: Promise<void> | undefined;

  constructor(
    name: string,
    private readonly guard: ChildProcess,
    private readonly log: string,
    private readonly temporary: string,
  ) {
    this.exited = new Promise((tell) => {
      guard.once("error", (error) => tell(`${name} does not start: ${error.message}`));
      guard.once("exit", (code, signal) => tell(`${name} ${signal === null ? `ended with exit code ${code}` : "was killed"}`));
    });
    void this.exited.then((fate) => (this.fate = fate));
    // a guard that is gone cannot be told that the pipe is closed
    guard.stdin?.on("error", () => {});
    // the process may end while it runs: its pipe closes by itself
    guard.unref();
  }

  listeningOn(port: string): JobService {
    return { endpoint: `localhost:${port}`, log: this.log, ended: this.ended(), stop: () => this.stop() };
  }

  private async ended(): Promise<string> {
    const fate = await this.exited;
    return this.stopping === undefined ? fate : new Promise<string>(() => {});
  }

  stop(): Promise<void> {
    return (this.stopping ??= this.end());
  }

  private async end(): Promise<void> {
    this.guard.ref();
    this.guard.stdin?.destroy();
    const limit = new AbortController();
    await Promise.race([this.exited, sleep(STOP_LIMIT_MS, undefined, { signal: limit.signal }).catch(() => {})]);
    limit.abort();
    this.guard.unref();
    killGroup(this.guard.pid);
    rmSync(this.temporary, { recursive: true, force: true, maxRetries: 3 });
  }
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // all of it has ended
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((tell) => {
    const socket = connect(port, "localhost");
    const end = (answer: boolean) => {
      socket.destroy();
      tell(answer);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
    socket.setTimeout(1000, () => end(false));
  });
}

/** The end of a log, for people. */
function lastWords(log: string): string {
  const text = readFileSync(log, "utf8").trimEnd().slice(-2000);
  return text === "" ? `Its log is empty: ${log}` : `The end of its log, ${log}:\n${text}`;
}
