#!/usr/bin/env python3
"""How fast batches come, against plain reading of the rows.

    python examples/pytorch/feed.py .cache/training

One day: decoded (first epoch only), then batches from it, shuffled over the whole day; and "naive": its rows by pyarrow in the order of the
files, cell lists reshaped by numpy to the same tensors, not shuffled.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from typing import Iterator

import numpy as np
import pyarrow.parquet as pq
import torch

from backstory_data import Batch, Feed, Reader, Vocabulary, reader_of


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("output", help="output of backstory build")
    parser.add_argument("--batch-size", type=int, default=1024, help="slots in a batch (%(default)s)")
    parser.add_argument("--history-length", type=int, help="newest actions of a batch (default: all)")
    parser.add_argument("--workers", type=int, default=0, help="processes that make batches (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="how long each is measured (%(default)s)")
    return parser.parse_args()


def naive(reader: Reader, day: str, batch_size: int) -> Iterator[Batch]:
    """Every row's lists are decoded, so a history as many times as it has slots."""
    columns = ["item_id", "actions", "action_types", "is_order"]
    for path in reader.files(day):
        for rows in pq.ParquetFile(path).iter_batches(batch_size, columns=columns):
            items, actions, types, is_order = rows.columns
            lists = [column.flatten().to_numpy().reshape(len(rows), -1).astype(np.int64) for column in (actions, types)]
            flat = [items.to_numpy().copy(), *lists, is_order.to_numpy(zero_copy_only=False)]
            yield Batch(*map(torch.from_numpy, flat))


def forever(feed: Feed) -> Iterator[Batch]:
    return itertools.chain.from_iterable(iter(lambda: iter(feed), None))


def rate(batches: Iterator[Batch], seconds: float) -> float:
    """Rows a second, from the first batch on."""
    began, rows = time.perf_counter(), 0
    for batch in batches:
        rows += len(batch.impressions)
        if time.perf_counter() - began > seconds:
            break
    return rows / (time.perf_counter() - began)


def main() -> None:
    given = options()
    reader = reader_of(given.output)
    day = max(reader.days(), key=reader.slots)
    vocabulary = Vocabulary.build(reader, [day])
    with tempfile.TemporaryDirectory() as folder:
        feed = Feed(
            reader,
            days=[day],
            vocabulary=vocabulary,
            batch_size=given.batch_size,
            history_length=given.history_length,
            workers=given.workers,
            folder=folder,
        )
        began = time.perf_counter()
        held = feed.dataset.store.open(day)
        decoded = len(held) / (time.perf_counter() - began)
        fed = rate(forever(feed), given.seconds)
    read = rate(itertools.chain.from_iterable(naive(reader, day, given.batch_size) for _ in itertools.count()), given.seconds)
    print(f"{day}: {len(held):,} rows, {len(held.offsets) - 1:,} histories, {held.nbytes / 1e6:.1f} MB as decoded")
    print(f"decoding, once     {decoded:12,.0f} rows/s")
    print(f"batches            {fed:12,.0f} rows/s: a model waits if its step on {given.batch_size} takes less than {1e3 * given.batch_size / fed:.1f} ms")
    print(f"naive, unshuffled  {read:12,.0f} rows/s")


if __name__ == "__main__":
    main()
