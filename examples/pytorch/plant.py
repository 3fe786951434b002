#!/usr/bin/env python3
"""Plants a signal in a workload of `backstory generate --format=ndjson`: customers order what they have acted on lately.

    python examples/pytorch/plant.py .cache/shop

Rewrites is_order in impressions.ndjson, and adds an order of the same day to previous_orders.ndjson for each slot that is ordered: whoever lets
actions of dt into the history of dt gives the label away. With --leak also writes leaked_orders.ndjson, the orders one day early, as a job whose
cutoff is a day late would see them. Never train on that: the model looks up the answer, and has nothing to look up when it is asked in time.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Iterator

TABLES = {"clicks": ("item_id", "click_time"), "add_to_carts": ("config_id", "occurred_at"), "previous_orders": ("config_id", "order_date")}

#: Of a customer's newest actions so many count as lately.
RECENT = 20
ORDER_RECENT = 0.5
ORDER_OTHER = 0.02


def rows(path: Path) -> Iterator[dict]:
    with path.open() as lines:
        yield from map(json.loads, lines)


def write(path: Path, values: list[dict]) -> None:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))


def actions(folder: Path) -> dict[int, list[tuple[str, int]]]:
    """By customer: time as text, and item; oldest first."""
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for table, (item, time) in TABLES.items():
        for row in rows(folder / f"{table}.ndjson"):
            found[row["customer_id"]].append((row[time], row[item]))
    for each in found.values():
        each.sort()
    return found


def plant(folder: Path, seed: int) -> list[dict]:
    """@returns the orders, with those that were planted"""
    chance = random.Random(seed)
    before = actions(folder)
    rankings = list(rows(folder / "impressions.ndjson"))
    orders = list(rows(folder / "previous_orders.ndjson"))
    for ranking in rankings:
        day, customer = ranking["dt"], ranking["customer_id"]
        recent = {item for time, item in [each for each in before[customer] if each[0] < day][-RECENT:]}
        for slot in ranking["impressions"]:
            slot["is_order"] = chance.random() < (ORDER_RECENT if slot["item_id"] in recent else ORDER_OTHER)
            if slot["is_order"]:
                orders.append({"order_date": day, "customer_id": customer, "config_id": slot["item_id"]})
    write(folder / "impressions.ndjson", rankings)
    write(folder / "previous_orders.ndjson", orders)
    return orders


def day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="output of backstory generate; changed in place")
    parser.add_argument("--leak", action="store_true", help="write leaked_orders.ndjson, orders one day early")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    orders = plant(given.folder, given.seed)
    if given.leak:
        write(given.folder / "leaked_orders.ndjson", [{**row, "order_date": day_before(row["order_date"])} for row in orders])


if __name__ == "__main__":
    main()
