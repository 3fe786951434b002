#!/usr/bin/env python3
"""What a leak looks like: orders one day early, as a job with its cutoff a day late would see them.

    python examples/pytorch/leak.py previous_orders.ndjson leaked.ndjson

A build with the result lets orders of dt itself into the histories of dt. Never train on it: a model learns to look up the answer, scores
better than it could, and has nothing to look up when it is asked before the order is made.
"""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from pathlib import Path


def day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def main(orders: Path, leaked: Path) -> None:
    with orders.open() as rows, leaked.open("w") as out:
        for text in rows:
            row = json.loads(text)
            out.write(json.dumps({**row, "order_date": day_before(row["order_date"])}) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("leak.py wants two paths: orders to read, as NDJSON, and the file to write.")
    main(*map(Path, sys.argv[1:]))
