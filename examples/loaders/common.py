"""What the loaders share: the files of a day, and how well a day is shuffled."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Callable, Iterable, Iterator

import numpy as np
import pyarrow.parquet as pq

#: (output, day, batch size, seed, epoch) to batches: customer_id [N], impressions [N], is_order [N], actions [N, K], action_types [N, K].
Loader = Callable[[Path, str, int, int, int], Iterator[dict]]


def days(output: Path) -> list[str]:
    """Oldest first, those with rows. @raises ValueError for what is not a finished output"""
    if not (output / "_SUCCESS").exists():
        raise ValueError(f'"{output}" has no _SUCCESS: not an output of backstory, or one that is not finished.')
    return sorted(path.name[3:] for path in output.glob("dt=*") if any(path.glob("*.parquet")))


def rows_files(output: Path, day: str) -> list[Path]:
    """@raises ValueError for rows without padding, and for rankings, whose files have the same names and columns"""
    paths = wanted(output, day, "part-*.parquet", "rows")
    note = (pq.read_metadata(paths[0]).metadata or {}).get(b"backstory.layout")
    if note is not None:
        has = " ".join(f"{name}={json.loads(note)[name]}" for name in ("layout", "padding"))
        raise ValueError(f'"{output}" has {has}, not rows with padding. Convert it: backstory convert OUTPUT --to=FOLDER --layout=rows.')
    return paths


def slots_files(output: Path, day: str) -> list[Path]:
    return wanted(output, day, "slots-*.parquet", "histories")


def wanted(output: Path, day: str, pattern: str, layout: str) -> list[Path]:
    paths = sorted((output / f"dt={day}").glob(pattern))
    if not paths:
        raise ValueError(f'"{output}" has no files of the layout {layout} for {day}. Convert it: backstory convert OUTPUT --to=FOLDER --layout={layout}.')
    return paths


def histories_of(slots: Path) -> Path:
    return slots.with_name(slots.name.replace("slots-", "histories-", 1))


def history_firsts(slots: list[Path]) -> list[int]:
    """What is to be added to a file's history_row, which counts within the file, to count within the day."""
    rows = [pq.read_metadata(histories_of(path)).num_rows for path in slots]
    return [0, *np.cumsum(rows)[:-1].tolist()]


def history_length(slots: list[Path], padded: bool = True) -> int:
    """K, as the files tell it. @raises ValueError for histories without padding, where `padded` ones are wanted"""
    note = json.loads(pq.read_metadata(histories_of(slots[0])).metadata[b"backstory.layout"])
    if padded and note["padding"] != "zeros":
        raise ValueError(f'"{slots[0].parent.parent}" has histories without padding. Convert it: backstory convert OUTPUT --to=FOLDER --layout=histories.')
    return note["historyLength"]


def seeds(seed: int, epoch: int, day: str) -> list[int]:
    """An order of its own for each seed, epoch and day."""
    return [seed, epoch, int(day.replace("-", ""))]


def pairs(batches: Iterable[np.ndarray]) -> tuple[float, float]:
    """Of all pairs of slots in one batch, the share that has the same customer; and that share of all pairs of the day: so many a uniform shuffle
    puts together. Batches of customers.
    """
    batches = [np.asarray(batch) for batch in batches]
    same, every = (sum(each) for each in zip(*(counted(batch) for batch in batches)))
    in_day = counted(np.concatenate(batches))
    return same / every, in_day[0] / in_day[1]


def counted(customers: np.ndarray) -> tuple[int, int]:
    """Pairs of one customer, and all pairs."""
    counts = np.unique(customers, return_counts=True)[1]
    return int((counts * (counts - 1) // 2).sum()), len(customers) * (len(customers) - 1) // 2


def main(description: str, **loaders: Loader) -> None:
    """Reads each day once, and tells how fast and how well shuffled."""
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("output", type=Path, help="output of backstory build or convert")
    parser.add_argument("--batch-size", type=int, default=1024, help="slots in a batch (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the order (%(default)s)")
    parser.add_argument("--epoch", type=int, default=0, help="each has an order of its own (%(default)s)")
    parser.add_argument("--day", help="only this one, YYYY-MM-DD")
    parser.add_argument("--way", choices=list(loaders), default=next(iter(loaders)), help="of shuffling (%(default)s)")
    given = parser.parse_args()
    for day in [given.day] if given.day else days(given.output):
        began = time.perf_counter()
        customers = [np.asarray(batch["customer_id"]) for batch in loaders[given.way](given.output, day, given.batch_size, given.seed, given.epoch)]
        seconds = time.perf_counter() - began
        found, uniform = pairs(customers)
        slots = sum(map(len, customers))
        print(f"{day}: {slots:,} slots in {len(customers)} batches, {slots / seconds:,.0f} a second; ", end="")
        print(f"pairs of one customer {found:.3%} of all in a batch, {found / uniform:.1f} times as many as uniformly shuffled")
