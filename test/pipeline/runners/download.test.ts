import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, download } from "../../../pipeline/runners/download";
import { SHORT, serve, temporary } from "./web";

const BYTES = Buffer.alloc(300_000, "abc");
const sum = createHash("sha256").update(BYTES).digest("hex");
const wanted = (url: string, folder: string) => ({ url, path: join(folder, "cache", "file"), algorithm: "sha256" as const, sum });

test("what comes is there, whole, and nothing else", async () => {
  using folder = temporary();
  await using web = await serve((_, response) => response.end(BYTES));
  await download(wanted(web.url, folder.path), SHORT);
  expect(readFileSync(join(folder.path, "cache", "file"))).toEqual(BYTES);
  expect(readdirSync(join(folder.path, "cache"))).toEqual(["file"]);
});

test("two at the same time, of one process, end with the one file", async () => {
  using folder = temporary();
  await using web = await serve((_, response) => response.end(BYTES));
  await Promise.all([download(wanted(web.url, folder.path), SHORT), download(wanted(web.url, folder.path), SHORT)]);
  expect(readdirSync(join(folder.path, "cache"))).toEqual(["file"]);
});

test("what broke off is begun anew", async () => {
  using folder = temporary();
  await using web = await serve((_, response) => {
    response.writeHead(200, { "content-length": BYTES.length });
    if (web.asked() > 1) return void response.end(BYTES);
    response.write(BYTES.subarray(0, 1000), () => response.destroy());
  });
  await download(wanted(web.url, folder.path), SHORT);
  expect(readFileSync(join(folder.path, "cache", "file"))).toEqual(BYTES);
});

test("what broke off without a length has another sum: it is never taken for the whole", async () => {
  using folder = temporary();
  await using web = await serve((_, response) => response.end(BYTES.subarray(0, 1000)));
  await expect(download(wanted(web.url, folder.path), SHORT)).rejects.toThrow(`${web.url} has sha256 `);
  expect(readdirSync(join(folder.path, "cache"))).toEqual([]);
});

const REFUSALS: [what: string, status: number, asked: number, message: RegExp][] = [
  ["404 is asked for once", 404, 1, /answers 404 Not Found\.$/],
  ["403 is asked for once", 403, 1, /answers 403 Forbidden\.$/],
  ["503 is asked for again", 503, 2, /could not be fetched in 2 attempts: .* answers 503 Service Unavailable\.$/],
  ["429 is asked for again", 429, 2, /could not be fetched in 2 attempts: .* answers 429 Too Many Requests\.$/],
];
test.each(REFUSALS)("%s", async (_, status, asked, message) => {
  using folder = temporary();
  await using web = await serve((_, response) => response.writeHead(status).end("no"));
  await expect(download(wanted(web.url, folder.path), SHORT)).rejects.toThrow(message);
  expect(web.asked()).toBe(asked);
  expect(readdirSync(join(folder.path, "cache"))).toEqual([]);
});

test("a server that stops talking is given up", async () => {
  using folder = temporary();
  await using web = await serve((_, response) => void response.write("a"));
  await expect(download(wanted(web.url, folder.path), SHORT)).rejects.toThrow(
    "could not be fetched in 2 attempts: nothing came for 0.3 s.",
  );
});

test("one that never begins, too", async () => {
  using folder = temporary();
  await using web = await serve(() => {});
  await expect(download(wanted(web.url, folder.path), SHORT)).rejects.toThrow("nothing came for 0.3 s.");
});

test("and one that trickles", async () => {
  using folder = temporary();
  const timers: NodeJS.Timeout[] = [];
  await using web = await serve((_, response) => void timers.push(setInterval(() => response.write("a"), 20)));
  await expect(download(wanted(web.url, folder.path), SHORT)).rejects.toThrow("not done within 1 s.");
  timers.forEach(clearInterval);
});

test("a server that is not there: the reason is told", async () => {
  using folder = temporary();
  await expect(download(wanted("http://127.0.0.1:1/", folder.path), SHORT)).rejects.toThrow(/ECONNREFUSED|bad port/);
});

test("parts of processes that were killed go after a day", async () => {
  using folder = temporary();
  await using web = await serve((_, response) => response.end(BYTES));
  await download(wanted(web.url, folder.path), SHORT);
  const [old, young] = ["x.1.part", "x.2.part"].map((name) => join(folder.path, "cache", name));
  for (const part of [old, young]) writeFileSync(part, "");
  utimesSync(old, 0, 0);
  await download(wanted(web.url, folder.path), SHORT);
  expect([old, young].map((part) => existsSync(part))).toEqual([false, true]);
});

test("BACKSTORY_CACHE names the cache; without it, it is in the home", () => {
  const before = process.env.BACKSTORY_CACHE;
  process.env.BACKSTORY_CACHE = "some/where";
  expect(cacheFolder()).toBe(join(process.cwd(), "some/where"));
  delete process.env.BACKSTORY_CACHE;
  expect(cacheFolder()).toMatch(/\/\.cache\/backstory$/);
  if (before !== undefined) process.env.BACKSTORY_CACHE = before;
});
