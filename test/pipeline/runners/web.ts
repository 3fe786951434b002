import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Limits } from "../../../pipeline/runners/download";

export const SHORT: Limits = { stallMs: 300, totalMs: 1000, attempts: 2, pauseMs: 1 };

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A web server for a test; it counts what it is asked for. */
export async function serve(answer: Answer): Promise<{ url: string; asked: () => number; [Symbol.asyncDispose](): Promise<void> }> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((done) => server.close(() => done()) && server.closeAllConnections());
  return { url: `http://127.0.0.1:${port}`, asked: () => asked, [Symbol.asyncDispose]: close };
}

export function temporary(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), "backstory-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
