/** The options of a build as JSON Schema, by which editors complete and check files for --config. */
import { z } from "zod";
import { BuildOptions } from "../options";
import { camel, kebab } from "../spelling";
import { optionsOf } from "./describe";

type Schema = z.core.JSONSchema.BaseSchema;

/**
 * Names are those with underscores, as the docs have them; the other spellings that are taken are taken too, and not proposed. Nothing is required, since
 * flags may give the rest.
 */
export function configSchema(): Schema {
  const { properties } = z.toJSONSchema(BuildOptions, { io: "input", unrepresentable: "any", override }) as Required<Schema>;
  const known = optionsOf(BuildOptions);
  const shown = Object.fromEntries(known.map(({ key, about }) => [snake(key), { ...(properties[key] as Schema), description: about }]));
  const hidden = Object.entries(properties).filter(([key]) => !known.some((option) => option.key === key));
  const others = known.flatMap(({ key }) => (snake(key) === key ? [] : [[spellings(key), { $ref: `#/properties/${snake(key)}` }]]));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "backstory build",
    description: "Options of a file for --config, under the names of the flags.",
    type: "object",
    properties: shown,
    patternProperties: Object.fromEntries([
      ...others,
      ...hidden.map(([key, schema]) => [`^(${kebab(key)}|${snake(key)}|${key})$`, schema]),
    ]),
    additionalProperties: false,
  };
}

const snake = (key: string): string => kebab(key).replaceAll("-", "_");
const spellings = (key: string): string => `^(${kebab(key)}|${camel(key)})$`;

/** Of one option, as it can be given. */
export function valuesOf(type: z.ZodType): Schema {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io: "input", unrepresentable: "any", override });
  return schema;
}

/** What zod cannot say of a number that may be given as its digits: bounds stand behind the change of text to number. */
function override({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: Schema }): void {
  const { def } = zodSchema._zod;
  if (def.type === "pipe" && def.out._zod.def.type === "number") {
    const bounds = z.toJSONSchema(def.out as z.ZodType);
    delete bounds.$schema;
    delete jsonSchema.type;
    jsonSchema.anyOf = [bounds, { type: "string", pattern: "^-?[0-9]+$" }];
  }
  for (const key of ["value", "group", "configOnly", "off", "hidden"]) delete (jsonSchema as Record<string, unknown>)[key];
}
