"""How many rows of two outputs differ, matched by (dt, ranking_id, customer_id, impression_index): compare.py OUT1 OUT2.

Prints a table of (n, diff), or with --json {"one", "other", "matched", "diff"}: rows of each, rows of the match, and how many differ.
"""
import argparse
import json

import duckdb

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("one", help="output folder with dt=... partitions")
p.add_argument("other")
p.add_argument("--json", action="store_true")
p.add_argument("--memory", default="6GB", help="memory limit (default 6GB)")
a = p.parse_args()
duckdb.sql(f"set threads=2; set memory_limit='{a.memory}'")

# the lists as hashes of 64 bits: 1 M rows of them as they are would be 12 GB to match
COLUMNS = """dt::varchar dt, ranking_id, customer_id, impression_index, item_id, is_order, impressions,
 len(actions) length, hash(actions) actions, hash(action_types) action_types"""


def rows(path):
    return f"(select {COLUMNS} from read_parquet('{path}/**/*.parquet', hive_partitioning=1))"


# a row that only one side has compares with null, which is not true, and so counts as different
SAME = " and ".join(f"x.{c} = y.{c}" for c in ["item_id", "is_order", "impressions", "length", "actions", "action_types"])
MATCH = f"{rows(a.one)} x full join {rows(a.other)} y using (dt, ranking_id, customer_id, impression_index)"
result = duckdb.sql(f"select count(*) n, sum(case when {SAME} then 0 else 1 end) diff from {MATCH}")
if a.json:
    counts = [duckdb.sql(f"select count(*) from {rows(path)}").fetchall()[0][0] for path in (a.one, a.other)]
    ((n, diff),) = result.fetchall()
    print(json.dumps(dict(one=counts[0], other=counts[1], matched=n, diff=int(diff or 0))))
else:
    print(result)
