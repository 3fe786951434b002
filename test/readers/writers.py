"""writers.py IN OUT: the NDJSON of the four tables as Parquet, once for each writer and way to write: OUT/<way>/<table>.parquet.

Times are wall times, but for ways whose names end in "utc".
"""
import os
import sys

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

source, out = sys.argv[1:3]
SLOT = "struct(item_id bigint, is_order boolean)"
COLUMNS = {
    "impressions": {"dt": "varchar", "ranking_id": "varchar", "customer_id": "bigint", "impressions": f"{SLOT}[]"},
    "clicks": {"dt": "varchar", "customer_id": "bigint", "item_id": "bigint", "click_time": "timestamp"},
    "add_to_carts": {"dt": "varchar", "customer_id": "bigint", "config_id": "bigint", "occurred_at": "timestamp"},
    "previous_orders": {"order_date": "date", "customer_id": "bigint", "config_id": "bigint", "occurred_at": "timestamp"},
}


def read(table):
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS[table].items())
    return duckdb.sql(f"from read_json('{source}/{table}.ndjson', format='newline_delimited', columns={{{columns}}})").to_arrow_table()


def with_times(table, kind):
    """The same instants in another unit, or said to be UTC."""
    fields = [f.with_type(kind) if pa.types.is_timestamp(f.type) else f for f in table.schema]
    return table.cast(pa.schema(fields))


def with_dates(table):
    return table.cast(pa.schema([f.with_type(pa.date32()) if f.name == "dt" else f for f in table.schema]))


def required(table):
    return table.cast(pa.schema([f.with_nullable(False) for f in table.schema]))


ARROW = {
    "arrow": {},
    "arrow-plain": dict(use_dictionary=False, compression="none", data_page_size=999),
    "arrow-v2": dict(data_page_version="2.0", compression="zstd", row_group_size=777, data_page_size=500),
    "arrow-delta": dict(use_dictionary=False, data_page_version="2.0", compression="gzip", delta=True),
    "arrow-lz4-ns": dict(compression="lz4", times=pa.timestamp("ns")),
    "arrow-brotli-utc": dict(compression="brotli", times=pa.timestamp("us", "UTC"), row_group_size=5000),
    "arrow-int96-utc": dict(use_deprecated_int96_timestamps=True),
    "arrow-split": dict(use_dictionary=False, split=True),
    "arrow-dates": dict(change=with_dates),
    "arrow-required": dict(change=required),
}
DELTA = {"string": "DELTA_BYTE_ARRAY", "int64": "DELTA_BINARY_PACKED", "timestamp[us]": "DELTA_BINARY_PACKED", "date32[day]": "DELTA_BINARY_PACKED"}


def write_arrow(table, path, times=None, delta=False, split=False, change=lambda table: table, **options):
    table = change(with_times(table, times) if times else table)
    if delta:
        options["column_encoding"] = {f.name: DELTA[str(f.type)] for f in table.schema if str(f.type) in DELTA}
    if split:
        options["column_encoding"] = {f.name: "BYTE_STREAM_SPLIT" for f in table.schema if pa.types.is_integer(f.type)}
    pq.write_table(table, path, **options)


for name in COLUMNS:
    arrow_table = read(name)
    for way, options in ARROW.items():
        os.makedirs(f"{out}/{way}", exist_ok=True)
        write_arrow(arrow_table, f"{out}/{way}/{name}.parquet", **options)
    for way, options in {"duckdb": "parquet_version v1", "duckdb-v2": "parquet_version v2, compression zstd, row_group_size 2048"}.items():
        os.makedirs(f"{out}/{way}", exist_ok=True)
        duckdb.sql(f"copy (from arrow_table) to '{out}/{way}/{name}.parquet' (format parquet, {options})")
    for way, options in {"polars": {}, "polars-pages": dict(compression="lz4", row_group_size=1500, data_page_size=600)}.items():
        os.makedirs(f"{out}/{way}", exist_ok=True)
        pl.from_arrow(arrow_table).write_parquet(f"{out}/{way}/{name}.parquet", **options)
