/** The proxy of these tests itself: whoever goes away leaves nothing under way, or every test that waits for quiet would hang. */
import { once } from "node:events";
import { createServer, type RequestListener, request } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { FaultyProxy } from "./proxy";

const { freePort } = require("./server") as { freePort(): Promise<number> };

async function before(answering: RequestListener, act: (port: number, proxy: FaultyProxy) => Promise<void>) {
  const server = createServer(answering).listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = await freePort();
  const proxy = await FaultyProxy.start(port, (server.address() as AddressInfo).port);
  try {
    await act(port, proxy);
    await proxy.quiet();
  } finally {
    await proxy.close();
    server.closeAllConnections();
    server.close();
  }
}

const MUCH = Buffer.alloc(1 << 24);

test.each(["in the middle of the answer", "before the answer"])(
  "a client that goes away %s",
  async (moment) => {
    const late = moment === "before the answer" ? 200 : 0;
    await before(
      (question, answer) => void question.resume().on("end", () => setTimeout(() => answer.end(MUCH), late)),
      async (port) => {
        const asked = request({ port, host: "127.0.0.1" })
          .on("error", () => {})
          .end();
        if (late === 0) {
          const [reply] = await once(asked, "response");
          await once(reply, "data");
        } else await pause(100);
        asked.destroy();
      },
    );
  },
  20_000,
);

test("a client that goes away in the middle of its question", async () => {
  await before(
    (question, answer) => void question.resume().on("end", () => answer.end()),
    async (port) => {
      const asked = request({ port, host: "127.0.0.1", method: "POST", headers: { "content-length": 100 } }).on("error", () => {});
      asked.write("the beginning");
      await pause(100);
      asked.destroy();
      await pause(100);
    },
  );
}, 20_000);

test("a client that goes away while its question waits for its fault", async () => {
  await before(
    (question, answer) => void question.resume().on("end", () => answer.end()),
    async (port, proxy) => {
      proxy.fault = () => pause(200, undefined);
      const asked = request({ port, host: "127.0.0.1", method: "POST" }).on("error", () => {});
      asked.end("all of it");
      await pause(100);
      asked.destroy();
      await pause(300);
    },
  );
}, 20_000);
