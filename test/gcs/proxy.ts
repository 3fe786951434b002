import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { pipeline } from "node:stream";

/** What befalls a request on its way. */
export type Fault =
  | { status: number; body: unknown }
  /** the connection ends after so many bytes of the answer's body */
  | { cut: number }
  /** no answer ever */
  | "silence"
  /** the answer begins, and falls silent after so many bytes */
  | { stall: number }
  /** the request is carried out, and the answer lost */
  | "lost answer"
  /** the same, and this is called before anybody can notice */
  | { carriedOut: () => Promise<void> };

export interface Seen {
  method: string;
  /** path and query */
  url: string;
  range: string | undefined;
  authorization: string | undefined;
}

const QUIET_MS = 60_000;

/** A proxy before a server, which notes all requests and lets some of them meet with an accident. */
export class FaultyProxy {
  seen: Seen[] = [];
  /** asked for each request */
  fault: (request: Seen) => Fault | undefined | Promise<Fault | undefined> = () => undefined;
  private under = 0;
  private quietened: (() => void)[] = [];
  private readonly server = createServer((question, answer) => void this.handle(question, answer));

  private constructor(private readonly target: number) {}

  static async start(port: number, target: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target);
    await new Promise<void>((resolve) => proxy.server.listen(port, "127.0.0.1", resolve));
    return proxy;
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  /** When nothing is under way to the server any more: what a dead process has sent may still be carried out. */
  async quiet(): Promise<void> {
    if (this.under === 0) return;
    const limit = AbortSignal.timeout(QUIET_MS);
    await new Promise<void>((resolve, reject) => {
      limit.onabort = () => reject(new Error(`${this.under} requests are still under way after ${QUIET_MS / 1000} s.`));
      this.quietened.push(resolve);
    });
  }

  private over() {
    if (--this.under === 0) for (const resolve of this.quietened.splice(0)) resolve();
  }

  private async handle(question: IncomingMessage, answer: ServerResponse) {
    const { range, authorization } = question.headers;
    const seen = { method: question.method!, url: question.url!, range, authorization };
    this.seen.push(seen);
    const fault = await this.fault(seen);
    if (fault === "silence") return;
    if (fault !== undefined && typeof fault === "object" && "status" in fault) {
      question.resume();
      answer.writeHead(fault.status, { "content-type": "application/json" }).end(JSON.stringify(fault.body));
      return;
    }
    this.forward(question, answer, fault);
  }

  private forward(question: IncomingMessage, answer: ServerResponse, fault: Exclude<Fault, { status: number } | "silence"> | undefined) {
    const { method, url, headers } = question;
    this.under++;
    const onward = request({ host: "127.0.0.1", port: this.target, method, path: url, headers }, (reply) => {
      if (fault === "lost answer") return void reply.resume().on("end", () => answer.destroy());
      if (fault !== undefined && "carriedOut" in fault)
        return void reply.resume().on("end", () => void fault.carriedOut().then(() => answer.destroy()));
      answer.writeHead(reply.statusCode!, reply.headers);
      // Where the asker has gone or goes, plain pipe() would leave the reply unread for ever, and quiet() would wait for it.
      if (answer.destroyed) return void reply.resume();
      if (fault === undefined) return void pipeline(reply, answer, () => {});
      let left = "cut" in fault ? fault.cut : fault.stall;
      reply.on("data", (bytes: Buffer) => {
        if (left > 0) answer.write(bytes.subarray(0, left));
        left -= bytes.length;
        if (left > 0) return;
        reply.destroy();
        if ("cut" in fault) answer.destroy();
      });
    });
    onward.on("error", () => answer.destroy()).on("close", () => this.over());
    // Whoever dies in the middle of its question has asked nothing; without this the server would wait for the rest, and quiet() for the server.
    pipeline(question, onward, () => {});
  }
}
