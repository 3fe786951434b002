"""The whole job of SPEC.md's defaults in PySpark: spark_peer.py IN OUT [ndjson|parquet]. OUT is replaced. Wants Java 17."""
import argparse
import time

from pyspark.sql import SparkSession, Window, functions as F

K = 1000

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("input", help="folder with the four tables, as gen.py writes them")
p.add_argument("output", help="folder to write to; replaced")
p.add_argument("format", nargs="?", choices=["ndjson", "parquet"], default="ndjson")
p.add_argument("--threads", type=int, default=2)
p.add_argument("--memory", default="12g", help="memory of the driver (default 12g)")
a = p.parse_args()

spark = (
    SparkSession.builder.master(f"local[{a.threads}]")
    .config("spark.driver.memory", a.memory)
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "8")
    .config("spark.sql.session.timeZone", "UTC")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def read(name, schema):
    if a.format == "parquet":
        return spark.read.parquet(f"{a.input}/{name}.parquet")
    return spark.read.schema(schema).json(f"{a.input}/{name}.ndjson")


def actions_of(table, item, time_column, kind):
    return table.select("customer_id", F.col(item).alias("item_id"), F.col(time_column).cast("timestamp").alias("t"), F.lit(kind).alias("ty"))


def padded(column, type_name):
    real = F.coalesce(column, F.array().cast(f"array<{type_name}>"))
    return F.concat(real, F.array_repeat(F.lit(0).cast(type_name), K - F.size(real)))


started = time.time()
imp = read("impressions", "dt string, ranking_id string, customer_id long, impressions array<struct<item_id:long,is_order:boolean>>")
acts = (
    actions_of(read("clicks", "customer_id long, item_id long, click_time timestamp"), "item_id", "click_time", 1)
    .unionByName(actions_of(read("add_to_carts", "customer_id long, config_id long, occurred_at timestamp"), "config_id", "occurred_at", 2))
    .unionByName(actions_of(read("previous_orders", "customer_id long, config_id long, order_date date"), "config_id", "order_date", 3))
)
cd = imp.select("customer_id", "dt").distinct().withColumn("midnight", F.to_timestamp("dt"))
j = acts.join(cd, "customer_id").where((F.col("t") < F.col("midnight")) & (F.col("t") >= F.col("midnight") - F.expr("interval 365 days")))
newest_first = Window.partitionBy("customer_id", "dt").orderBy(F.col("t").desc(), F.col("ty").desc(), F.col("item_id").desc())
h = (
    j.withColumn("rn", F.row_number().over(newest_first))
    .where(F.col("rn") <= K)
    .groupBy("customer_id", "dt")
    .agg(F.sort_array(F.collect_list(F.struct("rn", "item_id", "ty"))).alias("s"))
    .select("customer_id", "dt", F.col("s.item_id").alias("a"), F.col("s.ty").alias("y"))
)
e = imp.select("dt", "ranking_id", "customer_id", F.posexplode("impressions").alias("impression_index", "s"))
o = e.join(h, ["customer_id", "dt"], "left").select(
    "dt",
    "ranking_id",
    "customer_id",
    "impression_index",
    F.col("s.item_id").alias("item_id"),
    F.col("s.is_order").alias("is_order"),
    F.col("s.item_id").alias("impressions"),
    padded(F.col("a"), "bigint").alias("actions"),
    padded(F.col("y"), "int").alias("action_types"),
)
o.write.mode("overwrite").partitionBy("dt").option("compression", "snappy").parquet(a.output)
print("spark", round(time.time() - started, 2), flush=True)
