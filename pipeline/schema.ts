/** What a zod schema says of its options: for the parser of flags, and for all that is made of schemas (pipeline/help/). */
import { z } from "zod";

/** What `.meta()` of an option may say. */
export interface OptionMeta {
  description?: string;
  /** what stands for its value in help: PATH, DAYS|none. Words in lower case are values */
  value?: string;
  /** it has no flag */
  configOnly?: boolean;
  /** it is taken, and not told of */
  hidden?: boolean;
  /** a switch that is on by itself: its flag is --no-NAME */
  off?: boolean;
  /** heading that it stands under; see inGroups */
  group?: string;
}

/** What every command takes, whatever its schema. */
export const COMMON = [
  { key: "config", value: "FILE", about: "Options from a JSON or YAML file, under the same names; flags win over it." },
  { key: "debug", about: "Print stacks of errors." },
  { key: "help", about: "This text." },
] as const;

/** Of the type and all that it wraps: `.optional()` leaves a description behind. */
export function metaOf(type: z.ZodType): OptionMeta {
  const { innerType } = type.def as { innerType?: z.ZodType };
  return { ...(innerType === undefined ? {} : metaOf(innerType)), ...type.meta() };
}

export const isBoolean = (type: z.ZodType): boolean => unwrap(type).def.type === "boolean";

export function unwrap(type: z.ZodType): z.ZodType {
  const inner = (type.def as { innerType?: z.ZodType }).innerType;
  return inner === undefined ? type : unwrap(inner);
}

export function defaultOf(type: z.ZodType): unknown {
  const def = type.def as { type: string; defaultValue?: unknown; innerType?: z.ZodType };
  return def.type === "default" ? def.defaultValue : def.innerType === undefined ? undefined : defaultOf(def.innerType);
}

export function placeholder(type: z.ZodType): string {
  const inner = unwrap(type);
  return (
    metaOf(type).value ??
    (inner.def.type === "enum" ? (inner as z.ZodEnum).options.join("|") : inner.def.type === "number" ? "NUMBER" : "VALUE")
  );
}

/**
 * The group that an option names holds for those after it too, until one names another: so an option that is added is in the group of the
 * one before it. Other schemas that have an option of this one have its group as well.
 * @returns the schema
 */
export function inGroups<Schema extends z.ZodObject>(schema: Schema): Schema {
  let current: string | undefined;
  for (const type of Object.values(schema.shape) as z.ZodType[]) {
    const meta = metaOf(type);
    if (meta.hidden) continue;
    current = meta.group ?? current;
    if (current !== undefined && meta.group === undefined) z.globalRegistry.add(type, { ...type.meta(), group: current });
  }
  return schema;
}
