/** Headers of Parquet that ask for more than there can be are refused before anyone believes them: hyparquet reserves what they say. */
import type { AsyncBuffer, FileMetaData, RowGroup } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";

/** Of a file that is compressed as a whole. */
export const MAX_WHOLE_BYTES = 2 ** 30;
const MAX_PAGE_BYTES = 2 ** 29;
const MAX_PAGE_VALUES = 2 ** 26;
const ROWS_A_BYTE = 100_000;

/** @throws RangeError where there are more rows than bytes could stand for */
export function checkRows({ row_groups }: FileMetaData, fileBytes: number): void {
  const rows = row_groups.reduce((sum, { num_rows }) => sum + Number(num_rows), 0);
  if (!(rows >= 0 && rows <= ROWS_A_BYTE * fileBytes)) throw new RangeError(`${rows} rows are more than ${fileBytes} bytes can hold`);
}

/**
 * Walks over the pages of the wanted columns.
 * @throws RangeError where a header says what cannot be
 */
export async function checkPages(file: AsyncBuffer, { columns }: RowGroup, wanted: readonly string[]): Promise<void> {
  for (const { meta_data: column } of columns) {
    if (column === undefined || !wanted.includes(column.path_in_schema[0])) continue;
    const { data_page_offset: data, dictionary_page_offset: dictionary, total_compressed_size: size } = column;
    const start = Number(dictionary && dictionary < data ? dictionary : data);
    const end = start + Number(size);
    if (!(start >= 0 && start <= end && end <= file.byteLength)) throw new RangeError("a column lies outside the file");
    walk(await file.slice(start, end), Number(column.num_values));
  }
}

function walk(chunk: ArrayBuffer, most: number): void {
  const reader = { view: new DataView(chunk), offset: 0 };
  let values = 0;
  while (reader.offset < chunk.byteLength - 1 && values < most) {
    const header = parquetHeader(reader);
    const page = header.data_page_header ?? header.data_page_header_v2;
    const count = (page ?? header.dictionary_page_header)?.num_values ?? 0;
    const [packed, unpacked] = [header.compressed_page_size, header.uncompressed_page_size];
    const sound = packed >= 0 && packed <= chunk.byteLength - reader.offset && unpacked >= 0 && count >= 0;
    if (!sound || header.type === undefined) throw new RangeError("a page is cut");
    if (
      unpacked > MAX_PAGE_BYTES ||
      count > MAX_PAGE_VALUES ||
      (page === undefined && count > 8 * unpacked) ||
      (page !== undefined && count > most)
    )
      throw new RangeError(`a page says that it has ${count} values in ${unpacked} bytes`);
    if (page !== undefined) values += count;
    reader.offset += packed;
  }
}
