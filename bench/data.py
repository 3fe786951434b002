"""Variants of a workload that gen.py made: data.py csv FOLDER | data.py varied|hot|crowd FOLDER OUT.

csv     adds the four tables as CSV; the impressions cell is JSON text
varied  the same rows as NDJSON whose lines vary: order of keys, keys left out or added, blanks, digits of fractions
hot     half of all actions are one customer's
crowd   a fifth of all rankings are one customer's
"""
import argparse
import os

import duckdb

ACTIONS = ["clicks", "add_to_carts", "previous_orders"]
TABLES = ["impressions", *ACTIONS]
# gen.py's most active customer
CUSTOMER = 7919
# A line is one of these by the hash of its row number; $names are columns, and $time is the action's, see time_text.
LAYOUTS = dict(
    impressions=[
        '{"dt":"$dt","ranking_id":"$ranking_id","customer_id":$customer_id,"impressions":$impressions}',
        '{"customer_id":$customer_id,"impressions":$impressions,"dt":"$dt","ranking_id":"$ranking_id"}',
        '{ "dt": "$dt", "page": {"kind": "search", "of": [1, 2]}, "ranking_id": "$ranking_id", "customer_id": $customer_id, "impressions": $impressions }',
    ],
    clicks=[
        '{"dt":"$dt","customer_id":$customer_id,"item_id":$item_id,"click_time":"$time"}',
        '{"customer_id":$customer_id,"item_id":$item_id,"click_time":"$time"}',
        '{"item_id":$item_id,"click_time":"$time","dt":"$dt","customer_id":$customer_id}',
        '{"dt": "$dt", "customer_id": $customer_id, "item_id": $item_id, "click_time": "$time"}',
        '{"dt":"$dt","device":null,"customer_id":$customer_id,"source":"a \\"b\\" c","item_id":$item_id,"click_time":"$time"}',
    ],
    add_to_carts=[
        '{"dt":"$dt","customer_id":$customer_id,"config_id":$config_id,"simple_id":$simple_id,"occurred_at":"$time"}',
        '{"occurred_at":"$time","customer_id":$customer_id,"config_id":$config_id}',
        '{"dt": "$dt", "customer_id": $customer_id, "config_id": $config_id, "simple_id": null, "occurred_at": "$time"}',
    ],
    previous_orders=[
        '{"order_date":"$order_date","customer_id":$customer_id,"config_id":$config_id,"simple_id":$simple_id,"occurred_at":"$time"}',
        '{"customer_id":$customer_id,"config_id":$config_id,"order_date":"$order_date"}',
        '{"config_id": $config_id, "order_date": "$order_date", "customer_id": $customer_id, "gift": false}',
    ],
)
TIMES = dict(clicks="click_time", add_to_carts="occurred_at", previous_orders="occurred_at")

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("what", choices=["csv", "varied", "hot", "crowd"])
p.add_argument("folder")
p.add_argument("out", nargs="?")
a = p.parse_args()
if a.what != "csv" and a.out is None:
    p.error(f"{a.what} wants a folder to write to")
duckdb.sql("set threads=1")  # more of them hold the texts back in memory to keep the order


def csv():
    for name in TABLES:
        cells = "* replace (to_json(impressions) as impressions)" if name == "impressions" else "*"
        duckdb.sql(f"copy (select {cells} from '{a.folder}/{name}.parquet') to '{a.folder}/{name}.csv' (format csv, header)")


def time_text(column):
    """Six digits, nine, or as few as say the same, in turn; the value stays."""
    six = f"strftime({column}, '%Y-%m-%d %H:%M:%S.%f')"
    return f"case n % 7 when 0 then {six} when 1 then {six} || '000' else {column}::varchar end"


def line(name, layout):
    """SQL of a layout's text: its $names are columns."""
    sql = "'" + layout.replace("'", "''") + "'"
    values = {"impressions": "to_json(impressions)::varchar", "time": time_text(TIMES.get(name, "null"))}
    columns = [c for c, *_ in duckdb.sql(f"describe from '{a.folder}/{name}.parquet'").fetchall()]
    for column in sorted([*columns, "time"], key=len, reverse=True):
        sql = sql.replace(f"${column}", f"' || ({values.get(column, column + '::varchar')}) || '")
    return sql


def varied():
    for name in TABLES:
        cases = "".join(f" when {k} then {line(name, layout)}" for k, layout in enumerate(LAYOUTS[name]))
        numbered = f"(select *, file_row_number n from read_parquet('{a.folder}/{name}.parquet', file_row_number = true))"
        # as CSV of one column without quotes, the text of a line is the line
        duckdb.sql(
            f"copy (select case hash(n) % {len(LAYOUTS[name])}{cases} end from {numbered})"
            f" to '{a.out}/{name}.ndjson' (format csv, header false, quote '', escape '', delimiter '\x01')"
        )


def skewed(tables, share):
    """One in `share` rows of these tables becomes the customer's."""
    for name in TABLES:
        rows = f"read_parquet('{a.folder}/{name}.parquet', file_row_number = true)"
        customer = f"case when file_row_number % {share} = 0 then {CUSTOMER} else customer_id end" if name in tables else "customer_id"
        query = f"select * exclude (file_row_number) replace ({customer} as customer_id) from {rows}"
        duckdb.sql(f"copy ({query}) to '{a.out}/{name}.parquet' (format parquet)")
        duckdb.sql(f"copy (from '{a.out}/{name}.parquet') to '{a.out}/{name}.ndjson' (format json)")


if a.out is not None:
    os.makedirs(a.out, exist_ok=True)
if a.what == "csv":
    csv()
elif a.what == "varied":
    varied()
elif a.what == "hot":
    skewed(ACTIONS, 2)
else:
    skewed(["impressions"], 5)
