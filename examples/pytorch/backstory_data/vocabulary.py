"""Item ids to rows of an embedding table: 0 is padding, then rows for unknown items, then one for each known item."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Iterable

import numpy as np

from .readers import Reader

PADDING = 0

#: Odd, near 2^64 / golden ratio: neighbouring ids get different rows (Knuth, multiplicative hashing).
SPREAD = np.uint64(0x9E3779B97F4A7C15)


#: Where ids lie so near to each other on average, a table of their rows takes the place of a search: at most 16 bytes an item.
NEAR = 4


class Vocabulary:
    """Immutable. An unknown item gets one of `unknown_rows` rows, always the same one, so that it still equals itself."""

    def __init__(self, items: np.ndarray, unknown_rows: int = 16) -> None:
        """items: int64 ids, in any order; unknown_rows: at least 1"""
        if unknown_rows < 1:
            raise ValueError(f"unknown_rows must be 1 or more; got {unknown_rows}. New items come every day.")
        self.items = np.unique(np.asarray(items, np.int64))
        self.unknown_rows = unknown_rows

    def __len__(self) -> int:
        """Rows that the embedding table needs."""
        return 1 + self.unknown_rows + len(self.items)

    def index(self, items: np.ndarray) -> np.ndarray:
        """[any shape] int64 ids to [same shape] int32 rows of the table, never padding."""
        items = np.asarray(items, np.int64)
        rows = self._search(items) if self._table is None else self._look_up(items)
        unknown = rows == PADDING
        if unknown.any():
            rows[unknown] = 1 + ((items[unknown].astype(np.uint64) * SPREAD) >> np.uint64(40)) % np.uint64(self.unknown_rows)
        return rows

    def _search(self, items: np.ndarray) -> np.ndarray:
        """PADDING where unknown."""
        if len(self.items) == 0:
            return np.full(items.shape, PADDING, np.int32)
        place = np.minimum(np.searchsorted(self.items, items), len(self.items) - 1)
        return np.where(self.items[place] == items, place + 1 + self.unknown_rows, PADDING).astype(np.int32)

    def _look_up(self, items: np.ndarray) -> np.ndarray:
        """Likewise. What is less than the first item wraps around, and so is out of the table as well."""
        place = (items - self.items[0]).astype(np.uint64)
        return np.asarray(self._table[np.minimum(place, np.uint64(len(self._table) - 1))])

    @cached_property
    def _table(self) -> np.ndarray | None:
        """Rows of all ids from the first item to the last one, then one for those beyond; none where most of it would be empty."""
        span = int(self.items[-1]) - int(self.items[0]) + 1 if len(self.items) else 0
        if not 0 < span <= NEAR * len(self.items):
            return None
        table = np.full(span + 1, PADDING, np.int32)
        table[self.items - self.items[0]] = 1 + self.unknown_rows + np.arange(len(self.items))
        return table

    def state_dict(self) -> dict[str, object]:
        """To be saved with the model: the model means nothing without it."""
        return {"items": self.items.tolist(), "unknown_rows": self.unknown_rows}

    @staticmethod
    def from_state_dict(state: dict) -> "Vocabulary":
        return Vocabulary(np.array(state["items"], np.int64), state["unknown_rows"])

    def digest(self) -> str:
        return hashlib.sha256(self.items.tobytes() + str(self.unknown_rows).encode()).hexdigest()[:16]

    @staticmethod
    def build(reader: Reader, days: Iterable[str], min_count: int = 1, unknown_rows: int = 16) -> "Vocabulary":
        """Items seen at least `min_count` times in slots and histories of these days. Memory: 16 bytes an item, and a piece of a day.

        Give it the days of training only: a model that is tested on days it took items from has seen the future.
        """
        items, counts = np.empty(0, np.int64), np.empty(0, np.int64)
        for day in days:
            for piece in reader.read(day):
                seen, times = np.unique(np.concatenate((piece.items, piece.actions)), return_counts=True)
                items, counts = merge_counts(items, counts, seen, times)
        return Vocabulary(items[counts >= min_count], unknown_rows)


def merge_counts(a: np.ndarray, a_counts: np.ndarray, b: np.ndarray, b_counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts of two lists of distinct items, added."""
    items, place = np.unique(np.concatenate((a, b)), return_inverse=True)
    counts = np.zeros(len(items), np.int64)
    np.add.at(counts, place, np.concatenate((a_counts, b_counts)))
    return items, counts
