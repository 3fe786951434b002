/** A zod schema as a table of its fields, with those of objects within it below. */
const { code, table } = require("./markdown");

const fields = (schema) => table(["field", "type", "meaning"], rows(schema, ""));

function rows(schema, path) {
  return Object.entries(schema.shape).flatMap(([key, type]) => {
    const here = `${path}${key}`;
    const { inner, optional, suffix } = opened(type);
    const own = [code(here), `${typeOf(type)}${optional ? ", optional" : ""}`, aboutOf(type)];
    return [own, ...(inner.def.type === "object" ? rows(inner, `${here}${suffix}.`) : [])];
  });
}

/** What is within optional fields, lists and records, and what its path has for them. */
function opened(type, suffix = "", optional = false) {
  const { def } = type;
  if (def.type === "optional" || def.type === "default") return opened(def.innerType, suffix, true);
  if (def.type === "nullable") return opened(def.innerType, suffix, optional);
  if (def.type === "array") return opened(def.element, `${suffix}[]`, optional);
  if (def.type === "record") return opened(def.valueType, `${suffix}.*`, optional);
  return { inner: type, suffix, optional };
}

function typeOf({ def, ...type }) {
  switch (def.type) {
    case "optional":
      return typeOf(def.innerType);
    case "default":
      return `${typeOf(def.innerType)}, by default ${def.defaultValue === null ? "none" : code(def.defaultValue)}`;
    case "nullable":
      return `${typeOf(def.innerType)} or null`;
    case "array":
      return `list of ${plural(typeOf(def.element))}`;
    case "record":
      return `object of ${plural(typeOf(def.valueType))}`;
    case "enum":
      return Object.values(def.entries).map(code).join(", ");
    case "literal":
      return def.values.map(code).join(", ");
    case "number":
      return type.format?.includes("int") || def.checks?.some((check) => check._zod.def.format?.includes("int")) ? "integer" : "number";
    case "unknown":
      return "anything";
    default:
      return def.type;
  }
}

const plural = (name) =>
  name.startsWith("list of") || name.startsWith("object of") || name === "anything" ? name.replace(/^(list|object)/, "$1s") : `${name}s`;

function aboutOf(type) {
  const inner = type.def.innerType;
  return type.description ?? (inner === undefined ? undefined : aboutOf(inner)) ?? "";
}

module.exports = { fields };
