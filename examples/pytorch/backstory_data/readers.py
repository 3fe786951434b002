"""One class for each layout of an output. A reader gives a day in pieces, each history once, however many slots share it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

#: Rows decoded at a time: with histories of 1,000 actions 24 MB, at 12 bytes each.
ROWS_AT_A_TIME = 2048


@dataclass(frozen=True)
class Histories:
    """A piece of a day: S slots and the H histories they point to, without padding, newest action first.

    items, is_order: [S] int64, bool; history: [S] int64, which of this piece's histories, or -1: the last one of the piece before
    actions, action_types: [A] int64, int8; the history h is actions[offsets[h]:offsets[h + 1]]
    """

    items: np.ndarray
    is_order: np.ndarray
    history: np.ndarray
    actions: np.ndarray
    action_types: np.ndarray
    offsets: np.ndarray


class Reader(Protocol):
    def days(self) -> list[str]:
        """Days of the output, oldest first, also those without rows."""

    def slots(self, day: str) -> int:
        """Slots of a day, from footers alone."""

    def history_length(self) -> int:
        """Length of the longest list of actions; 0 for an output without rows."""

    def files(self, day: str) -> list[Path]:
        """Files that make up a day."""

    def read(self, day: str) -> Iterator[Histories]:
        """A day in pieces."""


class RowsReader:
    """`--layout rows`: a row for each slot. Rows of one customer and dt are next to each other and have the same history."""

    COLUMNS = ("customer_id", "item_id", "is_order", "actions", "action_types")

    def __init__(self, output: str | Path) -> None:
        self.output = Path(output)
        if not (self.output / "_SUCCESS").exists():
            raise ValueError(f'"{output}" has no _SUCCESS: not an output of backstory build, or one that is not finished. Build it first.')

    def days(self) -> list[str]:
        return sorted(path.name[3:] for path in self.output.glob("dt=*") if path.is_dir())

    def files(self, day: str) -> list[Path]:
        return sorted((self.output / f"dt={day}").glob("[!_.]*.parquet"))

    def slots(self, day: str) -> int:
        return sum(pq.read_metadata(path).num_rows for path in self.files(day))

    def history_length(self) -> int:
        paths = (path for day in self.days() for path in self.files(day))
        for path in paths:
            for rows in pq.ParquetFile(path).iter_batches(1, columns=["actions"]):
                return len(rows.column(0)[0])
        return 0

    def read(self, day: str) -> Iterator[Histories]:
        for path in self.files(day):
            file = pq.ParquetFile(path)
            missing = [name for name in self.COLUMNS if name not in file.schema_arrow.names]
            if missing:
                raise ValueError(f"{path} has no column {missing[0]}. Build with --columns=standard, or leave no column out.")
            last = None
            # Threads of Arrow's would not outlive the fork of a worker.
            for rows in file.iter_batches(ROWS_AT_A_TIME, columns=list(self.COLUMNS), use_threads=False):
                customers = rows.column("customer_id").to_numpy()
                if len(customers):
                    yield self._piece(rows, customers, last)
                    last = customers[-1]

    @staticmethod
    def _piece(rows: pa.RecordBatch, customers: np.ndarray, last: int | None) -> Histories:
        begins = np.empty(len(customers), bool)
        begins[0] = last is None or customers[0] != last
        np.not_equal(customers[1:], customers[:-1], out=begins[1:])
        firsts = pa.array(np.flatnonzero(begins))
        actions, types = (rows.column(name).take(firsts) for name in ("actions", "action_types"))
        return Histories(
            items=rows.column("item_id").to_numpy(),
            is_order=rows.column("is_order").to_numpy(zero_copy_only=False),
            history=np.cumsum(begins) - 1,
            **without_padding(actions, types),
        )


def without_padding(actions: pa.ListArray, types: pa.ListArray) -> dict[str, np.ndarray]:
    """Real actions of lists, told by their type: 0 is a legal item. Types of actions are 1 to 127."""
    kinds = types.flatten().to_numpy()
    real = kinds != 0
    before = np.concatenate(([0], np.cumsum(real)))
    ends = types.offsets.to_numpy().astype(np.int64)
    return {
        "actions": actions.flatten().to_numpy()[real],
        "action_types": kinds[real].astype(np.int8),
        "offsets": before[ends - ends[0]],
    }


def reader_of(output: str | Path) -> Reader:
    """The reader for an output's layout."""
    return RowsReader(output)
