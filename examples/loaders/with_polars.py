#!/usr/bin/env python3
"""Batches by Polars, as numpy arrays.

    python examples/loaders/with_polars.py .cache/training-histories
"""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import numpy as np
import polars as pl

from common import histories_of, history_firsts, history_length, main, seeds, slots_files


def batches(output: Path, day: str, batch_size: int, seed: int, epoch: int) -> Iterator[dict]:
    """Layout histories. A uniform permutation of the day's slots; histories are held once, as matrices."""
    paths = slots_files(output, day)
    parts = [
        pl.scan_parquet(path, hive_partitioning=False).select("customer_id", "impressions", "is_order", history=pl.col("history_row") + first)
        for path, first in zip(paths, history_firsts(paths))
    ]
    number = np.random.SeedSequence(seeds(seed, epoch, day)).generate_state(1, np.uint64).item()
    slots = pl.concat(parts).collect().sample(fraction=1, shuffle=True, seed=number)
    length = history_length(paths, padded=False)
    matrices = [matrix(name, length) for name in ("actions", "action_types")]
    histories = pl.concat(pl.scan_parquet(histories_of(path), hive_partitioning=False).select(matrices) for path in paths).collect()
    actions, action_types = (column.to_numpy() for column in histories)
    for batch in slots.iter_slices(batch_size):
        history = batch["history"].to_numpy()
        columns = {name: batch[name].to_numpy() for name in ("customer_id", "impressions", "is_order")}
        yield {**columns, "actions": actions[history], "action_types": action_types[history].astype(np.int64)}


def matrix(column: str, length: int) -> pl.Expr:
    """Lists as arrays [H, length]; those without padding get it here."""
    values = pl.col(column)
    padding = pl.lit(0, pl.Int32).repeat_by(length - values.list.len())
    return pl.concat_list(values, padding).list.to_array(length)


if __name__ == "__main__":
    main(__doc__, batches=batches)
