/** What manifests tell of the histories of an output, so that nobody has to read them: they are nearly all of its bytes once decoded. */
import type { Manifest } from "../pipeline/manifest";
import { Metrics, type MetricsState } from "../transforms/metrics";
import type { FoundOutput } from "../verify/output/found";

/** Positions of a history that are counted one by one. */
export const POSITIONS = 100;

export interface Told {
  /** of the runs whose files are there as they were published */
  metrics: Metrics;
  /** paths of their files; what is in others has to be read */
  files: Set<string>;
}

/** Goes by names and sizes of files: `backstory verify` looks at every byte. */
export function toldBy({ partitions, manifests }: FoundOutput): Told {
  const there = new Map(
    partitions.map(({ dt, runs, files }) => [dt, { runs, sizes: new Map(files.map(({ path, bytes }) => [path, bytes])) }]),
  );
  const told: Told = { metrics: new Metrics(POSITIONS), files: new Set() };
  for (const [run, manifest] of manifests) {
    const isWhole = manifest.partitions.every(({ dt, files }) => {
      const found = there.get(dt);
      return found?.runs?.includes(run) && files.every(({ path, bytes }) => found.sizes.get(path) === bytes);
    });
    const state = isWhole ? stateOf(manifest) : undefined;
    if (state === undefined) continue;
    told.metrics.mergeState(state);
    for (const { files } of manifest.partitions) for (const { path } of files) told.files.add(path);
  }
  return told;
}

/**
 * The counts that a manifest's figures were made of; undefined where they do not tell all. Customers of a day are not counted: two runs may have the
 * same ones.
 */
function stateOf({ rows, quality, partitions, options: { historyLength } }: Manifest): MetricsState | undefined {
  const lengths = quality.sequence_length_distribution as Record<number, number>;
  const positions = quality.action_type_frequency_by_position;
  if (typeof historyLength !== "number" || positions.length < (rows === 0 ? 0 : Math.min(POSITIONS, historyLength))) return undefined;
  if (sum(Object.values(lengths)) !== rows || sum(partitions.map(({ certificate }) => certificate.rows)) !== rows) return undefined;
  const actions = sum(Object.entries(lengths).map(([length, n]) => Number(length) * n));
  const types = Object.entries(quality.real_action_type_distribution).map(([type, share]) => [type, Math.round(share * actions)] as const);
  return {
    maxPositions: POSITIONS,
    types: withoutZeros(types),
    positions: positions.slice(0, POSITIONS).map((counts) => withoutZeros(Object.entries(counts).filter(([type]) => type !== "0"))),
    lengths: { ...lengths },
    historyLengths: rows === 0 ? {} : { [historyLength]: rows },
    days: Object.fromEntries(
      partitions.map(({ dt, certificate }) => [
        dt,
        { rows: certificate.rows, customers: 0, emptyRows: certificate.zeroHistoryRows, used: {} },
      ]),
    ),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const withoutZeros = (counts: readonly (readonly [string, number])[]): Record<number, number> =>
  Object.fromEntries(counts.filter(([, n]) => n > 0));
