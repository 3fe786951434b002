import { ConfigError } from "../errors";

/** A table or a view. */
export interface TableName {
  project: string;
  dataset: string;
  table: string;
}

export const isBigQuery = (path: string): boolean => path.startsWith("bq://");

/** cloud.google.com/resource-manager/docs/creating-managing-projects; older ones belong to a domain, as in example.com:name */
const PROJECT = /^(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/;
/** cloud.google.com/bigquery/docs/datasets#dataset-naming */
const DATASET = /^[A-Za-z0-9_]{1,1024}$/;
/** cloud.google.com/bigquery/docs/tables#table_naming: letters, marks, numbers, connectors, dashes and spaces */
const TABLE = /^[\p{L}\p{M}\p{N}\p{Pc}\p{Pd}\p{Zs}]{1,1024}$/u;

/**
 * @param what the flag or the table, for messages
 * @throws ConfigError
 */
export function parseTable(uri: string, what: string): TableName {
  const parts = /^bq:\/\/((?:[^:./]+(?:\.[^:./]+)*:)?[^.:/]+)\.([^.]+)\.([^.]+)$/s.exec(uri);
  if (parts === null) throw wrong(uri, what, "");
  const [, project, dataset, table] = parts;
  if (!isProject(project)) throw wrong(uri, what, `${JSON.stringify(project)} is no project; `);
  if (!DATASET.test(dataset)) throw wrong(uri, what, `${JSON.stringify(dataset)} is no name of a dataset; `);
  if (!TABLE.test(table)) throw wrong(uri, what, `${JSON.stringify(table)} is no name of a table; `);
  return { project, dataset, table };
}

const wrong = (uri: string, what: string, why: string): ConfigError =>
  new ConfigError(`${what} must be bq://PROJECT.DATASET.TABLE: ${why}got ${JSON.stringify(uri)}. Check the name.`);

export const isProject = (text: string): boolean => PROJECT.test(text);

export const uriOf = ({ project, dataset, table }: TableName): string => `bq://${project}.${dataset}.${table}`;

/** As SQL names it. Nothing that parseTable lets through can end the quotes. */
export const quotedTable = ({ project, dataset, table }: TableName): string => `\`${project}.${dataset}.${table}\``;

/** @throws ConfigError for what no column of BigQuery is called, and what would end the quotes */
export function quoted(column: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (column === "" || /[`\\"'\u0000-\u001f\u007f]/.test(column))
    throw new ConfigError(`${JSON.stringify(column)} is no name of a column in BigQuery. Rename it in a view.`);
  return `\`${column}\``;
}
