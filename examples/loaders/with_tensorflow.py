#!/usr/bin/env python3
"""Batches by tf.data, as tensors of TensorFlow.

    python examples/loaders/with_tensorflow.py .cache/training-histories
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # it warns of the end of each data set
import tensorflow as tf

from common import histories_of, history_firsts, history_length, main, seeds, slots_files


def dataset(output: Path, day: str, batch_size: int, seed: int, epoch: int) -> tf.data.Dataset:
    """Layout histories with padding. A uniform permutation, since its buffer holds all slots of the day; histories are looked up by batch."""
    paths = slots_files(output, day)
    length = history_length(paths)
    columns = [read([path], ["customer_id", "impressions", "is_order", "history_row"]) for path in paths]
    slots = {name: np.concatenate([part[name].to_numpy() for part in columns]) for name in columns[0].column_names}
    slots["history_row"] = slots["history_row"].astype(np.int64) + np.repeat(history_firsts(paths), [len(part) for part in columns])
    table = read([histories_of(path) for path in paths], ["actions", "action_types"])
    with tf.device("cpu"):
        histories = {name: tf.constant(table[name].chunk(0).values.to_numpy().reshape(-1, length)) for name in table.column_names}

    def with_histories(batch: dict) -> dict:
        row = batch.pop("history_row")
        return {**batch, **{name: tf.cast(tf.gather(values, row), tf.int64) for name, values in histories.items()}}

    number = int(np.random.SeedSequence(seeds(seed, epoch, day)).generate_state(1)[0])
    shuffled = tf.data.Dataset.from_tensor_slices(slots).shuffle(len(slots["history_row"]), seed=number)
    return shuffled.batch(batch_size).map(with_histories).prefetch(2)


def batches(output: Path, day: str, batch_size: int, seed: int, epoch: int) -> Iterator[dict]:
    return iter(dataset(output, day, batch_size, seed, epoch))


def read(paths: list[Path], columns: list[str]) -> pa.Table:
    return pa.concat_tables(pq.read_table(path, columns=columns, partitioning=None) for path in paths).combine_chunks()


if __name__ == "__main__":
    main(__doc__, batches=batches)
