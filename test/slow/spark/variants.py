"""
Every job of the tests, in one session of Spark:  variants.py SOURCE TARGET ZONE PAGE

or some of them, by names behind that. The job of another zone reads SOURCE.instants. Each writes to a folder of TARGET with its name. PAGE has the job of pyspark-rows, in its first block of Python.
"""
import re
import sys
import time

from pyspark.sql import SparkSession, functions as F

import presets
from presets import save, tables

USUAL = dict(
    newest=("time", "type", "item"),
    until="time < to_timestamp(dt)",
    since="time >= to_timestamp(dt) - INTERVAL 365 DAYS",
    ordered="CAST(order_date AS timestamp)",
    length=1000,
    join="left",
    padding="behind",
    collect=F.collect_list,
    ascending=False,
    zone=None,
)


def histories(impressions, clicks, carts, orders, *, newest, until, since, ordered, length, collect, ascending):
    actions = (
        clicks.selectExpr("customer_id", "to_date(dt) AS day", "click_time AS time", "1 AS type", "item_id AS item")
        .unionByName(carts.selectExpr("customer_id", "to_date(dt) AS day", "occurred_at AS time", "2 AS type", "config_id AS item"))
        .unionByName(orders.selectExpr("customer_id", "order_date AS day", f"{ordered} AS time", "3 AS type", "config_id AS item"))
    )
    found = (
        impressions.select("customer_id", "dt").distinct()
        .join(actions, "customer_id")
        .where(f"{until} AND {since}")
        .groupBy("customer_id", "dt")
        .agg(F.slice(F.sort_array(collect(F.struct(*newest)), asc=False), 1, length).alias("history"))
    )
    return found.withColumn("history", F.reverse("history")) if ascending else found


def job(spark, source, target, **changes):
    """The usual job, with what is done otherwise."""
    options = {**USUAL, **changes}
    zone, join, padding, length = options.pop("zone"), options.pop("join"), options.pop("padding"), options["length"]
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", zone or before)
    impressions, *actions = tables(spark, f"{source}.instants" if zone else source)
    slots = impressions.select("dt", "ranking_id", "customer_id", F.explode("impressions").alias("slot"))
    rows = slots.join(histories(impressions, *actions, **options), ["customer_id", "dt"], join)
    list_of = lambda field, kind: padded(F.col(f"history.{field}").cast(f"array<{kind}>"), kind, length, padding)
    lists = [list_of("item", "bigint").alias("actions"), list_of("type", "int").alias("action_types")]
    save(rows.select("dt", "ranking_id", "customer_id", "slot.item_id", "slot.is_order", *lists), target)
    spark.conf.set("spark.sql.session.timeZone", before)


def padded(real, kind, length, padding):
    known = F.coalesce(real, F.array().cast(f"array<{kind}>"))
    zeros = F.array_repeat(F.lit(0).cast(kind), length - F.size(known))
    return {"behind": F.concat(known, zeros), "before": F.concat(zeros, known), "none": known}[padding]


def on_page(spark, source, target, page):
    """The first block of the page as it stands, with other paths and in the session that is here."""
    block = re.search(r"^```python\n(.*?)^```", page, re.S | re.M)[1]
    zone = spark.conf.get("spark.sql.session.timeZone")
    for theirs, ours in [('".cache/workload"', repr(source)), ('".cache/pyspark"', repr(target)), ('timeZone", "UTC"', f'timeZone", "{zone}"')]:
        assert theirs in block, theirs
        block = block.replace(theirs, ours)
    exec(block, {})
    assert spark.conf.get("spark.sql.session.timeZone") == zone


def structs(spark, source, target):
    """Exploded, with the history as it was collected, times and all, or null; partitioned by another name, ids as text."""
    impressions, *actions = tables(spark, source)
    options = {name: USUAL[name] for name in ("newest", "until", "since", "ordered", "length", "collect", "ascending")}
    rows = (
        impressions.select("dt", "ranking_id", "customer_id", F.explode("impressions").alias("slot"))
        .join(histories(impressions, *actions, **options), ["customer_id", "dt"], "left")
        .select(F.col("dt").alias("ds"), "ranking_id", F.col("customer_id").cast("string").alias("user"), "slot", "history")
    )
    rows.write.mode("overwrite").partitionBy("ds").parquet(target)


def words(spark, usual, target, page):
    """Types and items as text, then the page's select that makes integers of them."""
    name = "transform(action_types, type -> element_at(array('', 'click', 'cart', 'order'), type + 1)) AS kinds"
    items = "transform(actions, item -> CAST(item AS string)) AS items"
    save(spark.read.parquet(usual).selectExpr("dt", "ranking_id", "customer_id", "item_id", "is_order", items, name), f"{target}.text")
    block = re.search(r"^```python no-run\n(.*?)^```", page, re.S | re.M)[1]
    for theirs, ours in [('"OLD"', repr(f"{target}.text")), ('".cache/comparable"', repr(target))]:
        assert theirs in block, theirs
        block = block.replace(theirs, ours)
    exec(block, {"spark": spark})


LAGGED = "time < to_timestamp(dt) - CASE WHEN type = 3 THEN INTERVAL 1 DAY ELSE INTERVAL 0 DAY END"
VARIANTS = {
    # what options reproduce
    "short": dict(join="inner", length=50, since="time >= to_timestamp(dt) - INTERVAL 90 DAYS"),
    "ever": dict(since="true"),
    "lag": dict(until=LAGGED),
    "both": dict(until="time < to_timestamp(dt) AND day < to_date(dt)"),
    # what does otherwise than the rule
    "ties": dict(newest=("time", "item", "type")),
    "year": dict(since="time >= to_timestamp(dt) - INTERVAL 1 YEAR"),
    "occurred": dict(ordered="occurred_at"),
    "zone": dict(zone="UTC"),
    "left": dict(padding="before"),
    "unpadded": dict(padding="none"),
    "inclusive": dict(until="time <= to_timestamp(dt)"),
    "leak": dict(until="to_date(time) <= to_date(dt)"),
    "oldest": dict(ascending=True),
    "set": dict(collect=F.collect_set),
    "cut": dict(length=50),
}


def main(source, target, zone, page, *names):
    config = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "1", "spark.sql.codegen.wholeStage": "false", "spark.sql.adaptive.enabled": "false", "spark.sql.session.timeZone": zone}
    builder = SparkSession.builder.master("local[2]").config(map=config)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    text = open(page, encoding="utf8").read()
    jobs = {
        "rows": lambda to: on_page(spark, source, to, text),
        "rankings": lambda to: presets.rankings(spark, source, to),
        "event-time": lambda to: presets.event_time(spark, source, to),
        "partitions": lambda to: presets.partitions(spark, source, to),
        "structs": lambda to: structs(spark, source, to),
        "words": lambda to: words(spark, f"{target}/rows", to, text),
        **{name: lambda to, changes=changes: job(spark, source, to, **changes) for name, changes in VARIANTS.items()},
    }
    for name in names or jobs:
        began = time.time()
        jobs[name](f"{target}/{name}")
        print(name, round(time.time() - began, 1), flush=True)


main(*sys.argv[1:])
