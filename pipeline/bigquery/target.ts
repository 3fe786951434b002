/** The table that an output is loaded into: partitioned by dt, with a column for each of the files. */
import { ConfigError } from "../errors";
import type { Manifest } from "../manifest";
import type { Client } from "./client";
import { type Attempted, isNotFound } from "./errors";
import { describe, type Field, fieldOf, type Table, toldType, typeOf } from "./tables";
import { type TableName, uriOf } from "./uri";

export type Columns = Manifest["schema"];

const WRITER = "roles/bigquery.dataEditor on the dataset";
export const loading = (name: TableName): Attempted => ({ doing: `load ${uriOf(name)}`, roles: WRITER });

/** What each column holds, for people who find the table. */
const ABOUT: Record<string, string> = {
  ranking_id: "Ranking that the slot is of.",
  customer_id: "Customer who was shown the ranking.",
  impression_index: "Place of the slot in its ranking, from 0.",
  item_id: "Item shown in the slot.",
  is_order: "Whether the item was ordered.",
  impressions: "The same as item_id.",
  actions: "Items of the customer's history before dt, newest first, then zeros.",
  action_types: "Type of each of the actions: 1 click, 2 add-to-cart, 3 order, 4 to 127 the user's own, 0 padding.",
  history_length: "Real actions in the history.",
  action_times: "Time of each of the actions, in microseconds since 1970 UTC; 0 for padding.",
};

const TYPES: Record<string, string> = { string: "STRING", boolean: "BOOLEAN", int32: "INTEGER", int64: "INTEGER" };

/** The columns of the files as BigQuery has them. */
export function fieldsOf(columns: Columns): Field[] {
  return columns.map(({ name, holds, type }) => {
    const list = /^list<(.*)>$/.exec(type)?.[1];
    return { name, type: TYPES[list ?? type], mode: list === undefined ? "NULLABLE" : "REPEATED", description: ABOUT[holds] };
  });
}

const DT: Field = { name: "dt", type: "DATE", mode: "NULLABLE", description: "Day of the ranking." };

/** A table of this kind, or undefined where there is none yet. @throws ConfigError where there is one that cannot take the columns */
export async function findTarget(client: Client, name: TableName, columns: Columns): Promise<Table | undefined> {
  let table: Table;
  try {
    table = await describe(client, name, loading(name));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  refuseOther(table, columns);
  return table;
}

function refuseOther({ name, kind, partitions, partitionUnit, fields }: Table, columns: Columns): void {
  const uri = uriOf(name);
  if (kind !== "TABLE") throw new ConfigError(`--output-table must be a table; ${uri} is ${kind}. Name another.`);
  if (partitions[0]?.toLowerCase() !== "dt" || partitionUnit !== "DAY" || typeOf(fieldOf(fields, "dt")!) !== "DATE")
    throw new ConfigError(
      `--output-table must be partitioned by day of a DATE column dt; ${uri} is ${partitions.length === 0 ? "not partitioned" : `partitioned by ${partitions.join(", ")}`}. Name another, or one that is not there yet.`,
    );
  for (const wanted of fieldsOf(columns)) {
    const found = fieldOf(fields, wanted.name);
    if (found !== undefined && toldType(found) === toldType(wanted)) continue;
    const how = found === undefined ? "is not there" : `is ${toldType(found)}`;
    throw new ConfigError(
      `${uri} cannot take the column ${wanted.name}, which must be ${toldType(wanted)} and ${how}. Name another table, or change --columns.`,
    );
  }
  const required = fields.find(
    ({ name, mode }) =>
      mode === "REQUIRED" && name.toLowerCase() !== "dt" && !columns.some((each) => each.name.toLowerCase() === name.toLowerCase()),
  );
  if (required !== undefined)
    throw new ConfigError(`${uri} requires a column ${required.name}, which the output has not. Name another table.`);
}

/** Where the dataset is. @throws NotFound where there is none */
export async function locationOf(client: Client, { project, dataset }: TableName): Promise<string> {
  const attempted = { doing: `find the dataset ${project}.${dataset}`, roles: WRITER };
  const found = await client.call<{ location?: string }>({ method: "GET", path: `/datasets/${dataset}`, project, attempted });
  return found.location ?? "US";
}

/** Makes the table. Of two runs that do so at once one comes first, and the other finds it. */
export async function makeTarget(client: Client, name: TableName, columns: Columns): Promise<void> {
  const { project, dataset, table } = name;
  const body = {
    tableReference: { projectId: project, datasetId: dataset, tableId: table },
    description: "Training inputs for sequence recommenders, by backstory: a row for every impression slot.",
    labels: { backstory: "output" },
    schema: { fields: [DT, ...fieldsOf(columns)] },
    timePartitioning: { type: "DAY", field: "dt" },
  };
  try {
    await client.call({ method: "POST", path: `/datasets/${dataset}/tables`, project, body, attempted: loading(name) });
  } catch (error) {
    if ((error as { reason?: string }).reason !== "duplicate") throw error;
    if ((await findTarget(client, name, columns)) === undefined) throw error;
  }
}
