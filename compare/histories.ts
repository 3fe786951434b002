/** Histories as any program may have written them: with padding on either side, or none. */
import type { ArrowColumn } from "../verify/output/arrow";
import type { Batch } from "./table";

/** Elements of the lists of a row, real and padding. */
export interface List {
  items: bigint[];
  /** null where there is no column of types: then items of 0 at an end are taken for padding */
  types: number[] | null;
  /** microseconds; null where there is no column of times */
  times: bigint[] | null;
}

/** The real elements [from, to) of a list column's row. */
export type Extent = [from: number, to: number];

/** Where in the lists of row i the real actions are. What is padding is told by the type, where there are types. */
export function extentOf({ columns: { actions, action_types: types } }: Batch, i: number): Extent {
  const told = types ?? actions;
  if (told?.kind !== "lists") return [0, 0];
  const { offsets, values } = told;
  let [from, to] = [offsets[i], offsets[i + 1]];
  const isZero = (at: number) => Number(values[at]) === 0;
  while (to > from && isZero(to - 1)) to--;
  while (from < to && isZero(from)) from++;
  return [from - offsets[i], to - offsets[i]];
}

/** The lists of row i. */
export function listOf({ columns: { actions, action_types, action_times } }: Batch, i: number): List {
  return { items: elements(actions, i) ?? [], types: elements(action_types, i)?.map(Number) ?? null, times: elements(action_times, i) };
}

function elements(column: ArrowColumn | undefined, i: number): bigint[] | null {
  if (column?.kind !== "lists") return null;
  const list: bigint[] = [];
  for (let at = column.offsets[i]; at < column.offsets[i + 1]; at++) list.push(BigInt(column.values[at]));
  return list;
}
