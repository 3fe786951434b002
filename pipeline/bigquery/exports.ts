/** Tables in BigQuery as inputs: exported to Parquet under --temp-location, read from there like any objects, and removed when the run has ended. */
import type { ActionTable, Rules } from "../../transforms/rules";
import { date } from "../../transforms/values";
import { ConfigError } from "../errors";
import { listObjects } from "../gcs/find";
import { removeAll } from "../gcs/objects";
import { parseUri } from "../gcs/uri";
import { findInputs } from "../io/files";
import { IMPRESSIONS, type InputFile } from "../io/rows";
import { type BuildOptions, dateRange, parseBytes } from "../options";
import { join } from "../paths";
import type { Watch } from "../runners/tell";
import { thousands } from "../thousands";
import { type Client, clientFor } from "./client";
import { billed, type Estimate, estimate, type JobRequest, labelOf, refuseAbove, resultOf, runJob } from "./jobs";
import { type Days, selectActions, selectDays, selectImpressions } from "./select";
import { describe, reading, type Table } from "./tables";
import { parseTable, uriOf } from "./uri";

/** What a run asks for: a table of its own and where that is. */
export interface Wanted {
  name: string;
  path: string;
  /** absent of impressions */
  actions?: ActionTable;
}

interface Source extends Wanted {
  table: Table;
}

/** A query to export. */
interface Export {
  source: Source;
  query: string;
  estimate: Estimate;
}

/** Exports of one run. */
export class Exports {
  /** all that the run puts there is below this */
  readonly folder: string;
  private readonly abort = new AbortController();
  private working: Promise<unknown> = Promise.resolve();
  private client!: Client;
  /** whether there may be anything in the folder */
  private begun = false;
  /** bytes that the run may be billed for, and is so far */
  private readonly limit: number | undefined;
  private spent = 0;
  /** days that were exported of those that --train-days asks for */
  private newest = 0;

  /** @throws ConfigError */
  constructor(
    private readonly options: BuildOptions,
    private readonly runId: string,
    private readonly watch: Watch,
  ) {
    const { name } = parseUri(options.tempLocation!, "--temp-location");
    // it stands in a query, where * would be a wildcard and a quote the end of a text
    if (!/^[\w./=+@~ -]*$/.test(name))
      throw new ConfigError(
        `--temp-location must be a plain path of letters, digits and ./=+@~_-; got "${options.tempLocation}". Name another.`,
      );
    this.limit = options.maxBytesBilled === undefined ? undefined : parseBytes(options.maxBytesBilled);
    this.folder = join(options.tempLocation!, `backstory-${runId}`);
    watch.signal?.addEventListener("abort", () => this.abort.abort(watch.signal?.reason), { once: true });
    if (watch.signal?.aborted) this.abort.abort(watch.signal.reason);
  }

  /**
   * The files of each table, by its name.
   * @throws ConfigError where a table has not what is wanted, or reading it would be billed for more than is allowed; BigQueryError
   */
  run(wanted: readonly Wanted[], rules: Rules): Promise<Map<string, InputFile[]>> {
    const work = this.export(wanted, rules);
    this.working = work.catch(() => {});
    return work;
  }

  /**
   * A day may have impressions and not a valid one among them, which BigQuery has not looked at.
   * @param days those that the run builds
   * @throws ConfigError where these are fewer than --train-days, since older days, if there are any, were not exported
   */
  checkDays(days: readonly number[] | null): void {
    const { trainDays } = this.options;
    if (days === null || trainDays === undefined || this.newest < trainDays || days.length === trainDays) return;
    throw new ConfigError(
      `of the ${trainDays} newest days of the impressions only ${days.length} have a valid ranking. Mend the others, or name the days by --dates.`,
    );
  }

  /** Ends what is at work, and removes all that the run has put there. */
  async remove(): Promise<void> {
    if (!this.abort.signal.aborted) this.abort.abort(new Error("the run has ended"));
    await this.working;
    if (this.begun) await removeAll(this.folder);
  }

  private async export(wanted: readonly Wanted[], rules: Rules): Promise<Map<string, InputFile[]>> {
    await this.refuseTaken();
    this.client = await clientFor(this.options.project);
    const sources = await Promise.all(wanted.map((each) => this.find(each)));
    const days = await this.days(sources);
    const exports = await this.estimates(sources, rules, days);
    this.begun = true;
    // where one fails, the others are cancelled
    const stop = (error: unknown) => {
      if (!this.abort.signal.aborted) this.abort.abort(error);
      throw error;
    };
    const found = await settledAll(exports.map((each) => this.exportOne(each, exports).catch(stop)));
    return new Map(exports.map(({ source }, i) => [source.name, found[i]]));
  }

  /** Also tells whether there is such a bucket. */
  private async refuseTaken(): Promise<void> {
    const { bucket, name } = parseUri(`${this.folder}/`, "--temp-location");
    if ((await listObjects({ bucket, name }, 1)).length > 0)
      throw new ConfigError(`the folder for exports, ${this.folder}, is not empty. Remove what is there, or name another --temp-location.`);
  }

  private async find(wanted: Wanted): Promise<Source> {
    const table = await describe(this.client, parseTable(wanted.path, wanted.name));
    this.abort.signal.throwIfAborted();
    if (table.rows === 0 && wanted.name === IMPRESSIONS)
      throw new ConfigError(`${wanted.path} of impressions has no rows. Check the table.`);
    return { ...wanted, table };
  }

  /** The days that the run may build, where that can be known at little cost: by --dates, or by the column dt of the impressions. */
  private async days(sources: readonly Source[]): Promise<Days | null> {
    const { dates, trainDays } = this.options;
    const range = dates === undefined ? null : dateRange(dates);
    const impressions = sources.find(({ name }) => name === IMPRESSIONS);
    if (impressions === undefined || (range !== null && trainDays === undefined)) return range;
    const { table } = impressions;
    const query = selectDays(table, range, trainDays);
    const attempted = reading(table.name);
    const bytes = billed(await estimate(this.client, query, table.location, attempted));
    refuseAbove(this.limit, bytes, "the days of the impressions");
    // no table is called so, since names of tables have no dash
    const request = this.request("impressions-days", table, { query: { query, useLegacySql: false, ...guard(this.limit) } });
    const job = await runJob(this.client, request, this.abort.signal);
    const { first, last, days } = await resultOf(this.client, { ...request, id: job.jobReference?.jobId ?? request.id });
    if (first === null || last === null) throw nothingIn(impressions, dates);
    this.watch.tell("info", `BigQuery: impressions of ${days} days, ${first} to ${last}`);
    this.spent = bytes;
    this.newest = Number(days);
    return [date(first), date(last)];
  }

  /** @throws ConfigError where a query cannot run, or all together would be billed for more than is allowed */
  private async estimates(sources: readonly Source[], rules: Rules, days: Days | null): Promise<Export[]> {
    const exports = await Promise.all(
      sources.map(async (source) => {
        const { table, actions } = source;
        const query = actions === undefined ? selectImpressions(table, days) : selectActions(table, actions, rules, days);
        return { source, query, estimate: await estimate(this.client, query, table.location, reading(table.name)) };
      }),
    );
    const each = exports.map(({ source, estimate }) => `${source.name} ${sizeOf(estimate)}`).join(", ");
    const total = exports.reduce((sum, { estimate }) => sum + billed(estimate), this.spent);
    this.watch.tell("info", `BigQuery: to export, queries read ${each}; billed for ${megabytes(total)}`);
    refuseAbove(this.limit, total, `the exports (${each})`);
    return exports;
  }

  private async exportOne({ source, query }: Export, all: readonly Export[]): Promise<InputFile[]> {
    const { name, table } = source;
    const folder = (tries: number) => join(this.folder, name, `try-${tries}`);
    let at = folder(1);
    const others = all.reduce((sum, each) => sum + (each.source === source ? 0 : billed(each.estimate)), this.spent);
    const limit = this.limit === undefined ? undefined : this.limit - others;
    // what a try that has failed may have left is not read
    const configuration = (tries: number) => {
      at = folder(tries);
      return { query: { query: exported(query, at), useLegacySql: false, ...guard(limit) } };
    };
    const job = await runJob(this.client, this.request(name, table, configuration(1)), this.abort.signal, configuration);
    const rows = job.statistics?.query?.exportDataStatistics?.rowCount;
    this.tellLeftOut(source, rows);
    const files = await this.filesIn(at, source);
    if (name === IMPRESSIONS && (files.length === 0 || rows === "0")) throw nothingIn(source, this.options.dates);
    return files;
  }

  private tellLeftOut({ name, table }: Source, exported: string | undefined): void {
    if (exported === undefined) return;
    const left =
      table.rows === undefined ? "" : `; ${thousands(Math.max(0, table.rows - Number(exported)))} rows of no use to the run are left out`;
    this.watch.tell("info", `BigQuery: ${thousands(Number(exported))} rows of ${name} exported${left}`);
  }

  /** None where the table has no row for the run. */
  private async filesIn(folder: string, { name, table }: Source): Promise<InputFile[]> {
    const { bucket, name: prefix } = parseUri(`${folder}/`, "--temp-location");
    if ((await listObjects({ bucket, name: prefix }, 1)).length === 0) return [];
    const files = await findInputs(folder, name);
    return files.map((file) => ({ ...file, partition: {}, from: uriOf(table.name) }));
  }

  private request(what: string, table: Table, configuration: object): JobRequest {
    return {
      id: `backstory-${this.runId}-${what}`,
      location: table.location,
      configuration,
      labels: { backstory: "export", backstory_run: labelOf(this.runId), backstory_table: labelOf(what) },
      attempted: reading(table.name),
    };
  }
}

const exported = (query: string, folder: string): string =>
  `EXPORT DATA OPTIONS (uri = '${folder}/*.parquet', format = 'PARQUET', compression = 'SNAPPY', overwrite = false) AS\n${query}`;

const guard = (limit: number | undefined) => (limit === undefined ? {} : { maximumBytesBilled: String(limit) });

function nothingIn({ path }: Wanted, dates: string | undefined): ConfigError {
  const where = dates === undefined ? "" : ` in --dates=${dates}`;
  return new ConfigError(`there are no impressions${where}: ${path} has no row of these days. Check --impressions and --dates.`);
}

const sizeOf = ({ bytes, exact }: Estimate): string => `${exact ? "" : "at least "}${megabytes(bytes)}`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** Waits for all, also where one fails, so that nothing goes on behind its back. @throws the first of the errors */
async function settledAll<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(work);
  const failed = settled.find(({ status }) => status === "rejected");
  if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
  return settled.map((each) => (each as PromiseFulfilledResult<T>).value);
}
