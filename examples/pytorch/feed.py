#!/usr/bin/env python3
"""How fast batches come from each layout of an output, against reading its rows.

    python examples/pytorch/feed.py .cache/training .cache/training-histories

    feed, first epoch    of `Feed`: days are decoded, then batches come from them
    feed, later epochs   batches alone
    rows, read well      what one would write by hand: a day's rows by pyarrow, their lists' buffers reshaped by numpy, slots shuffled over the day
    rows, naively        to_pylist, in the order of the files; for a few seconds

All give the same tensors, on one thread: impressions [N], actions [N, K], action_types [N, K] int64, is_order [N]. Rows a second of wall time, and of
processor time, which says more on a machine that others use. The best of some runs.
"""

from __future__ import annotations

import argparse
import itertools
import time
from typing import Iterator, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from backstory_data import PADDING, Batch, Feed, Reader, RowsReader, Vocabulary, reader_of
from backstory_data.feed import shuffled

NAIVE_S = 3
COLUMNS = ["item_id", "actions", "action_types", "is_order"]


class Rate(NamedTuple):
    """Rows a second."""

    wall: float
    processor: float


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("outputs", nargs="+", help="outputs of backstory build or convert")
    parser.add_argument("--days", type=int, default=1, help="newest days that are read (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=1024, help="slots in a batch (%(default)s)")
    parser.add_argument("--history-length", type=int, help="newest actions of a batch (default: all)")
    parser.add_argument("--vocabulary", action="store_true", help="items as rows of an embedding table; else they stay ids")
    parser.add_argument("--workers", type=int, default=0, help="processes of the feed that make batches (%(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each (%(default)s)")
    return parser.parse_args()


class Job(NamedTuple):
    """What every way of reading has to do."""

    reader: Reader
    days: list[str]
    vocabulary: Vocabulary | None
    length: int
    given: argparse.Namespace

    def feed(self) -> Feed:
        given = {"batch_size": self.given.batch_size, "workers": self.given.workers}
        return Feed(self.reader, days=self.days, vocabulary=self.vocabulary, history_length=self.length, **given)

    def index(self, items: np.ndarray) -> np.ndarray:
        return items if self.vocabulary is None else self.vocabulary.index(items)

    def well(self) -> Iterator[Batch]:
        """Every row's lists are decoded, so a history as many times as it has slots. Batches are in the same memory each, which is fastest."""
        memory = np.empty((2, self.given.batch_size, self.length), np.int64)
        for day in self.days:
            tables = [pq.read_table(path, columns=COLUMNS, partitioning=None, use_threads=False) for path in self.reader.files(day)]
            items, actions, types, is_order = pa.concat_tables(tables).combine_chunks().columns
            rows = len(items)
            actions, types = (column.chunk(0).values.to_numpy().reshape(rows, -1)[:, : self.length] for column in (actions, types))
            items, is_order = items.to_numpy(), is_order.to_numpy()
            order = shuffled(rows, 0, 0, day)
            for slots in np.split(order, range(self.given.batch_size, rows, self.given.batch_size)):
                batch = memory[:, : len(slots)]
                batch[0], batch[1] = self.index(actions[slots]), types[slots]
                if self.vocabulary:
                    batch[0][batch[1] == 0] = PADDING
                arrays = (self.index(items[slots]).astype(np.int64), *batch, is_order[slots])
                yield Batch(*map(torch.from_numpy, arrays))

    def naive(self) -> Iterator[Batch]:
        ends = time.monotonic() + NAIVE_S
        for path in itertools.chain.from_iterable(map(self.reader.files, self.days)):
            for rows in pq.ParquetFile(path).iter_batches(self.given.batch_size, columns=COLUMNS):
                items, actions, types, is_order = (torch.tensor(column.to_pylist()) for column in rows.columns)
                yield Batch(items, actions[:, : self.length], types[:, : self.length].long(), is_order)
                if time.monotonic() > ends:
                    return


def rate(batches: Iterator[Batch]) -> Rate:
    wall, processor = time.perf_counter(), time.process_time()
    rows = sum(len(batch.impressions) for batch in batches)
    return Rate(rows / (time.perf_counter() - wall), rows / (time.process_time() - processor))


def rates(job: Job) -> Iterator[tuple[str, Rate]]:
    """One run of each way."""
    feed = job.feed()
    yield "feed, first epoch", rate(feed)
    yield "feed, later epochs", rate(feed)
    if isinstance(job.reader, RowsReader):
        yield "rows, read well", rate(job.well())
        yield "rows, naively", rate(job.naive())


def job_of(output: str, given: argparse.Namespace) -> Job:
    reader = reader_of(output)
    days = [day for day in reader.days() if reader.slots(day)][-given.days :]
    vocabulary = Vocabulary.build(reader, days) if given.vocabulary else None
    return Job(reader, days, vocabulary, given.history_length or reader.history_length(), given)


def main() -> None:
    given = options()
    torch.set_num_threads(1)
    pa.set_cpu_count(1)
    print(f"{'':36} rows/s   of processor time   a step on {given.batch_size} that is shorter waits")
    for output in given.outputs:
        job = job_of(output, given)
        histories = sum(len(piece.offsets) - 1 for day in job.days for piece in job.reader.read(day))
        print(f"{output}: {sum(map(job.reader.slots, job.days)):,} rows of {histories:,} histories, K = {job.length}")
        runs = [dict(rates(job)) for _ in range(given.repeats)]
        for way in runs[0]:
            wall, processor = (max(run[way][i] for run in runs) for i in (0, 1))
            print(f"  {way:28} {wall:12,.0f} {processor:19,.0f} {1e3 * given.batch_size / wall:12.2f} ms")


if __name__ == "__main__":
    main()
