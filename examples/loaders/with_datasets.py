#!/usr/bin/env python3
"""Batches by Hugging Face datasets, as PyTorch tensors.

    python examples/loaders/with_datasets.py .cache/training-histories
    python examples/loaders/with_datasets.py .cache/training --way=stream
"""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import numpy as np
import torch
from datasets import Dataset, concatenate_datasets, disable_progress_bars, load_dataset

from common import histories_of, history_firsts, main, rows_files, seeds, slots_files

#: Rows that are shuffled among each other in a stream: with histories of 1,000 actions 16 KB each.
BUFFER = 10_000

disable_progress_bars()


def whole_day(output: Path, day: str, batch_size: int, seed: int, epoch: int) -> Iterator[dict]:
    """Layout histories. A uniform permutation of the day: slots are rows of one data set, histories of another, both mapped from Arrow files."""
    paths = slots_files(output, day)
    parts = [table(path, ["customer_id", "impressions", "is_order", "history_row"]) for path in paths]
    firsts = np.repeat(history_firsts(paths), [len(part) for part in parts])
    slots = concatenate_datasets(parts).add_column("first", firsts.astype(np.int64)).with_format("torch")
    histories = concatenate_datasets([table(histories_of(path), ["actions", "action_types"]) for path in paths]).with_format("torch")
    order = slots.shuffle(generator=np.random.default_rng(seeds(seed, epoch, day)), keep_in_memory=True)
    for batch in order.iter(batch_size):
        yield {**batch, **histories[(batch.pop("history_row") + batch.pop("first")).tolist()]}


def table(path: Path, columns: list[str]) -> Dataset:
    return load_dataset("parquet", data_files=str(path), split="train", columns=columns)


def stream(output: Path, day: str, batch_size: int, seed: int, epoch: int) -> Iterator[dict]:
    """Layout rows. Nothing is written and little is held, but only rows within a buffer change places: see README.md."""
    columns = ["customer_id", "impressions", "is_order", "actions", "action_types"]
    rows = load_dataset("parquet", data_files=[str(path) for path in rows_files(output, day)], split="train", streaming=True, columns=columns)
    # Not set_epoch: what is made of a stream by with_format or batch forgets it.
    rows = rows.shuffle(generator=np.random.default_rng(seeds(seed, epoch, day)), buffer_size=BUFFER)
    # As numpy first: with_format("torch") makes a tensor of each row.
    for batch in rows.with_format("numpy").iter(batch_size):
        yield {name: torch.from_numpy(values) for name, values in batch.items()}


if __name__ == "__main__":
    main(__doc__, whole_day=whole_day, stream=stream)
