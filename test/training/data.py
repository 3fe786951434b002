"""Outputs for tests: made up here row by row, or built from generated events by the command itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
NODE = os.environ.get("NODE", "node")


def write_day(output: Path, day: str, customers: np.ndarray, length: int = 4, first_item: int = 0) -> None:
    """A slot for each element of `customers`, neighbours sharing a history; items are first_item, first_item + 1, ..., so each slot is known by its item.

    A history is as long as customer % (length + 1), its items are (customer - 1) * 10 and the following, so item 0 is a real one of customer 1.
    """
    folder = output / f"dt={day}"
    folder.mkdir(parents=True)
    slots, place = len(customers), np.arange(length)
    real = place < (customers % (length + 1))[:, None]
    actions = np.where(real, (customers[:, None] - 1) * 10 + place, 0)
    types = np.where(real, 1 + place % 3, 0).astype(np.int32)
    items = first_item + np.arange(slots, dtype=np.int64)
    offsets = pa.array(np.arange(slots + 1, dtype=np.int32) * length)
    if slots:
        lists = [pa.ListArray.from_arrays(offsets, pa.array(values.reshape(-1))) for values in (actions, types)]
        columns = {"customer_id": customers, "item_id": items, "is_order": items % 7 == 0, "impressions": items}
        pq.write_table(pa.table({**columns, "actions": lists[0], "action_types": lists[1]}), folder / "part-00000.parquet", row_group_size=5000)
    (folder / "_SUCCESS").touch()
    (output / "_SUCCESS").touch()


def command(*args: object) -> None:
    subprocess.run([NODE, ROOT / "bin/backstory.js", *map(str, args)], check=True, capture_output=True, timeout=120)


def build(work: Path, output: Path, orders: Path, length: int = 20) -> None:
    tables = {"impressions": "impressions", "clicks": "clicks", "add-to-carts": "add_to_carts"}
    flags = [f"--{flag}={work / name}.ndjson" for flag, name in tables.items()]
    command("build", *flags, f"--previous-orders={orders}", f"--output={output}", f"--history-length={length}")


def generate(work: Path, *flags: str) -> None:
    command("generate", f"--output={work}", *flags)


def plain_rows(output: Path, day: str) -> dict[str, np.ndarray]:
    """The day's rows, read plainly."""
    tables = [pq.read_table(path, partitioning=None) for path in sorted((output / f"dt={day}").glob("*.parquet"))]
    table = pa.concat_tables(tables)
    stacked = {name: np.array(table[name].to_pylist(), np.int64) for name in ("actions", "action_types")}
    return {"item_id": table["item_id"].to_numpy(), "is_order": table["is_order"].to_numpy(), **stacked}
