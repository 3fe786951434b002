import type { RowGroup, Statistics } from "hyparquet";
import type { LeafPlace } from "./parquetleaf";

/** The least and the greatest of some values. */
export type Bounds = [min: bigint, max: bigint];

/** The column chunk of a leaf; undefined if the row group does not have exactly one. */
export function chunkOf(group: RowGroup, place: LeafPlace) {
  const name = place.path.join("\0");
  const chunks = group.columns.filter((chunk) => chunk.meta_data?.path_in_schema.join("\0") === name);
  return chunks.length === 1 ? chunks[0] : undefined;
}

/**
 * Bounds of a flat column of signed integers in a row group, where the footer says that it has them and that no value is
 * lacking; undefined where there is any doubt. Signed integers have only one order, so that the older fields will do as well.
 */
export function boundsOf(group: RowGroup, place: LeafPlace): Bounds | undefined {
  const chunk = chunkOf(group, place)?.meta_data;
  const said = chunk?.statistics;
  if (said === undefined || chunk?.num_values !== group.num_rows || hasNulls(said, place)) return undefined;
  const min = integer(said.min_value ?? said.min, place);
  const max = integer(said.max_value ?? said.max, place);
  return min === undefined || max === undefined || min > max ? undefined : [min, max];
}

/** The one text that all values of a column chunk are, where the footer says so and that none is lacking. */
export function onlyText(group: RowGroup, place: LeafPlace): string | undefined {
  const chunk = chunkOf(group, place)?.meta_data;
  const said = chunk?.statistics;
  if (said === undefined || chunk?.num_values !== group.num_rows || hasNulls(said, place)) return undefined;
  const { min_value: min, max_value: max } = said;
  // a bound may be cut, so that it says less than it seems to
  return typeof min === "string" && min.length === 10 && min === max ? min : undefined;
}

/** Nulls that nobody counted may be there, unless the column cannot have any. */
const hasNulls = ({ null_count: nulls }: Statistics, { maxDefinition }: LeafPlace): boolean =>
  (nulls ?? (maxDefinition === 0 ? 0n : undefined)) !== 0n;

/** hyparquet gives bytes of a wrong length, and decimals scaled. */
function integer(value: unknown, { element: { type, converted_type: converted } }: LeafPlace): bigint | undefined {
  if (converted === "DECIMAL") return undefined;
  if (type === "INT64") return typeof value === "bigint" ? value : undefined;
  return type === "INT32" && typeof value === "number" ? BigInt(value) : undefined;
}
