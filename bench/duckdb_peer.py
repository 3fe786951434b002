"""The whole job of SPEC.md's defaults in DuckDB: duckdb_peer.py IN OUT [ndjson|parquet]. OUT is replaced."""
import argparse
import shutil
import time

import duckdb

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("input", help="folder with the four tables, as gen.py writes them")
p.add_argument("output", help="folder to write to; replaced")
p.add_argument("format", nargs="?", choices=["ndjson", "parquet"], default="ndjson")
p.add_argument("--threads", type=int, default=2)
p.add_argument("--memory", default="10GB", help="memory limit (default 10GB)")
a = p.parse_args()

COLUMNS = dict(
    clicks="{dt:'VARCHAR',customer_id:'BIGINT',item_id:'BIGINT',click_time:'VARCHAR'}",
    add_to_carts="{customer_id:'BIGINT',config_id:'BIGINT',occurred_at:'VARCHAR'}",
    previous_orders="{order_date:'VARCHAR',customer_id:'BIGINT',config_id:'BIGINT'}",
    impressions="{dt:'VARCHAR',ranking_id:'VARCHAR',customer_id:'BIGINT',impressions:'STRUCT(item_id BIGINT,is_order BOOLEAN)[]'}",
)


def read(name):
    if a.format == "parquet":
        return f"'{a.input}/{name}.parquet'"
    return f"read_json('{a.input}/{name}.ndjson', format='newline_delimited', columns={COLUMNS[name]})"


QUERY = f"""
copy (
with acts as (
 select customer_id, item_id, click_time::timestamp t, 1::int ty from {read("clicks")} union all
 select customer_id, config_id, occurred_at::timestamp, 2 from {read("add_to_carts")} union all
 select customer_id, config_id, order_date::timestamp, 3 from {read("previous_orders")}),
imp as (select dt::varchar dt, ranking_id, customer_id, impressions im from {read("impressions")}),
cd as (select distinct customer_id, dt from imp),
h as (
 select cd.customer_id, cd.dt,
  array_agg(item_id order by t desc, ty desc, item_id desc)[1:1000] a,
  array_agg(ty order by t desc, ty desc, item_id desc)[1:1000] y
 from cd join acts on acts.customer_id = cd.customer_id and t < cd.dt::timestamp and t >= cd.dt::timestamp - interval 365 day
 group by all),
e as (select dt, ranking_id, customer_id, unnest(generate_series(0, len(im) - 1)) impression_index, unnest(im) s from imp)
select e.dt, ranking_id, e.customer_id, impression_index::int impression_index,
 s.item_id item_id, s.is_order is_order, s.item_id impressions,
 list_resize(coalesce(a, []::bigint[]), 1000, 0) actions, list_resize(coalesce(y, []::int[]), 1000, 0) action_types
from e left join h on e.customer_id = h.customer_id and e.dt = h.dt order by e.dt, ranking_id
) to '{a.output}' (format parquet, partition_by (dt), compression snappy)
"""

shutil.rmtree(a.output, ignore_errors=True)
c = duckdb.connect()
c.sql(f"set threads={a.threads}")
c.sql(f"set memory_limit='{a.memory}'")
started = time.time()
c.sql(QUERY)
print("duckdb", round(time.time() - started, 2))
