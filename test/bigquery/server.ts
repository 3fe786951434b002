/**
 * BigQuery for tests: takes what the published description of its API allows (test/discovery/), and does it. Exports and loads are really carried
 * out, in DuckDB and in the buckets of fake-gcs-server. It has what it has by reading the description; what BigQuery does besides is not here.
 */
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Service } from "../gcs/service";
import { type Field, parseExport, QueryError, tableOf, Warehouse } from "./warehouse";

/** What a request was, as the base class tells of it. */
export interface Seen {
  id: string;
  url: string;
  headers: Record<string, string>;
  body?: { jobReference?: { jobId?: string }; configuration?: Configuration };
  code?: number;
}

type Handler = (request: { path: Record<string, string>; query: Record<string, string>; body: never }) => Promise<object> | object;
interface Base {
  seen: Seen[];
  listen(port?: number): Promise<string>;
  close(): Promise<void>;
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>;
  checked(method: { response?: object }, answer: object, query: object): object;
}
const { RestServer, Refusal } = require("../discovery/rest") as {
  RestServer: new (document: object, handlers: Record<string, Handler>, before: (seen: Seen) => void) => Base;
  Refusal: new (status: string, message: string) => Error;
};
const { discovery } = require("./install") as { discovery: string };

const WORDS: Record<number, string> = { 400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS" };

/** An answer that is an error, in the form that BigQuery has besides the common one: with a reason. */
export class Refused extends Refusal {
  constructor(
    private readonly status_: number,
    readonly reason: string,
    message: string,
  ) {
    super(WORDS[status_] ?? "UNAVAILABLE", message);
  }
  get code() {
    return this.status_;
  }
  get body() {
    const { code, reason, message } = this;
    return { error: { code, message, errors: [{ message, domain: "global", reason }], status: WORDS[code] ?? "UNAVAILABLE" } };
  }
}

interface Reference {
  projectId: string;
  datasetId: string;
  tableId: string;
}

export interface TableResource {
  tableReference: Reference;
  type?: string;
  location?: string;
  numRows?: string;
  description?: string;
  labels?: Record<string, string>;
  schema: { fields: Field[] };
  timePartitioning?: { type: string; field?: string };
  requirePartitionFilter?: boolean;
}

interface Load {
  sourceUris: string[];
  sourceFormat: string;
  parquetOptions: { enableListInference: boolean };
  hivePartitioningOptions: { mode: string; sourceUriPrefix: string };
  destinationTable: Reference;
  writeDisposition: string;
  createDisposition: string;
  schema: { fields: Field[] };
}

interface Configuration {
  dryRun?: boolean;
  labels?: Record<string, string>;
  query?: { query: string; useLegacySql: boolean; maximumBytesBilled?: string };
  load?: Load;
}

export interface Job {
  id: string;
  jobReference: { projectId: string; jobId: string; location: string };
  configuration: Configuration;
  status: { state: string; errorResult?: { reason: string; message: string } };
  statistics: object;
  rows: Record<string, unknown>[];
  /** looks at it so far */
  looks: number;
}

/** What goes wrong in a job that was begun; "hang" never ends until it is cancelled. */
export type JobFault = { reason: string; message: string } | "hang" | undefined;

export const STATUSES = {
  limited: new Refused(403, "rateLimitExceeded", "slow down"),
  busy: new Refused(503, "backendError", "try again"),
};

export class FakeBigQuery {
  /** asked for each request; "lose": it is done, but its answer does not arrive */
  fault: (seen: Seen) => Error | "lose" | undefined = () => undefined;
  jobFault: (job: Job) => JobFault = () => undefined;
  readonly jobs = new Map<string, Job>();
  readonly datasets = new Map<string, { location: string }>();
  readonly tables = new Map<string, TableResource>();
  /** where buckets are; others are in the US */
  readonly buckets = new Map<string, string>();
  private readonly server: Base;
  private lost = new WeakSet<Seen>();

  private constructor(
    readonly warehouse: Warehouse,
    private readonly gcs: Service,
  ) {
    const fake = this;
    const before = (seen: Seen) => {
      const fault = fake.fault(seen);
      if (fault === "lose") fake.lost.add(seen);
      else if (fault !== undefined) throw fault;
    };
    class Server extends RestServer {
      override async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
        // the entry of this request is the one that serve() makes first
        const at = this.seen.length;
        const [head, end] = [response.writeHead.bind(response), response.end.bind(response)];
        let empty = false;
        // what is deleted is answered with nothing at all
        response.writeHead = ((code: number, headers: object) => {
          empty = request.method === "DELETE" && code === 200;
          return empty ? head(204) : head(code, headers as never);
        }) as never;
        response.end = ((text: string) => (fake.lost.has(this.seen[at]) ? response.destroy() : empty ? end() : end(text))) as never;
        await super.serve(request, response);
      }

      override checked(method: { response?: object }, answer: object, query: object): object {
        return method.response === undefined ? {} : super.checked(method, answer, query);
      }
    }
    this.server = new Server(JSON.parse(readFileSync(discovery, "utf8")), this.handlers(), before);
  }

  static async start(gcs: Service): Promise<{ fake: FakeBigQuery; host: string }> {
    const fake = new FakeBigQuery(await Warehouse.open(), gcs);
    return { fake, host: await fake.server.listen() };
  }

  async close(): Promise<void> {
    await this.server.close();
    this.warehouse.close();
  }

  get seen(): Seen[] {
    return this.server.seen;
  }

  /** Forgets requests, jobs and faults. */
  reset(): void {
    this.server.seen.length = 0;
    this.jobs.clear();
    this.fault = () => undefined;
    this.jobFault = () => undefined;
  }

  /**
   * @param name project.dataset.table
   * @param rows a query in DuckDB's words
   */
  async table(name: string, fields: Field[], rows: string, more: Partial<TableResource> = {}): Promise<void> {
    const [projectId, datasetId, tableId] = name.split(".");
    if (!this.datasets.has(`${projectId}.${datasetId}`)) this.datasets.set(`${projectId}.${datasetId}`, { location: "US" });
    await this.warehouse.create(name, fields, rows);
    const numRows = String(await this.warehouse.count(`FROM "${name}"`));
    const counted = more.type === undefined || more.type === "TABLE" ? { numRows } : {};
    this.tables.set(name, { tableReference: { projectId, datasetId, tableId }, type: "TABLE", schema: { fields }, ...counted, ...more });
  }

  /** Jobs in the order in which they came, without dry runs. */
  jobIds(): string[] {
    return [...this.jobs.keys()];
  }

  private handlers(): Record<string, Handler> {
    return {
      "bigquery.datasets.get": ({ path }) => this.dataset(path.projectId, path.datasetId),
      "bigquery.tables.get": ({ path }) => {
        const { location } = this.dataset(path.projectId, path.datasetId);
        return { ...this.find(path as unknown as Reference), location };
      },
      "bigquery.tables.insert": ({ path, body }) => this.insertTable(path.projectId, body),
      "bigquery.tables.delete": ({ path }) => this.deletePartition(path as unknown as Reference),
      "bigquery.jobs.insert": ({ path, body }) => this.insertJob(path.projectId, body),
      "bigquery.jobs.get": ({ path, query }) => this.look(path.jobId, query.location),
      "bigquery.jobs.cancel": ({ path, query }) => {
        const job = this.job(path.jobId, query.location);
        Object.assign(job.status, { state: "DONE", errorResult: { reason: "stopped", message: "Job execution was cancelled" } });
        return { job: told(job) };
      },
      "bigquery.jobs.getQueryResults": ({ path, query }) => this.results(this.job(path.jobId, query.location)),
    };
  }

  private dataset(project: string, dataset: string) {
    const found = this.datasets.get(`${project}.${dataset}`);
    if (found === undefined) throw new Refused(404, "notFound", `Not found: Dataset ${project}:${dataset}`);
    return { ...found, datasetReference: { projectId: project, datasetId: dataset } };
  }

  private find({ projectId, datasetId, tableId }: Reference): TableResource {
    const found = this.tables.get(`${projectId}.${datasetId}.${tableId.split("$")[0]}`);
    if (found === undefined) throw new Refused(404, "notFound", `Not found: Table ${projectId}:${datasetId}.${tableId}`);
    return found;
  }

  private async insertTable(project: string, table: TableResource): Promise<object> {
    const { datasetId, tableId } = table.tableReference;
    this.dataset(project, datasetId);
    const name = `${project}.${datasetId}.${tableId}`;
    if (this.tables.has(name)) throw new Refused(409, "duplicate", `Already Exists: Table ${project}:${datasetId}.${tableId}`);
    await this.warehouse.create(
      name,
      table.schema.fields,
      `SELECT ${table.schema.fields.map(({ name }) => `NULL AS "${name}"`)} WHERE false`,
    );
    this.tables.set(name, { ...table, type: "TABLE", numRows: "0" });
    return this.tables.get(name)!;
  }

  private async deletePartition(reference: Reference): Promise<object> {
    const { tableReference, timePartitioning } = this.find(reference);
    const day = dayOf(reference.tableId);
    if (day === undefined || timePartitioning === undefined) throw new Error("whole tables are not to be removed");
    await this.warehouse.removeDay(nameOf(tableReference), day);
    return {};
  }

  private async insertJob(project: string, { jobReference, configuration }: Job): Promise<object> {
    if (jobReference.projectId !== project) throw new Refused(400, "invalid", "the project of the job is another");
    const { jobId = "dry", location } = jobReference;
    if (configuration.dryRun) return this.dryRun(project, location, configuration);
    if (!/^[\w-]{1,1024}$/.test(jobId)) throw new Refused(400, "invalid", `Invalid job ID "${jobId}"`);
    if (this.jobs.has(jobId)) throw new Refused(409, "duplicate", `Already Exists: Job ${project}:${location}.${jobId}`);
    checkLabels(configuration.labels ?? {});
    const reference = { projectId: project, jobId, location };
    const job: Job = {
      id: `${project}:${location}.${jobId}`,
      jobReference: reference,
      configuration,
      status: { state: "RUNNING" },
      statistics: {},
      rows: [],
      looks: 0,
    };
    this.jobs.set(jobId, job);
    const fault = this.jobFault(job);
    if (fault !== "hang") await this.carryOut(job, fault);
    return told(job);
  }

  private async carryOut(job: Job, fault: Exclude<JobFault, "hang">): Promise<void> {
    try {
      await (job.configuration.load === undefined ? this.query(job, fault) : this.load(job, job.configuration.load, fault));
    } catch (error) {
      if (!(error instanceof QueryError) && !(error instanceof Refused)) throw error;
      job.status.errorResult = { reason: error.reason, message: error.message };
    }
  }

  private job(id: string, location: string): Job {
    const job = this.jobs.get(id);
    if (job === undefined || job.jobReference.location !== location) throw new Refused(404, "notFound", `Not found: Job ${id}`);
    return job;
  }

  /** The first look finds it at work. */
  private look(id: string, location: string): object {
    const job = this.job(id, location);
    if (job.looks++ > 0 && this.jobFault(job) !== "hang") job.status.state = "DONE";
    return told(job);
  }

  private results({ jobReference, rows, status }: Job): object {
    if (status.state !== "DONE") return { jobComplete: false, jobReference };
    const fields = Object.keys(rows[0] ?? {}).map((name) => ({ name, type: "STRING" }));
    const values = rows.map((row) => ({ f: Object.values(row).map((v) => ({ v: v === null ? null : String(v) })) }));
    return { jobComplete: true, jobReference, schema: { fields }, rows: values, totalRows: String(rows.length) };
  }

  /** Eight bytes for each value of the rows that a query gives: enough to have an estimate that follows from the query. */
  private async estimate(sql: string, project: string, location: string): Promise<number> {
    if (sql.includes(";")) throw new QueryError("invalidQuery", "Syntax error: more than one statement");
    const name = tableOf(sql);
    const [tableProject, dataset, tableId] = name.split(".");
    const found = this.find({ projectId: tableProject, datasetId: dataset, tableId });
    if (this.dataset(tableProject, dataset).location !== location)
      throw new Refused(404, "notFound", `Not found: Dataset ${project}:${dataset} was not found in location ${location}`);
    if (found.requirePartitionFilter) refuseWithoutFilter(sql, name, found);
    const rows = await this.warehouse.query(sql);
    return rows.length * 8 * Object.keys(rows[0] ?? {}).length;
  }

  private async dryRun(project: string, location: string, { query }: Configuration): Promise<object> {
    try {
      const bytes = String(await this.estimate(query!.query, project, location));
      const statistics = { totalBytesProcessed: bytes, query: { totalBytesProcessed: bytes, totalBytesProcessedAccuracy: "PRECISE" } };
      return {
        jobReference: { projectId: project, location },
        configuration: { dryRun: true, query },
        status: { state: "DONE" },
        statistics,
      };
    } catch (error) {
      throw error instanceof QueryError ? new Refused(400, error.reason, error.message) : error;
    }
  }

  private async query(job: Job, fault: Exclude<JobFault, "hang">): Promise<void> {
    const { query: sql, maximumBytesBilled } = job.configuration.query!;
    const { projectId, location } = job.jobReference;
    const exported = parseExport(sql);
    const bytes = Math.max(10 * 2 ** 20, await this.estimate(exported?.query ?? sql, projectId, location));
    if (maximumBytesBilled !== undefined && bytes > Number(maximumBytesBilled))
      throw new QueryError(
        "bytesBilledLimitExceeded",
        `Query exceeded limit for bytes billed: ${maximumBytesBilled}. ${bytes} or higher required.`,
      );
    if (exported === undefined) {
      if (fault !== undefined) throw new QueryError(fault.reason, fault.message);
      job.rows = await this.warehouse.query(sql);
      return;
    }
    this.refuseFar(/^gs:\/\/([^/]+)/.exec(exported.prefix)![1], location, "source");
    const { rows, files } = await this.warehouse.parquet(exported.query);
    // a job that fails in the middle leaves what it has written so far
    for (const [i, bytes] of files.slice(0, fault === undefined ? files.length : 1).entries())
      await this.gcs.put(`${exported.prefix}${String(i).padStart(12, "0")}.parquet`, bytes);
    if (fault !== undefined) throw new QueryError(fault.reason, fault.message);
    job.statistics = { query: { exportDataStatistics: { rowCount: String(rows), fileCount: String(files.length) } } };
  }

  private refuseFar(bucket: string, location: string, what: "source" | "destination"): void {
    const other = this.buckets.get(bucket) ?? "US";
    if (other === location) return;
    const [source, destination] = what === "source" ? [location, other] : [other, location];
    throw new QueryError("invalid", `Cannot read and write in different locations: source: ${source}, destination: ${destination}`);
  }

  private async load(job: Job, load: Load, fault: Exclude<JobFault, "hang">): Promise<void> {
    const found = this.find(load.destinationTable);
    const [prefix, key] = load.hivePartitioningOptions.sourceUriPrefix.split("/{");
    const day = dayOf(load.destinationTable.tableId);
    refuseOtherwise(load.hivePartitioningOptions.mode === "CUSTOM" && key === "dt:DATE}", "the mode of Hive partitions");
    refuseOtherwise(load.parquetOptions.enableListInference, "lists would be records of list and element");
    refuseOtherwise(load.writeDisposition === "WRITE_TRUNCATE" && load.createDisposition === "CREATE_NEVER", "the dispositions");
    refuseOtherwise(load.sourceFormat === "PARQUET" && day !== undefined && found.timePartitioning?.field === "dt", "the partition");
    for (const uri of load.sourceUris) refuseOtherwise(uri.startsWith(`${prefix}/dt=${day}/`), `${uri} is of another partition`);
    const fields = found.schema.fields.filter(({ name }) => name !== "dt" && load.schema.fields.some((field) => field.name === name));
    refuseOtherwise(isSame(fields, load.schema.fields), "Provided Schema does not match Table");
    this.refuseFar(/^gs:\/\/([^/]+)/.exec(prefix)![1], job.jobReference.location, "destination");
    const files = await Promise.all(load.sourceUris.map((uri) => this.gcs.get(uri)));
    if (fault !== undefined) throw new QueryError(fault.reason, fault.message);
    const rows = await this.warehouse.replaceDay(nameOf(found.tableReference), day!, fields, files);
    job.statistics = { load: { outputRows: String(rows) } };
  }
}

/** Columns by name; a mode that is not said is NULLABLE. */
function isSame(fields: readonly Field[], others: readonly Field[]): boolean {
  const text = (field: Field) => [field.name, field.type, field.mode ?? "NULLABLE", field.description].join();
  return fields.map(text).toSorted().join() === others.map(text).toSorted().join();
}

const told = ({ rows: _, looks: __, ...job }: Job): object => job;

const nameOf = ({ projectId, datasetId, tableId }: Reference): string => `${projectId}.${datasetId}.${tableId.split("$")[0]}`;

const dayOf = (tableId: string): string | undefined => {
  const [, year, month, day] = /\$(\d{4})(\d\d)(\d\d)$/.exec(tableId) ?? [];
  return year === undefined ? undefined : `${year}-${month}-${day}`;
};

function refuseOtherwise(good: boolean, message: string): void {
  if (!good) throw new QueryError("invalid", message);
}

function refuseWithoutFilter(sql: string, name: string, { timePartitioning }: TableResource): void {
  const column = timePartitioning?.field ?? "_PARTITIONTIME";
  const compared = new RegExp(`(\`${column}\`|\\b${column}) (>=|<=|<|>|=) `);
  if (!compared.test(sql))
    throw new QueryError(
      "invalidQuery",
      `Cannot query over table '${name}' without a filter over column(s) '${column}' that can be used for partition elimination`,
    );
}

function checkLabels(labels: Record<string, string>): void {
  for (const [key, value] of Object.entries(labels))
    if (!/^[a-z][a-z0-9_-]{0,62}$/.test(key) || !/^[a-z0-9_-]{0,63}$/.test(value))
      throw new Refused(400, "invalid", `Invalid label ${key}`);
}
