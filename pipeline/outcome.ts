import type { Ledger } from "../transforms/ledger";
import type { MetricsReport } from "../transforms/metrics";
import type { Manifest } from "./manifest";
import { manifestFile, type Place } from "./partitions";
import { published } from "./turn";

/** What came of a run, as the publishing step leaves it for whoever started the run. */
export interface Outcome {
  /** name of the run, and of its manifest */
  runId: string;
  /** 0 where it was published; else what the command ends with */
  exitCode: number;
  /** an earlier attempt at this run has published it; this one has done nothing */
  already?: true;
  /** why nothing was published */
  error?: string;
  /** what is worth knowing, and no error */
  warnings: string[];
  /** rows published, or that would have been */
  rows: number;
  /** files published, in order of path from the output folder; sizes in bytes, SHA-256 in hexadecimal digits */
  files: { path: string; rows: number; bytes: number; sha256: string }[];
  /** partitions of --dates that now have no rows */
  emptied: string[];
  /** files of impressions that were left out, since their folder is of a day outside of --dates */
  unread: number;
  /** by table: where every input row ended */
  ledger: Ledger;
  /** data quality of the rows */
  quality: MetricsReport;
  /** where the manifest is; absent if nothing was published */
  manifest?: string;
}

/** What a run that was published says of itself; undefined if it was not. */
export async function publishedOutcome(place: Place, run: string): Promise<Outcome | undefined> {
  const manifest = await published(place, run);
  return manifest === undefined ? undefined : outcomeFrom(manifest, manifestFile(place.output, run));
}

function outcomeFrom({ run, warnings, rows, partitions, emptied, unread, ledger, quality }: Manifest, path: string): Outcome {
  return {
    runId: run,
    exitCode: 0,
    warnings,
    rows,
    files: partitions.flatMap(({ files }) => files),
    emptied: emptied.map(({ dt }) => dt),
    unread,
    ledger: ledger as Ledger,
    quality: quality as MetricsReport,
    manifest: path,
  };
}
