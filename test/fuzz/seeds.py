"""Makes the Parquet files that corpus/parquet begins with. python3 -m pip install pyarrow duckdb polars; python3 seeds.py"""
import datetime as D, os
import duckdb, polars as pl, pyarrow as pa, pyarrow.parquet as pq

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "parquet")
n = 30
when = [D.datetime(2025, 3, 1) + D.timedelta(hours=11 * i) for i in range(n)]
clicks = pa.table({
    "customer_id": pa.array([None if i == 7 else i % 5 for i in range(n)], pa.int64()), "item_id": pa.array([i * 2**33 for i in range(n)], pa.int64()),
    "click_time": pa.array([str(t) for t in when]), "dt": pa.array([str(t.date()) for t in when]),
})
stamped = clicks.set_column(2, "click_time", pa.array(when, pa.timestamp("us", "UTC")))
slot = pa.list_(pa.struct([("item_id", pa.int64()), ("is_order", pa.bool_())]))
rankings = pa.table({
    "dt": ["2025-03-%02d" % (1 + i % 20) for i in range(n)], "ranking_id": [f"r{i}" for i in range(n)], "customer_id": pa.array([i % 5 for i in range(n)], pa.int32()),
    "impressions": pa.array([None if i == 3 else [{"item_id": i + j, "is_order": j == i} for j in range(i % 4)] for i in range(n)], slot),
})


def write(name, table, **options):
    pq.write_table(table, f"{HERE}/{name}", **options)


for codec in ("none", "snappy", "gzip", "zstd", "lz4", "brotli"):
    write(f"clicks-{codec}", clicks, compression=codec)
for codec in ("none", "snappy", "zstd"):
    write(f"rankings-{codec}", rankings, compression=codec, data_page_version="2.0" if codec == "zstd" else "1.0")
plain = dict(use_dictionary=False, compression="none")
write("clicks-plain", stamped, row_group_size=8, **plain)
write("clicks-delta", stamped.drop_columns(["dt"]), column_encoding={"customer_id": "DELTA_BINARY_PACKED", "item_id": "DELTA_BINARY_PACKED", "click_time": "DELTA_BINARY_PACKED"}, **plain)
write("clicks-delta-text", clicks, column_encoding={"customer_id": "BYTE_STREAM_SPLIT", "click_time": "DELTA_BYTE_ARRAY", "dt": "DELTA_LENGTH_BYTE_ARRAY"}, **plain)
write("clicks-pages", clicks, data_page_size=64, write_batch_size=4, write_page_index=True, data_page_version="2.0")
for name, table in (("clicks", stamped), ("rankings", rankings)):
    duckdb.register("seed", table)
    duckdb.sql(f"COPY (SELECT * FROM seed) TO '{HERE}/{name}-duckdb' (FORMAT parquet, COMPRESSION zstd)")
    pl.from_arrow(table).write_parquet(f"{HERE}/{name}-polars", compression="snappy")
