/** All that scans Parquet: it takes as long to load as everything else that a thread needs, so only those load it that read Parquet. */
export { readParquet } from "../io/parquetin";
export { ParquetActions } from "./parquetactions";
export { ParquetRankings } from "./parquetrankings";
