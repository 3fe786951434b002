/** The options of a build as JSON Schema, by which editors complete and check files for --config. */
import { z } from "zod";
import { BuildOptions } from "../options";
import { kebab } from "../spelling";
import { optionsOf } from "./describe";

type Schema = z.core.JSONSchema.BaseSchema;

/**
 * Names are those with underscores, as the docs have them; the other spellings that are taken are taken too, and not proposed. Nothing is required, since
 * flags may give the rest.
 */
export function configSchema(): Schema {
  const { properties } = z.toJSONSchema(BuildOptions, { io: "input", unrepresentable: "any", override }) as Required<Schema>;
  const told = new Map(optionsOf(BuildOptions).map(({ key, about }) => [key, about]));
  const keys = Object.keys(properties);
  const proposed = [...told.keys()].map((key) => [snake(key), refTo(key)]);
  const others = keys.map((key) => [spellings(key, told.has(key)), refTo(key)]).filter(([pattern]) => pattern !== "");
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "backstory build",
    description: "Options of a file for --config, under the names of the flags.",
    type: "object",
    properties: Object.fromEntries(proposed),
    patternProperties: Object.fromEntries(others),
    additionalProperties: false,
    $defs: Object.fromEntries(
      keys.map((key) => [snake(key), { ...(properties[key] as Schema), description: told.get(key) ?? "Another name." }]),
    ),
  };
}

const refTo = (key: string): Schema => ({ $ref: `#/$defs/${snake(key)}` });

/** A pattern of all ways to write a name but the proposed one; empty where there is no other. */
function spellings(key: string, isProposed: boolean): string {
  const names = new Set([kebab(key), key, snake(key)]);
  if (isProposed) names.delete(snake(key));
  return names.size === 0 ? "" : `^(${[...names].join("|")})$`;
}

const snake = (key: string): string => kebab(key).replaceAll("-", "_");

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
