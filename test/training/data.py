"""Outputs for tests: made up here row by row, or built from generated events by the command itself."""

from __future__ import annotations

import json
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
    if slots:
        first = np.concatenate(([True], customers[1:] != customers[:-1]))
        index = (np.arange(slots) - np.maximum.accumulate(np.where(first, np.arange(slots), 0))).astype(np.int32)
        of_ranking = {"ranking_id": customers.astype(str), "customer_id": customers, "impression_index": index}
        columns = {**of_ranking, "item_id": items, "is_order": items % 7 == 0, "impressions": items}
        pq.write_table(pa.table({**columns, "actions": lists(actions), "action_types": lists(types)}), folder / "part-00000.parquet", row_group_size=5000)
    (folder / "_SUCCESS").touch()
    (output / "_SUCCESS").touch()


def write_large(output: Path, day: str, layout: str, slots: int, length: int) -> None:
    """Of another layout than rows, the day that `write_day` makes of ten slots for each customer; ready sooner than by converting."""
    customers = np.arange(slots // 10)
    place = np.arange(length)
    real = place < (customers % (length + 1))[:, None]
    actions, types = np.where(real, (customers[:, None] - 1) * 10 + place, 0), np.where(real, 1 + place % 3, 0).astype(np.int32)
    items = np.arange(slots, dtype=np.int64)
    histories = {"customer_id": customers, "actions": lists(actions), "action_types": lists(types)}
    tables = {
        "rankings": {"part": {**histories, "item_id": lists(items.reshape(-1, 10)), "is_order": lists(items.reshape(-1, 10) % 7 == 0)}},
        "histories": {
            "histories": histories,
            "slots": {"item_id": items, "is_order": items % 7 == 0, "history_row": np.repeat(customers, 10).astype(np.int32)},
        },
    }
    note = {"layout": layout, "padding": "zeros", "historyLength": length, "columns": []}
    (output / f"dt={day}").mkdir(parents=True)
    for name, columns in tables[layout].items():
        table = pa.table(columns).replace_schema_metadata({"backstory.layout": json.dumps(note)})
        pq.write_table(table, output / f"dt={day}" / f"{name}-00000.parquet", row_group_size=5000)
    (output / "_layout.json").write_text(json.dumps(note))
    (output / "_SUCCESS").touch()


def lists(matrix: np.ndarray) -> pa.ListArray:
    rows, length = matrix.shape
    return pa.ListArray.from_arrays(pa.array(np.arange(rows + 1, dtype=np.int32) * length), pa.array(matrix.reshape(-1)))


#: By layout, what makes a large day: (output, day, slots, length of the histories).
WRITERS = {
    "rows": lambda output, day, slots, length: write_day(output, day, np.repeat(np.arange(slots // 10), 10), length),
    "rankings": lambda output, day, slots, length: write_large(output, day, "rankings", slots, length),
    "histories": lambda output, day, slots, length: write_large(output, day, "histories", slots, length),
}


def command(*args: object) -> None:
    subprocess.run([NODE, ROOT / "bin/backstory.js", *map(str, args)], check=True, capture_output=True, timeout=120)


def build(work: Path, output: Path, orders: Path, length: int = 20, *more: str) -> None:
    tables = {"impressions": "impressions", "clicks": "clicks", "add-to-carts": "add_to_carts"}
    flags = [f"--{flag}={work / name}.ndjson" for flag, name in tables.items()]
    command("build", *flags, f"--previous-orders={orders}", f"--output={output}", f"--history-length={length}", *more)


#: Layout and padding of all that an output can be converted to, but for rows with padding.
LAYOUTS = [("rows", "none"), *((layout, padding) for layout in ("rankings", "histories") for padding in ("zeros", "none"))]


def convert(output: Path, to: Path, layout: str, padding: str) -> Path:
    command("convert", output, f"--to={to}", f"--layout={layout}", f"--padding={padding}")
    return to


def generate(work: Path, *flags: str) -> None:
    command("generate", f"--output={work}", *flags)


def plain_rows(output: Path, day: str) -> dict[str, np.ndarray]:
    """The day's rows, read plainly."""
    tables = [pq.read_table(path, partitioning=None) for path in sorted((output / f"dt={day}").glob("*.parquet"))]
    table = pa.concat_tables(tables)
    stacked = {name: np.array(table[name].to_pylist(), np.int64) for name in ("actions", "action_types")}
    return {"item_id": table["item_id"].to_numpy(), "is_order": table["is_order"].to_numpy(), **stacked}
