import { inParallel } from "./parallel";
import type { InputFile, Split } from "./rows";

/** the end of a file that only reading it can tell */
const TO_THE_END = Number.MAX_SAFE_INTEGER;

/** Footers read side by side: those of a bucket take a while each. */
const FOOTERS = 16;

/** What a byte of Parquet holds takes so many bytes as NDJSON, about: 143 MB are 1,034 MB in one workload of the benchmarks. gzip and zstd pack as well. */
const PACKS = 7;

/** Bytes that a file would have as plain NDJSON, about: what is read from it counts, not what it takes on disk. */
export const textBytes = ({ size, format, compression }: InputFile): number =>
  format === "parquet" || compression !== "none" ? size * PACKS : size;

/**
 * Cuts files into splits of about `splitBytes` of text, in the order of the files: NDJSON by bytes, Parquet by row groups; what is
 * compressed as a whole, CSV and JSON arrays are one split a file. Empty files have none. Depends on the files' bytes alone.
 * @throws BrokenFile where a Parquet file has no legible footer
 */
export async function planSplits(table: string, files: readonly InputFile[], splitBytes: number): Promise<Split[]> {
  const parts = await inParallel(files, FOOTERS, (file) => cuts(file, splitBytes));
  return files
    .flatMap((file, k) => parts[k].map(([start, end]) => ({ table, file, start, end })))
    .map((split, index) => ({ ...split, index }));
}

async function cuts(file: InputFile, splitBytes: number): Promise<[start: number, end: number][]> {
  if (file.size === 0) return [];
  if (file.compression !== "none") return [[0, TO_THE_END]];
  if (file.format === "ndjson") return cutBytes(file.size, splitBytes);
  if (file.format !== "parquet") return [[0, file.size]];
  const { rowGroupBytes } = await import("./parquetfile.js");
  return cutRowGroups(await rowGroupBytes(file), splitBytes / PACKS);
}

/** Equal parts, so that the last one is not a crumb. */
function cutBytes(size: number, splitBytes: number): [number, number][] {
  const count = Math.max(1, Math.round(size / splitBytes));
  const at = (k: number) => Math.floor((size / count) * k);
  return Array.from({ length: count }, (_, k) => [at(k), k + 1 === count ? size : at(k + 1)]);
}

function cutRowGroups(groupBytes: readonly number[], splitBytes: number): [number, number][] {
  const runs: [number, number][] = [];
  let start = 0;
  let bytes = 0;
  for (const [k, groupSize] of groupBytes.entries()) {
    if (k > start && bytes + groupSize / 2 > splitBytes) {
      runs.push([start, k]);
      start = k;
      bytes = 0;
    }
    bytes += groupSize;
  }
  if (start < groupBytes.length) runs.push([start, groupBytes.length]);
  return runs;
}
