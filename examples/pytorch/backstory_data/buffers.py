"""Memory for batches that is used again: for 1,024 histories of 1,000 actions, pages fresh from the system take longer than what is put there."""

from __future__ import annotations

import sys

import numpy as np

#: Matrices kept, of two a batch: one batch being made, one in use, one on its way.
KEPT = 6


def references(arrays: list[np.ndarray], i: int) -> int:
    return sys.getrefcount(arrays[i])


#: Of an array that nobody but its list refers to. A tensor or a view made of an array refers to it as long as it lives.
ALONE = references([np.empty(0)], 0)


class Buffers:
    """Gives out matrices of int64. One that anybody still refers to, also through a slice or a tensor, is never given out again."""

    def __init__(self) -> None:
        self._arrays: list[np.ndarray] = []

    def __getstate__(self) -> dict:
        """A worker gets none of them."""
        return {"_arrays": []}

    def zeros(self, rows: int, columns: int) -> np.ndarray:
        matrix = self.empty(rows, columns)
        matrix.fill(0)
        return matrix

    def empty(self, rows: int, columns: int) -> np.ndarray:
        """Whatever was in it."""
        size = rows * columns
        free = next((i for i in range(len(self._arrays)) if references(self._arrays, i) == ALONE and len(self._arrays[i]) >= size), None)
        array = self._fresh(size) if free is None else self._arrays[free][:size]
        return array.reshape(rows, columns)

    def _fresh(self, size: int) -> np.ndarray:
        """Takes the place of the oldest one, which from then on lives as long as who refers to it."""
        self._arrays = [*self._arrays[-KEPT + 1 :], np.empty(size, np.int64)]
        return self._arrays[-1][:]
