/** Free JSON as protobuf has it (google.protobuf.Struct), for messages of the library. */
import type { Json } from "./translate";

export interface Struct {
  fields: Record<string, Value>;
}
type Value =
  | { stringValue: string }
  | { numberValue: number }
  | { boolValue: boolean }
  | { listValue: { values: Value[] } }
  | { structValue: Struct };

export const structOf = (json: { [name: string]: Json }): Struct => ({
  fields: Object.fromEntries(Object.entries(json).map(([name, value]) => [name, protoValue(value)])),
});

function protoValue(json: Json): Value {
  if (typeof json === "string") return { stringValue: json };
  if (typeof json === "number") return { numberValue: json };
  if (typeof json === "boolean") return { boolValue: json };
  if (Array.isArray(json)) return { listValue: { values: json.map(protoValue) } };
  return { structValue: structOf(json) };
}
