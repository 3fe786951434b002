"""The whole job of SPEC.md's defaults in Polars: polars_peer.py IN OUT [ndjson|parquet]. OUT is replaced.

Threads: POLARS_MAX_THREADS=2 in the environment.
"""
import argparse
import os
import shutil
import time

import polars as pl

K = 1000

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("input", help="folder with the four tables, as gen.py writes them")
p.add_argument("output", help="folder to write to; replaced")
p.add_argument("format", nargs="?", choices=["ndjson", "parquet"], default="ndjson")
a = p.parse_args()


def read(name, schema):
    if a.format == "parquet":
        return pl.scan_parquet(f"{a.input}/{name}.parquet").select(schema.keys())
    return pl.scan_ndjson(f"{a.input}/{name}.ndjson", schema=schema)


def actions_of(name, item, time_column, kind):
    """A table as (customer_id, item, t, ty); t is a time, or the midnight of a date."""
    stamp = pl.col(time_column).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    midnight = pl.col(time_column).str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    # Parquet has dates and timestamps of its own
    t = pl.col(time_column).cast(pl.Datetime("us")) if a.format == "parquet" else pl.coalesce(stamp, midnight)
    return read(name, {"customer_id": pl.Int64, item: pl.Int64, time_column: pl.String}).select(
        "customer_id", pl.col(item).alias("item"), t.alias("t"), pl.lit(kind, dtype=pl.Int32).alias("ty")
    )


shutil.rmtree(a.output, ignore_errors=True)
started = time.time()
acts = pl.concat(
    [
        actions_of("clicks", "item_id", "click_time", 1),
        actions_of("add_to_carts", "config_id", "occurred_at", 2),
        actions_of("previous_orders", "config_id", "order_date", 3),
    ]
)
slot = pl.Struct({"item_id": pl.Int64, "is_order": pl.Boolean})
imp = read("impressions", {"dt": pl.String, "ranking_id": pl.String, "customer_id": pl.Int64, "impressions": pl.List(slot)}).collect()
cd = imp.lazy().select("customer_id", "dt").unique().with_columns(d=pl.col("dt").str.to_datetime("%Y-%m-%d", time_unit="us"))

zeros = pl.lit([0] * K, dtype=pl.List(pl.Int64))
zeros32 = pl.lit([0] * K, dtype=pl.List(pl.Int32))
h = (
    cd.join(acts, on="customer_id")
    .filter((pl.col("t") < pl.col("d")) & (pl.col("t") >= pl.col("d") - pl.duration(days=365)))
    .sort(["t", "ty", "item"], descending=True)
    .group_by("customer_id", "dt", maintain_order=True)
    .agg(pl.col("item").head(K), pl.col("ty").head(K))
    .with_columns(actions=pl.col("item").list.concat([zeros]).list.head(K), action_types=pl.col("ty").list.concat([zeros32]).list.head(K))
    .drop("item", "ty")
    .collect()
)
for (dt,), part in imp.partition_by("dt", as_dict=True).items():
    day = h.filter(pl.col("dt") == dt).drop("dt")
    e = part.with_columns(impression_index=pl.int_ranges(0, pl.col("impressions").list.len(), dtype=pl.Int32))
    e = e.explode("impressions", "impression_index").unnest("impressions")
    o = (
        e.join(day, on="customer_id", how="left")
        .with_columns(impressions=pl.col("item_id"), actions=pl.col("actions").fill_null(zeros), action_types=pl.col("action_types").fill_null(zeros32))
        .sort("ranking_id", "impression_index")
    )
    os.makedirs(f"{a.output}/dt={dt}")
    o.drop("dt").write_parquet(f"{a.output}/dt={dt}/0.parquet", compression="snappy")
print("polars", round(time.time() - started, 2))
