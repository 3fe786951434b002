"""The jobs that the presets stand for, each as a team would write it. That of pyspark-rows is the one of docs/from-pyspark.md."""
from pyspark.sql import Window, functions as F

HISTORY, LOOKBACK = 1000, 365
IMPRESSIONS = "dt string, ranking_id string, customer_id long, impressions array<struct<item_id: long, is_order: boolean>>"
CLICKS = "dt string, customer_id long, item_id long, click_time timestamp"
CARTS = "dt string, customer_id long, config_id long, occurred_at timestamp"
ORDERS = "order_date date, customer_id long, config_id long, occurred_at timestamp"


def tables(spark, source):
    read = lambda name, schema: spark.read.schema(schema).json(f"{source}/{name}.ndjson")
    return read("impressions", IMPRESSIONS), read("clicks", CLICKS), read("add_to_carts", CARTS), read("previous_orders", ORDERS)


def save(rows, target):
    rows.write.mode("overwrite").partitionBy("dt").parquet(target)


def rankings(spark, source, target):
    """pyspark-rankings: nothing is exploded and nothing is padded; the history is an array of structs."""
    impressions, clicks, carts, orders = tables(spark, source)
    actions = (
        clicks.selectExpr("customer_id", "click_time AS time", "1 AS type", "item_id AS item")
        .unionByName(carts.selectExpr("customer_id", "occurred_at AS time", "2 AS type", "config_id AS item"))
        .unionByName(orders.selectExpr("customer_id", "CAST(order_date AS timestamp) AS time", "3 AS type", "config_id AS item"))
    )
    histories = (
        impressions.select("customer_id", "dt").distinct()
        .join(actions, "customer_id")
        .where(f"time < to_timestamp(dt) AND time >= date_sub(dt, {LOOKBACK})")
        .groupBy("customer_id", "dt")
        .agg(F.slice(F.sort_array(F.collect_list(F.struct("time", "type", "item")), asc=False), 1, HISTORY).alias("history"))
    )
    save(impressions.join(histories, ["customer_id", "dt"], "left"), target)


def event_time(spark, source, target):
    """pyspark-event-time: every event has a time of its own, orders too; slots are numbered, and times are kept for the model."""
    impressions, clicks, carts, orders = tables(spark, source)
    events = (
        clicks.select("customer_id", F.col("item_id").alias("item"), F.col("click_time").alias("time"), F.lit(1).alias("type"))
        .union(carts.select("customer_id", "config_id", "occurred_at", F.lit(2)))
        .union(orders.select("customer_id", "config_id", "occurred_at", F.lit(3)))
    )
    days = impressions.select("customer_id", "dt", F.to_timestamp("dt").alias("midnight")).distinct()
    newest_first = Window.partitionBy("customer_id", "dt").orderBy(F.desc("time"), F.desc("type"), F.desc("item"))
    histories = (
        events.join(days, "customer_id")
        .where((F.col("time") < F.col("midnight")) & (F.col("time") >= F.col("midnight") - F.expr(f"INTERVAL {LOOKBACK} DAYS")))
        .withColumn("position", F.row_number().over(newest_first))
        .where(F.col("position") <= HISTORY)
        .groupBy("customer_id", "dt")
        .agg(F.array_sort(F.collect_list(F.struct("position", "item", "type", F.unix_micros("time").alias("time")))).alias("history"))
    )

    def padded(field, kind):
        real = F.coalesce(F.col(f"history.{field}"), F.array()).cast(f"array<{kind}>")
        return F.concat(real, F.array_repeat(F.lit(0).cast(kind), HISTORY - F.size(real)))

    rows = (
        impressions.select("dt", "ranking_id", "customer_id", F.posexplode("impressions").alias("impression_index", "slot"))
        .join(histories, ["customer_id", "dt"], "left")
        .select(
            "dt", "ranking_id", "customer_id", "impression_index", "slot.item_id", "slot.is_order",
            padded("item", "bigint").alias("actions"),
            padded("type", "int").alias("action_types"),
            padded("time", "bigint").alias("action_times"),
        )
    )
    save(rows, target)


def partitions(spark, source, target):
    """pyspark-partitions: goes by daily partitions, all there are; orders arrive a day late; whoever has no history is left out."""
    impressions, clicks, carts, orders = tables(spark, source)
    events = (
        clicks.select("customer_id", F.to_date("dt").alias("day"), F.col("click_time").alias("time"), F.lit(1).alias("type"), F.col("item_id").alias("item"))
        .union(carts.select("customer_id", F.to_date("dt"), "occurred_at", F.lit(2), "config_id"))
        .union(orders.select("customer_id", F.date_add("order_date", 1), F.to_timestamp("order_date"), F.lit(3), "config_id"))
    )
    events.createOrReplaceTempView("events")
    impressions.createOrReplaceTempView("impressions")
    rows = spark.sql(f"""
        WITH days AS (SELECT DISTINCT customer_id, dt FROM impressions),
        histories AS (
            SELECT customer_id, dt, slice(reverse(array_sort(collect_list(struct(time, type, item)))), 1, {HISTORY}) AS history
            FROM days JOIN events USING (customer_id)
            WHERE day < to_date(dt)
            GROUP BY customer_id, dt
        )
        SELECT dt, ranking_id, customer_id, slot.item_id, slot.is_order,
            concat(history.item, array_repeat(0L, {HISTORY} - size(history))) AS actions,
            concat(history.type, array_repeat(0, {HISTORY} - size(history))) AS action_types
        FROM (SELECT dt, ranking_id, customer_id, explode(impressions) AS slot FROM impressions) JOIN histories USING (customer_id, dt)
    """)
    save(rows, target)
