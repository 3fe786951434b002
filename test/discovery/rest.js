/** A server of an API of Google's: takes what its discovery document allows, refuses the rest as Google does, and checks its own answers. */
const http = require("node:http");
const https = require("node:https");
const { Api } = require("./api");

const MOST_BODY = 32 * 2 ** 20;
/** HTTP's status of each of Google's codes that is used here. */
const STATUS = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
};

/** An answer that is an error. `details` as google.rpc.Status has them. */
class Refusal extends Error {
  constructor(status, message, details) {
    super(message);
    Object.assign(this, { status, details });
  }
  get code() {
    return STATUS[this.status];
  }
  get body() {
    return { error: { code: this.code, message: this.message, status: this.status, ...(this.details && { details: this.details }) } };
  }
}

/** @param problems none is fine. @throws Refusal with all of them, as Google tells them */
function refuse(problems) {
  if (problems.length === 0) return;
  const fieldViolations = problems.map((description) => ({ description }));
  throw new Refusal("INVALID_ARGUMENT", problems.join("\n"), [{ "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations }]);
}

class RestServer {
  /**
   * @param document of the API
   * @param handlers by the method's id: of `{ path, query, body }` makes the answer; may throw Refusal
   * @param before is shown each request first (`{ id, method, url, headers, body }`), and may throw Refusal: for faults and credentials
   */
  constructor(document, handlers, before = () => {}) {
    this.api = new Api(document);
    this.handlers = handlers;
    this.before = before;
    /** `id` of all that was asked, in order, and what was answered */
    this.seen = [];
  }

  /**
   * @param tls `{ key, cert }` for https
   * @returns its address, such as http://127.0.0.1:1234
   */
  async listen(port = 0, { host = "127.0.0.1", tls } = {}) {
    const serve = (request, response) => void this.serve(request, response);
    this.http = tls === undefined ? http.createServer(serve) : https.createServer(tls, serve);
    await new Promise((resolve, reject) => this.http.once("error", reject).listen(port, host, resolve));
    return `http${tls === undefined ? "" : "s"}://${host}:${this.http.address().port}`;
  }

  async close() {
    this.http?.closeAllConnections();
    await new Promise((resolve) => (this.http === undefined ? resolve() : this.http.close(resolve)));
  }

  async serve(request, response) {
    const seen = { id: undefined, method: request.method, url: request.url, headers: request.headers };
    this.seen.push(seen);
    let code = 200;
    let body;
    try {
      body = await this.answer(request, seen);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal("INTERNAL", `a bug of the test server: ${error.stack}`);
      ({ code, body } = refusal);
    }
    seen.code = code;
    response.writeHead(code, { "content-type": "application/json; charset=UTF-8" });
    response.end(`${JSON.stringify(body, null, 2)}\n`);
  }

  async answer(request, seen) {
    const url = new URL(request.url, "http://server");
    const found = this.api.find(request.method, url.pathname);
    if (found === undefined) throw new Refusal("NOT_FOUND", `The requested URL ${url.pathname} was not found on this server.`);
    const { method, path } = found;
    seen.id = method.id;
    const text = await textOf(request);
    const problems = [];
    const query = this.api.query(method, url.searchParams, problems);
    const body = this.bodyOf(method, text, problems);
    refuse(problems);
    seen.body = body;
    this.before(seen);
    const handler = this.handlers[method.id];
    if (handler === undefined) throw new Refusal("UNIMPLEMENTED", `${method.id} is not implemented.`);
    return this.checked(method, await handler({ path, query, body }), query);
  }

  bodyOf({ request }, text, problems) {
    if (request === undefined) {
      if (text !== "") problems.push("Invalid JSON payload received. A request of this method has no body.");
      return undefined;
    }
    try {
      return this.api.read(request.$ref, text === "" ? {} : JSON.parse(text), "", problems);
    } catch (error) {
      problems.push(`Invalid JSON payload received. ${error.message}`);
      return undefined;
    }
  }

  checked({ id, response }, answer, { $alt = "json" }) {
    const problems = [];
    const read = this.api.read(response.$ref, JSON.parse(JSON.stringify(answer)), "", problems);
    if (problems.length > 0) throw new Error(`${id} answers what it must not: ${problems.join("; ")}`);
    return $alt.includes("enum-encoding=int") ? this.api.numbered(response.$ref, read) : read;
  }
}

async function textOf(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MOST_BODY) throw new Refusal("INVALID_ARGUMENT", "Request payload size exceeds the limit.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

module.exports = { Refusal, RestServer };
