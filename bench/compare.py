"""How many rows of two outputs differ, matched by (dt, ranking_id, customer_id, impression_index): compare.py OUT1 OUT2."""
import argparse

import duckdb

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("one", help="output folder with dt=... partitions")
p.add_argument("other")
a = p.parse_args()

COLUMNS = "dt::varchar dt, ranking_id, customer_id, impression_index, item_id, is_order, actions, action_types"


def rows(path):
    return f"(select {COLUMNS} from read_parquet('{path}/**/*.parquet', hive_partitioning=1))"


# a row that only one side has compares with null, which is not true, and so counts as different
SAME = "x.actions = y.actions and x.action_types = y.action_types and x.item_id = y.item_id and x.is_order = y.is_order"
print(
    duckdb.sql(
        f"select count(*) n, sum(case when {SAME} then 0 else 1 end) diff"
        f" from {rows(a.one)} x full join {rows(a.other)} y using (dt, ranking_id, customer_id, impression_index)"
    )
)
