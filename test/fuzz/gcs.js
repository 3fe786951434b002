/** Answers of Cloud Storage that no service gives: to a listing, and to a range. */
const { once } = require("node:events");
const { createServer } = require("node:http");
const fc = require("fast-check");
const { dist, unclear } = require("./scans.js");

const LISTINGS = [
  { items: [{ name: "in/a.ndjson", size: "SIZE", generation: "17" }] },
  { items: [{ name: "in/dt=2025-03-02/a", size: "SIZE", generation: "17", contentEncoding: "gzip" }], nextPageToken: "more" },
  { prefixes: ["in/"], items: [{ name: "in/", size: "0", generation: "1" }] },
  {},
];

/** A case is `listing LF head LF body`: JSON of the listing; JSON of status and headers of a range; its bytes. */
async function gcs({ hostileJson, mutated, rows }) {
  const { useLimits } = dist("pipeline/gcs/limits.js");
  const { findInputs, planSplits } = dist("pipeline/io/files.js");
  const { readRange } = dist("pipeline/gcs/range.js");
  useLimits({ maxRetries: 1, maxRetryDelay: 0.001, totalTimeout: 2, idleTimeout: 0.3 });
  let answers = { listing: Buffer.alloc(0), head: { status: 206, headers: {} }, body: Buffer.alloc(0) };
  let listings = 0;
  const server = createServer((question, answer) => {
    if (question.url.includes("alt=media")) {
      try {
        answer.writeHead(answers.head.status, answers.head.headers);
      } catch {
        answer.writeHead(206);
      }
      return void answer.end(answers.body);
    }
    answer.writeHead(200, { "content-type": "application/json" });
    // a page follows once, so that a listing has an end
    answer.end(++listings % 3 === 0 ? "{}" : answers.listing);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  process.env.STORAGE_EMULATOR_HOST = `http://127.0.0.1:${server.address().port}`;
  const texts = LISTINGS.map((each) => JSON.stringify(each).replace("SIZE", String(Buffer.byteLength(rows))));
  const listing = fc.oneof(
    fc.constantFrom(...texts).map((text) => Buffer.from(text)),
    hostileJson(texts).map((text) => Buffer.from(JSON.stringify(asLibraryTakes(JSON.parse(text))))),
  );
  const head = fc.record({
    status: fc.oneof(
      { weight: 4, arbitrary: fc.constant(206) },
      { weight: 1, arbitrary: fc.constantFrom(200, 204, 301, 304, 400, 401, 403, 404, 412, 416, 429, 500, 503) },
    ),
    headers: fc.constantFrom(
      {},
      {},
      { "content-encoding": "gzip" },
      { "x-goog-generation": "18" },
      { "content-length": "5" },
      { "content-length": "99999" },
      { location: "gs://bucket" },
    ),
  });
  return {
    cases: () =>
      fc
        .tuple(listing, head, mutated([Buffer.from(rows)]))
        .map(([names, how, body]) => Buffer.concat([Buffer.from(`${names.toString("base64")}\n${JSON.stringify(how)}\n`), body])),
    check: async (bytes) => {
      const [first, second] = [bytes.indexOf(10), bytes.indexOf(10, bytes.indexOf(10) + 1)];
      answers = {
        listing: Buffer.from(bytes.toString("latin1", 0, first), "base64"),
        head: JSON.parse(bytes.toString("utf8", first + 1, second)),
        body: bytes.subarray(second + 1),
      };
      for (const uri of ["gs://bucket/in", "gs://bucket/i*/**"]) await told(() => reads(uri));
    },
  };

  async function reads(uri) {
    listings = 0;
    const files = await findInputs(uri, "clicks");
    await planSplits("clicks", files, 1000);
    for (const file of files) if (file.size < 1e6) await readRange(file, 0, file.size);
  }
}

/** Google's library ends the process where `items` is no list; what is in the list is ours to look at. */
function asLibraryTakes(listing) {
  const { items, nextPageToken } = listing ?? {};
  return { items: Array.isArray(items) ? items : [items], ...(typeof nextPageToken === "string" ? { nextPageToken } : {}) };
}

/** An error must be one for people: of the configuration, of a file, or of the service. */
async function told(work) {
  try {
    await work();
  } catch (error) {
    if (![1, 2, 3].includes(error?.exitCode) || unclear(error.message) || error.message.length > 20_000) throw error;
  }
}

module.exports = { gcs };
