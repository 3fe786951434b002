/** A small API, and what is sent to it: taken, or refused as Google does. */
const { Api } = require("./api");
const { Refusal, RestServer } = require("./rest");

const THING = {
  type: "object",
  properties: {
    name: { type: "string" },
    count: { type: "integer", format: "int32" },
    bytes: { type: "string", format: "int64" },
    time: { type: "string", format: "google-datetime" },
    color: { type: "string", enum: ["COLOR_UNKNOWN", "RED", "BLUE"] },
    labels: { type: "object", additionalProperties: { type: "string" } },
    parts: { type: "array", items: { $ref: "Thing" } },
    other: { type: "object", additionalProperties: { type: "any" } },
    on: { type: "boolean" },
  },
};
const METHODS = {
  make: { id: "make", path: "v1/{shelf}/things", httpMethod: "POST", request: { $ref: "Thing" }, response: { $ref: "Thing" } },
  get: { id: "get", path: "v1/{shelf}/things/{thing}", httpMethod: "GET", response: { $ref: "Thing" } },
  count: { id: "count", path: "v1/{shelf}/things/count", httpMethod: "GET", response: { $ref: "Thing" } },
  named: { id: "named", path: "v1/{+name}:lend", httpMethod: "GET", response: { $ref: "Thing" } },
};
const PARAMETERS = {
  size: { type: "integer", format: "int32", location: "query" },
  view: { type: "string", enum: ["ALL", "FEW"], location: "query" },
};
const methods = Object.fromEntries(Object.entries(METHODS).map(([name, method]) => [name, { ...method, parameters: PARAMETERS }]));
const DOCUMENT = {
  servicePath: "",
  parameters: { alt: { type: "string", enum: ["json"], location: "query" } },
  schemas: { Thing: THING },
  resources: { shelves: { resources: { things: { methods } } } },
};
const api = new Api(DOCUMENT);
const problemsOf = (value) => {
  const problems = [];
  api.read("Thing", value, "", problems);
  return problems;
};

test.each([
  ["POST", "/v1/top/things", "make", { shelf: "top" }],
  ["GET", "/v1/top/things/a%2Fb", "get", { shelf: "top", thing: "a/b" }],
  ["GET", "/v1/top/things/count", "count", { shelf: "top" }],
  ["GET", "/v1/shelves/top:lend", "named", { name: "shelves/top" }],
])("%s %s is %s", (httpMethod, path, id, parameters) => {
  const found = api.find(httpMethod, path);
  expect([found.method.id, found.path]).toEqual([id, parameters]);
});

test.each([
  ["DELETE", "/v1/top/things"],
  ["GET", "/v1/top"],
  ["GET", "/v2/top/things/x"],
  ["GET", "/v1/top/things/x/y"],
])("%s %s is nothing", (httpMethod, path) => expect(api.find(httpMethod, path)).toBeUndefined());

test.each([
  [{}],
  [{ name: "x", count: 3, bytes: "123", time: "2025-08-03T00:00:00.123456789Z", color: "RED", on: true }],
  [{ bytes: 123, color: 2 }],
  [{ labels: { a: "b" }, parts: [{ name: "y", parts: [] }], other: { a: [1, { b: null }] } }],
  [{ name: null }],
])("%j is a thing", (value) => expect(problemsOf(value)).toEqual([]));

test.each([
  [{ size: 1 }, `Unknown name "size"`],
  [{ parts: [{}, { sizes: 1 }] }, `Unknown name "sizes" at 'parts[1]'`],
  [{ name: 3 }, `'name' (TYPE_STRING), 3`],
  [{ count: "3" }, `'count' (TYPE_INT32), "3"`],
  [{ count: 2 ** 31 }, `'count' (TYPE_INT32)`],
  [{ count: 1.5 }, `'count' (TYPE_INT32)`],
  [{ bytes: "9223372036854775808" }, `'bytes' (TYPE_INT64)`],
  [{ bytes: "x" }, `'bytes' (TYPE_INT64)`],
  [{ time: "yesterday" }, `'time' (TYPE_GOOGLE-DATETIME)`],
  [{ color: "GREEN" }, `'color' (TYPE_STRING), "GREEN"`],
  [{ color: 3 }, `'color' (TYPE_STRING), 3`],
  [{ labels: { a: 1 } }, `'labels.a' (TYPE_STRING)`],
  [{ labels: [] }, `'labels' (TYPE_OBJECT)`],
  [{ parts: {} }, `'parts' (TYPE_ARRAY)`],
  [{ on: "true" }, `'on' (TYPE_BOOLEAN)`],
  [[], `(Thing)`],
])("%j is none", (value, why) => expect(problemsOf(value)).toEqual([expect.stringContaining(why)]));

test("an enum is its name, however it was sent, and its number for those who ask", () => {
  expect(api.read("Thing", { color: 2, parts: [{ color: "RED" }] })).toEqual({ color: "BLUE", parts: [{ color: "RED" }] });
  expect(api.numbered("Thing", { color: "BLUE", parts: [{ color: "RED" }] })).toEqual({ color: 2, parts: [{ color: 1 }] });
});

describe("a server", () => {
  const lent = new Error("no");
  const handlers = {
    make: ({ body }) => body,
    get: ({ path, query }) => ({ name: path.thing, count: query.size }),
    count: () => ({ colour: "RED" }),
    named: () => {
      throw lent;
    },
  };
  const server = new RestServer(DOCUMENT, handlers, ({ headers }) => {
    if (headers.authorization === "Bearer bad") throw new Refusal("PERMISSION_DENIED", "not you");
  });
  let endpoint;
  beforeAll(async () => (endpoint = await server.listen()));
  afterAll(() => server.close());

  const ask = async (path, options) => {
    const response = await fetch(`${endpoint}${path}`, options);
    return [response.status, await response.json()];
  };
  const refused = (code, status, message) => [
    code,
    { error: expect.objectContaining({ code, status, message: expect.stringContaining(message) }) },
  ];

  test.each([
    ["/v1/top/things", { method: "POST", body: '{"color":"RED"}' }, [200, { color: "RED" }]],
    ["/v1/top/things?$alt=json;enum-encoding=int", { method: "POST", body: '{"color":"RED"}' }, [200, { color: 1 }]],
    ["/v1/top/things/x?size=3&alt=json", {}, [200, { name: "x", count: 3 }]],
    ["/v1/top/things/x?sizes=3", {}, refused(400, "INVALID_ARGUMENT", 'Unknown name "sizes"')],
    ["/v1/top/things/x?size=many", {}, refused(400, "INVALID_ARGUMENT", `'size' (TYPE_INT32), "many"`)],
    ["/v1/top/things/x?view=SOME", {}, refused(400, "INVALID_ARGUMENT", `'view'`)],
    ["/v1/top/things", { method: "POST", body: "{" }, refused(400, "INVALID_ARGUMENT", "Invalid JSON payload")],
    ["/v1/top/things", { method: "POST", body: '{"size":1}' }, refused(400, "INVALID_ARGUMENT", 'Unknown name "size"')],
    ["/v1/top/nothing", {}, refused(404, "NOT_FOUND", "/v1/top/nothing")],
    ["/v1/top/things/x", { headers: { authorization: "Bearer bad" } }, refused(403, "PERMISSION_DENIED", "not you")],
    [
      "/v1/top/things/count",
      {},
      refused(500, "INTERNAL", 'count answers what it must not: Invalid JSON payload received. Unknown name "colour"'),
    ],
    ["/v1/top:lend", {}, refused(500, "INTERNAL", "a bug of the test server: Error: no")],
  ])("%s %j", async (path, options, expected) => expect(await ask(path, options)).toEqual(expected));
});
