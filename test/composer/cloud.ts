/** Dataflow and Cloud Storage of tests, as a process of their own; see test/dataflow/serve.js. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const START_MS = 120_000;
const END_MS = 30_000;

export class Cloud {
  private constructor(
    private readonly process: ChildProcess,
    readonly endpoint: string,
    readonly storageHost: string,
  ) {}

  static async start(buckets: string[]): Promise<Cloud> {
    const args = [join(__dirname, "../dataflow/serve.js"), ...buckets.map((bucket) => `--bucket=${bucket}`)];
    // the end of its standard input ends it, also where this process is killed
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    try {
      const [line] = (await once(createInterface(child.stdout!), "line", { signal: AbortSignal.timeout(START_MS) })) as [string];
      const { endpoint, storageHost } = JSON.parse(line);
      return new Cloud(child, endpoint, storageHost);
    } catch (error) {
      child.kill("SIGKILL");
      throw new Error(`test/dataflow/serve.js did not start: ${(error as Error).message}`);
    }
  }

  async put(bucket: string, name: string, content: Uint8Array): Promise<void> {
    const url = `${this.storageHost}/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(name)}`;
    await answer(url, { method: "POST", body: Buffer.from(content) });
  }

  async get(bucket: string, name: string): Promise<Buffer> {
    const found = await answer(`${this.storageHost}/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}?alt=media`);
    return Buffer.from(await found.arrayBuffer());
  }

  async names(bucket: string, prefix = ""): Promise<string[]> {
    const found = await answer(`${this.storageHost}/storage/v1/b/${bucket}/o?prefix=${encodeURIComponent(prefix)}`);
    const { items = [] } = (await found.json()) as { items?: { name: string }[] };
    return items.map(({ name }) => name).sort();
  }

  async stop(): Promise<void> {
    const ended = once(this.process, "exit", { signal: AbortSignal.timeout(END_MS) });
    this.process.kill("SIGTERM");
    await ended.catch(() => this.process.kill("SIGKILL"));
  }
}

async function answer(url: string, init: RequestInit = {}): Promise<Response> {
  const found = await fetch(url, { ...init, signal: AbortSignal.timeout(60_000) });
  if (!found.ok) throw new Error(`${url}: HTTP ${found.status}`);
  return found;
}
