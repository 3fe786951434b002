/**
 * An API of Google's as its discovery document describes it: finds the method of a request, reads what was sent and says what is wrong with it.
 * Values are JSON as protocol buffers have it (https://protobuf.dev/programming-guides/json): an enum may be its name or its number.
 */

/** Parameters that every API takes, in the spelling of newer clients too. */
const SYSTEM = { $alt: { type: "string" }, $prettyPrint: { type: "string" }, $fields: { type: "string" } };

/** Numbers of enums are not published there; they are the positions, but for these. */
const NUMBERS = { JOB_MESSAGE_WARNING: 3, JOB_MESSAGE_ERROR: 4, JOB_MESSAGE_BASIC: 5 };
const numberOf = (names, name) => NUMBERS[name] ?? names.indexOf(name);

const MOST = { int32: 2n ** 31n - 1n, uint32: 2n ** 32n - 1n, int64: 2n ** 63n - 1n, uint64: 2n ** 64n - 1n };
const LEAST = { int32: -(2n ** 31n), uint32: 0n, int64: -(2n ** 63n), uint64: 0n };
const DATETIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const DURATION = /^-?\d+(\.\d{1,9})?s$/;

class Api {
  constructor(document) {
    this.schemas = document.schemas;
    this.parameters = { ...document.parameters, ...SYSTEM };
    this.methods = [...methodsOf(document)].map((method) => ({ ...method, ...templateOf(document.servicePath + method.path) }));
    // a literal is closer than a parameter that would match it as well
    this.methods.sort((a, b) => b.literal - a.literal);
  }

  /** @returns the method and the parameters of its path, or undefined */
  find(httpMethod, pathname) {
    for (const method of this.methods) {
      const found = method.httpMethod === httpMethod ? method.pattern.exec(pathname) : null;
      if (found === null) continue;
      const values = found.slice(1).map(decodeURIComponent);
      return { method, path: Object.fromEntries(method.names.map((name, i) => [name, values[i]])) };
    }
    return undefined;
  }

  /** Parameters of a query as their types have them; what is wrong goes to `problems`. */
  query(method, searchParams, problems) {
    const read = {};
    for (const [name, text] of searchParams) {
      const described = method.parameters[name] ?? this.parameters[name];
      if (described === undefined || described.location === "path") problems.push(unknown(name, "Cannot bind query parameter."));
      else read[name] = this.value(described, fromText(described, text), name, problems);
    }
    for (const [name, { required, location }] of Object.entries(method.parameters))
      if (required && location === "query" && !searchParams.has(name)) problems.push(`Missing required parameter: ${name}`);
    return read;
  }

  /** A message, with the names of its enums; what is wrong goes to `problems`. */
  read(schema, value, at = "", problems = []) {
    const described = this.schemas[schema];
    if (!isObject(value)) {
      problems.push(`Invalid value at '${at}' (${schema}), ${JSON.stringify(value)}`);
      return value;
    }
    if (described.properties === undefined) return this.value(described, value, at, problems);
    const read = {};
    for (const [name, each] of Object.entries(value)) {
      const property = described.properties[name];
      if (property === undefined) problems.push(unknown(name, `Cannot find field.`, at));
      else if (each !== null) read[name] = this.value(property, each, at === "" ? name : `${at}.${name}`, problems);
    }
    return read;
  }

  value(described, value, at, problems) {
    if (described.$ref !== undefined) return this.read(described.$ref, value, at, problems);
    const wrong = () => {
      const type = (described.format ?? described.type).toUpperCase();
      problems.push(`Invalid value at '${at}' (TYPE_${type}), ${JSON.stringify(value)}`);
      return value;
    };
    if (described.repeated) return this.value({ ...described, repeated: false }, value, at, problems);
    if (described.enum !== undefined) return nameOf(described.enum, value) ?? wrong();
    switch (described.type) {
      case "any":
        return value;
      case "array":
        if (!Array.isArray(value)) return wrong();
        return value.map((each, i) => this.value(described.items, each, `${at}[${i}]`, problems));
      case "object": {
        if (!isObject(value)) return wrong();
        const entries = Object.entries(value);
        const inner = described.additionalProperties;
        if (inner === undefined) return value;
        return Object.fromEntries(entries.map(([key, each]) => [key, this.value(inner, each, `${at}.${key}`, problems)]));
      }
      default:
        return isScalar(described, value) ? value : wrong();
    }
  }

  /** A message with numbers for the names of its enums, for a client that asks for `json;enum-encoding=int`. */
  numbered(schema, value) {
    const message = ({ properties }, each) =>
      Object.fromEntries(Object.entries(each).map(([name, inner]) => [name, one(properties[name], inner)]));
    const one = (described, each) => {
      if (described.$ref !== undefined) {
        const schema = this.schemas[described.$ref];
        return schema.properties === undefined ? each : message(schema, each);
      }
      if (described.enum !== undefined) return numberOf(described.enum, each);
      return described.type === "array" ? each.map((inner) => one(described.items, inner)) : each;
    };
    return message(this.schemas[schema], value);
  }
}

function* methodsOf({ resources = {}, methods = {} }) {
  yield* Object.values(methods);
  for (const resource of Object.values(resources)) yield* methodsOf(resource);
}

/** `v1/{project}/x` as a pattern; `{+name}` may hold slashes. */
function templateOf(path) {
  const names = [];
  let literal = 0;
  const parts = path.split(/(\{[^}]*\})/).map((part) => {
    if (!part.startsWith("{")) {
      literal += part.length;
      return part.replaceAll(/[.*+?^$()[\]\\|]/g, "\\$&");
    }
    names.push(part.replaceAll(/[{}+]/g, ""));
    return part.startsWith("{+") ? "(.+)" : "([^/]+)";
  });
  return { pattern: new RegExp(`^/${parts.join("")}$`), names, literal };
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** As Google words it. */
const unknown = (name, why, at = "") => `Invalid JSON payload received. Unknown name "${name}"${at && ` at '${at}'`}: ${why}`;

const nameOf = (names, value) => names.find((name) => name === value || numberOf(names, name) === value);

function isScalar({ type, format }, value) {
  if (type === "boolean") return typeof value === "boolean";
  if (type === "number") return typeof value === "number";
  if (format in MOST) return isWhole(value, format);
  if (typeof value !== "string") return false;
  if (format === "google-datetime") return DATETIME.test(value) && !Number.isNaN(Date.parse(value));
  return format === "google-duration" ? DURATION.test(value) : true;
}

/** Numbers of 64 bits are written as text, since not every reader has them otherwise; numbers are taken too. */
function isWhole(value, format) {
  const isText = format.endsWith("64") && typeof value === "string" && /^-?\d+$/.test(value);
  if (!isText && !Number.isSafeInteger(value)) return false;
  return BigInt(value) >= LEAST[format] && BigInt(value) <= MOST[format];
}

/** In a query everything is text. */
function fromText({ type, enum: names }, text) {
  if (names !== undefined) return /^\d+$/.test(text) ? Number(text) : text;
  if (type === "integer" || type === "number") return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (type === "boolean") return { true: true, false: false }[text] ?? text;
  return text;
}

module.exports = { Api };
