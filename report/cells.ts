/** Values of flat columns of an output's file. Only the pages of these columns are read, a row group at a time: histories are nearly all of a file. */
import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetRead, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { listening } from "../pipeline/errors";
import { BrokenFile } from "../pipeline/io/rows";

/** Some values of a column, in order. */
export interface Cells {
  column: string;
  values: ArrayLike<unknown>;
}

/**
 * @param columns those that a file lacks are passed over
 * @throws BrokenFile where it cannot be read, or has not as many values as rows
 */
export async function* cellsIn(path: string, columns: readonly string[]): AsyncGenerator<Cells> {
  const broken = (what: string) => new BrokenFile(`"${path}" cannot be read as Parquet (${what}).`);
  const fail = (error: Error): never => {
    throw "code" in error ? error : broken(error.message);
  };
  const file = await asyncBufferFromFile(path);
  const metadata: FileMetaData = await parquetMetadataAsync(file, { geoparquet: false }).catch(fail);
  const there = parquetSchema(metadata).children.filter(({ element, children }) => children.length === 0 && columns.includes(element.name));
  const wanted = there.map(({ element }) => element.name);
  if (wanted.length === 0) return;
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const chunks: Cells[] = [];
    const onChunk = ({ columnName, columnData }: { columnName: string; columnData: ArrayLike<unknown> }) =>
      void chunks.push({ column: columnName, values: columnData });
    await listening(() => parquetRead({ file, metadata, compressors, columns: wanted, rowStart, rowEnd, onChunk })).catch(fail);
    for (const column of wanted) {
      const values = chunks.reduce((sum, chunk) => sum + (chunk.column === column ? chunk.values.length : 0), 0);
      if (values !== rowEnd - rowStart) throw broken(`column ${column} has ${values} values in ${rowEnd - rowStart} rows`);
    }
    yield* chunks;
    rowStart = rowEnd;
  }
}
