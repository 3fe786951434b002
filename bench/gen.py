"""The workload that the peers are measured with: four inputs, each as Parquet and as NDJSON.

gen.py OUT RANKINGS ACTIONS CUSTOMERS [DAYS] [--no-ndjson]
S: gen.py s 10000 1000000 5000 (100,186 slots). M: gen.py m 100000 10000000 50000 (1,000,098 slots).
L: gen.py l 1000000 100000000 500000. The seed is fixed. All is made in memory: under 10 GB at L.
"""
import argparse
import os

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FIRST_DAY = np.datetime64("2025-08-03")
SPAN_MICROS = 420 * 86_400_000_000

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("out", help="folder to write to")
p.add_argument("rankings", type=int)
p.add_argument("actions", type=int)
p.add_argument("customers", type=int)
p.add_argument("days", type=int, nargs="?", default=14, help="days with impressions (default 14)")
p.add_argument("--no-ndjson", action="store_true", help="Parquet only")
a = p.parse_args()
os.makedirs(a.out, exist_ok=True)
rng = np.random.default_rng(7)
end = FIRST_DAY + a.days  # the day after the last

weights = 1.0 / np.arange(1, a.customers + 1) ** 0.75
cumulated = np.cumsum(weights / weights.sum())


def customers(n):
    return (np.searchsorted(cumulated, rng.random(n)) + 1).astype(np.int64) * 7919 % 10_000_019


def items(n):
    return (rng.zipf(1.3, n) % 400_000 + 1).astype(np.int64)


def times(n):
    """Density grows towards the present."""
    ago = rng.random(n) ** 1.5
    return np.datetime64(end, "us") - (ago * SPAN_MICROS).astype("timedelta64[us]")


def day_texts(t):
    """Written by Arrow: numpy's own texts take 112 bytes each, 10 GB at L."""
    return pa.array(t.astype("datetime64[D]")).cast(pa.string())


def timestamps(t):
    return pa.array(t.astype("datetime64[us]"))


def products(n, day_name, days):
    """Add-to-carts or orders. The order of the draws decides the workload: keep it."""
    t = times(n)
    item = items(n)
    return pa.table(
        {
            day_name: days(t),
            "customer_id": customers(n),
            "config_id": item,
            "simple_id": item * 10 + rng.integers(0, 9, n),
            "occurred_at": timestamps(t),
        }
    )


click_count, cart_count = int(a.actions * 0.85), int(a.actions * 0.12)
order_count = a.actions - click_count - cart_count
t = times(click_count)
clicks = pa.table({"dt": day_texts(t), "customer_id": customers(click_count), "item_id": items(click_count), "click_time": timestamps(t)})
add_to_carts = products(cart_count, "dt", day_texts)
previous_orders = products(order_count, "order_date", lambda t: pa.array(t.astype("datetime64[D]")))

slots = rng.integers(5, 16, a.rankings)
offsets = np.concatenate([[0], np.cumsum(slots)])
slot_count = int(offsets[-1])
slot = pa.StructArray.from_arrays([pa.array(items(slot_count)), pa.array(rng.random(slot_count) < 0.03)], names=["item_id", "is_order"])
dt = (FIRST_DAY + rng.integers(0, a.days, a.rankings)).astype(str)
impressions = pa.table(
    {
        "dt": pa.array(dt),
        "ranking_id": pa.array([f"r{k:09d}" for k in range(a.rankings)]),
        "customer_id": customers(a.rankings),
        "impressions": pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), slot),
    }
)

duckdb.sql("set threads=1")  # more of them hold the texts back in memory to keep the order
tables = dict(impressions=impressions, clicks=clicks, add_to_carts=add_to_carts, previous_orders=previous_orders)
for name, table in tables.items():
    pq.write_table(table, f"{a.out}/{name}.parquet")
    if not a.no_ndjson:
        duckdb.sql(f"copy (from '{a.out}/{name}.parquet') to '{a.out}/{name}.ndjson' (format json)")
    print(name, table.num_rows)
print("slots", slot_count)
