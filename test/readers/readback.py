"""Do the readers that people train with see the rows that were written?

    readback.py FOLDER EXPECTED.ndjson [--spark] [--columns holds=name,...]

FOLDER holds Parquet files (dt=... folders are passed over as a column). EXPECTED has one JSON object a row, ids as
integers, in any order. Every reader must give the same rows, with the types of SPEC: those of the columns that the expected
rows have, in whatever order. Exit 0 if all agree, 1 with the first difference otherwise.

Checked: pyarrow (checksums verified, whole and by row group, with filters), DuckDB, Polars; with --spark PySpark too, with
its vectorized reader and without, whose filters go through the page index.
"""

import argparse
import glob
import json
import os
import random
import sys

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

LIST = {"actions": pa.int64(), "action_types": pa.int32(), "action_times": pa.int64()}
PLAIN = {
    "ranking_id": pa.string(),
    "customer_id": pa.int64(),
    "impression_index": pa.int32(),
    "item_id": pa.int64(),
    "is_order": pa.bool_(),
    "impressions": pa.int64(),
    "history_length": pa.int32(),
}
DUCKDB = {pa.string(): "VARCHAR", pa.int64(): "BIGINT", pa.int32(): "INTEGER", pa.bool_(): "BOOLEAN"}
POLARS = {pa.string(): pl.String, pa.int64(): pl.Int64, pa.int32(): pl.Int32, pa.bool_(): pl.Boolean}
SPARK = {pa.string(): "string", pa.int64(): "bigint", pa.int32(): "int", pa.bool_(): "boolean"}


class Expected:
    """The rows in an order that does not depend on the reader."""

    def __init__(self, path, renames):
        with open(path, encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        self.names = list(rows[0])
        holds = {name: renames.get(name, name) for name in self.names}
        self.lists = {name: LIST[held] for name, held in holds.items() if held in LIST}
        self.plain = {name: PLAIN[held] for name, held in holds.items() if held in PLAIN}
        self.rows = self.sorted(tuple(row[name] for name in self.names) for row in rows)
        self.filters = self.pick_filters()

    @staticmethod
    def sorted(rows):
        frozen = (tuple(tuple(v) if isinstance(v, (list, tuple)) else v for v in row) for row in rows)
        return sorted(frozen, key=repr)

    def pick_filters(self):
        """(column, value) to look up: some that are there, one between, none of a list."""
        random.seed(1)
        picked = []
        for name in self.plain:
            at = self.names.index(name)
            values = sorted({row[at] for row in self.rows})
            picked += [(name, v) for v in {values[0], values[-1], *random.sample(values, min(2, len(values)))}]
            if self.plain[name] == pa.int64():
                picked.append((name, 4611686018427387905))
        return picked

    def where(self, name, value):
        at = self.names.index(name)
        return [row for row in self.rows if row[at] == value]

    def check(self, reader, rows, expected=None):
        expected = self.rows if expected is None else expected
        rows = self.sorted(rows)
        if len(rows) != len(expected):
            fail(reader, f"{len(rows)} rows; expected {len(expected)}")
        for i, (got, wanted) in enumerate(zip(rows, expected)):
            if got != wanted:
                names = [n for n, g, w in zip(self.names, got, wanted) if g != w]
                fail(reader, f"row {i} differs in {names}: {str(got)[:300]} expected {str(wanted)[:300]}")


def fail(reader, what):
    print(f"{reader}: {what}")
    sys.exit(1)


def types_must_be(reader, got, wanted):
    if got != wanted:
        fail(reader, f"types {got} expected {wanted}")


def check_pyarrow(files, expected):
    wanted = {**expected.plain, **{n: pa.list_(pa.field("element", t, nullable=False)) for n, t in expected.lists.items()}}
    rows = []
    for path in files:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            schema = {field.name: field.type for field in file.schema_arrow}
            types_must_be("pyarrow", schema, wanted)
            if any(field.nullable for field in file.schema_arrow):
                fail("pyarrow", "a column is nullable")
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=expected.names)
                table.validate(full=True)
                rows += zip(*(table.column(n).to_pylist() for n in expected.names)) if table.num_rows else []
    expected.check("pyarrow", rows)
    for name, value in expected.filters:
        # explicit files, so that no partition column is read from folder names
        table = pa.concat_tables(
            pq.read_table(f, columns=expected.names, filters=[(name, "=", value)], partitioning=None, page_checksum_verification=True)
            for f in files
        )
        expected.check(f"pyarrow where {name}", zip(*(c.to_pylist() for c in table.columns)), expected.where(name, value))


def check_duckdb(files, expected):
    columns = ", ".join(f'"{n}"' for n in expected.names)
    source = f"read_parquet({files!r}, hive_partitioning = false)"
    described = {row[0]: row[1] for row in duckdb.sql(f"describe select {columns} from {source}").fetchall()}
    wanted = {**{n: DUCKDB[t] for n, t in expected.plain.items()}, **{n: DUCKDB[t] + "[]" for n, t in expected.lists.items()}}
    types_must_be("duckdb", described, wanted)
    expected.check("duckdb", duckdb.sql(f"select {columns} from {source}").fetchall())
    for name, value in expected.filters:
        rows = duckdb.execute(f'select {columns} from {source} where "{name}" = ?', [value]).fetchall()
        expected.check(f"duckdb where {name}", rows, expected.where(name, value))


def check_polars(files, expected):
    for label, frame in [
        ("polars", lambda: pl.scan_parquet(files, hive_partitioning=False).select(expected.names)),
        ("polars prefiltered", lambda: pl.scan_parquet(files, hive_partitioning=False, parallel="prefiltered").select(expected.names)),
    ]:
        wanted = {**{n: POLARS[t] for n, t in expected.plain.items()}, **{n: pl.List(POLARS[t]) for n, t in expected.lists.items()}}
        types_must_be(label, dict(frame().collect_schema()), wanted)
        expected.check(label, frame().collect().rows())
        for name, value in expected.filters:
            rows = frame().filter(pl.col(name) == value).collect().rows()
            expected.check(f"{label} where {name}", rows, expected.where(name, value))


def check_spark(files, expected):
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as F

    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "2g")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    # parquet-mr verifies page checksums only when told to
    spark.sparkContext._jsc.hadoopConfiguration().set("parquet.page.verify-checksum.enabled", "true")
    wanted = {**{n: SPARK[t] for n, t in expected.plain.items()}, **{n: f"array<{SPARK[t]}>" for n, t in expected.lists.items()}}
    for vectorized in ["true", "false"]:
        spark.conf.set("spark.sql.parquet.enableVectorizedReader", vectorized)
        spark.conf.set("spark.sql.parquet.enableNestedColumnVectorizedReader", vectorized)
        label = "spark" if vectorized == "true" else "spark row by row"
        frame = spark.read.parquet(*files).select([F.col(f"`{n}`") for n in expected.names])
        types_must_be(label, dict(frame.dtypes), wanted)
        expected.check(label, (tuple(row) for row in frame.collect()))
        for name, value in expected.filters:
            rows = [tuple(row) for row in frame.where(F.col(f"`{name}`") == F.lit(value)).collect()]
            expected.check(f"{label} where {name}", rows, expected.where(name, value))
    spark.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("expected")
    parser.add_argument("--spark", action="store_true", help="PySpark too (Java needed)")
    parser.add_argument("--columns", default="", help="what renamed columns hold: actions=a,action_types=t")
    options = parser.parse_args()
    renames = {name: holds for holds, _, name in (part.partition("=") for part in options.columns.split(",") if part)}
    files = sorted(glob.glob(os.path.join(options.folder, "**", "*.parquet"), recursive=True))
    if not files:
        fail("readback", f"no Parquet files in {options.folder}")
    expected = Expected(options.expected, renames)
    check_pyarrow(files, expected)
    check_duckdb(files, expected)
    check_polars(files, expected)
    if options.spark:
        check_spark(files, expected)
    readers = "pyarrow, DuckDB, Polars" + (", PySpark" if options.spark else "")
    print(f"{len(expected.rows)} rows, {len(files)} files, {len(expected.filters)} look-ups: {readers} agree")


if __name__ == "__main__":
    main()
