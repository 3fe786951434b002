import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { credentials, payer, storage } from "./client";
import { mayPass, Refused, reading, StorageError, told } from "./errors";
import { limits } from "./limits";
import { parseUri } from "./uri";

/** An object in the version that the run has been planned with. */
export interface Pinned {
  path: string;
  generation?: string;
}

/** A good piece: with any byte for one, an object that comes byte by byte would take hours. */
const PROGRESS_BYTES = 64 << 10;

/**
 * Bytes [start, end) of an object. A connection that breaks or falls silent is taken up where it ended; one that has brought a good piece gives
 * it all tries anew.
 *
 * The library's own read stream is not used: it cannot go on in the middle, waits for a body without any limit, and closes all
 * connections of a process where one of them broke.
 * @throws StorageError where the object has been replaced or removed, or the network fails for too long; ConfigError without permission
 */
export async function readRange(object: Pinned, start: number, end: number, signal?: AbortSignal): Promise<Buffer> {
  const into = Buffer.allocUnsafe(end - start);
  const { maxRetries } = limits();
  let filled = 0;
  for (let tries = 0; filled < into.length; ) {
    const before = filled;
    try {
      await attempt(object, start + filled, end, signal, (bytes) => {
        filled += bytes.copy(into, filled);
      });
      if (filled < into.length) throw Object.assign(new Error("the answer is short"), { code: "ECUT" });
    } catch (error) {
      signal?.throwIfAborted();
      tries = filled - before >= PROGRESS_BYTES ? 1 : tries + 1;
      if (tries > maxRetries || !mayPass(error)) throw gone(error, object) ?? told(error, reading(object.path));
      await sleep(delayMs(tries), undefined, { signal });
    }
  }
  return into;
}

/** As the library counts it, but from a quarter of a second on and with all of it up to chance, so that ranges do not come back all at once. */
function delayMs(tries: number): number {
  const { retryDelayMultiplier, maxRetryDelay } = limits();
  return 1000 * Math.random() * Math.min(maxRetryDelay, 0.5 * retryDelayMultiplier ** (tries - 1));
}

/** A version that is not there any more: the object was replaced or removed. */
function gone(error: unknown, { path, generation }: Pinned): StorageError | undefined {
  if (!(error instanceof Refused) || error.code !== 404 || generation === undefined) return undefined;
  return replaced(path, generation);
}

/** The version that was asked for is not there any more. */
export class Replaced extends StorageError {}

const replaced = (path: string, generation: string) =>
  new Replaced(
    `"${path}" was replaced or removed while it was read: its generation ${generation} is gone. Nothing was published; run it again when nobody writes to the inputs.`,
  );

async function attempt(object: Pinned, start: number, end: number, signal: AbortSignal | undefined, take: (bytes: Buffer) => void) {
  const { idleTimeout, totalTimeout } = limits();
  const headers = { ...(await credentials()), "accept-encoding": "gzip", range: `bytes=${start}-${end - 1}` };
  const deadline = AbortSignal.timeout(totalTimeout * 1000);
  const options = { headers, timeout: idleTimeout * 1000, signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]) };
  const answer = await get(urlOf(object), options);
  await checkAnswer(answer, object);
  for await (const bytes of answer) take(bytes as Buffer);
}

function urlOf({ path, generation }: Pinned): URL {
  const { bucket, name } = parseUri(path, "an input");
  const url = new URL(`${storage().baseUrl}/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(name)}`);
  url.searchParams.set("alt", "media");
  if (generation !== undefined) url.searchParams.set("generation", generation);
  const project = payer();
  if (project !== undefined) url.searchParams.set("userProject", project);
  return url;
}

/** Connections that stay open between ranges; proxies as the environment names them, where Node knows how. */
const settings = { keepAlive: true, proxyEnv: process.env };
const agents = { "http:": new HttpAgent(settings), "https:": new HttpsAgent(settings) };

function get(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  const secure = url.protocol === "https:";
  const agent = secure ? agents["https:"] : agents["http:"];
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(url, { ...options, agent }, resolve);
    request.on("timeout", () => request.destroy(Object.assign(new Error("nothing came"), { code: "ETIMEDOUT" })));
    request.on("error", reject);
    request.end();
  });
}

async function checkAnswer(answer: IncomingMessage, { path, generation }: Pinned): Promise<void> {
  const status = answer.statusCode ?? 0;
  if (status !== 206) throw new Refused(status, await excerpt(answer));
  const found = answer.headers["x-goog-generation"];
  if (generation === undefined || found === undefined || found === generation) return;
  answer.destroy();
  throw replaced(path, generation);
}

/** The beginning of what an error says. */
async function excerpt(answer: IncomingMessage): Promise<string> {
  let text = "";
  for await (const bytes of answer) {
    text += (bytes as Buffer).toString("latin1");
    if (text.length > 10_000) break;
  }
  return text;
}
