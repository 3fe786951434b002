"""Days as flat files that workers map into memory: decoded once, by whoever comes first, then shared by all workers and epochs."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import numpy as np

from .buffers import Buffers
from .readers import Histories, Reader
from .vocabulary import Vocabulary

#: Changes whenever the files below do.
FORMAT = "2"


@dataclass(frozen=True)
class Day:
    """A day of S slots, H histories and A real actions, the longest history having L, mapped from files; newest action first.

    items, is_order, history: [S]; actions, action_types: [A + L]; offsets: [H + 1]: history h is actions[offsets[h]:offsets[h + 1]]
    The last L are zeros, so that L actions can be read from where any history begins.
    Items are rows of the embedding table (int32) with a vocabulary, ids (int64) without.
    """

    items: np.ndarray
    is_order: np.ndarray
    history: np.ndarray
    actions: np.ndarray
    action_types: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.items)

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in vars(self).values())

    def histories(self, slots: np.ndarray, length: int, buffers: Buffers) -> tuple[np.ndarray, np.ndarray]:
        """Histories of N slots as actions and action_types, each [N, length] int64 with zeros on the right."""
        history = self.history[slots]
        begins = self.offsets[history]
        lengths = np.minimum(self.offsets[history + 1] - begins, length).astype(np.int32)
        width = int(lengths.max(initial=0))
        real = np.arange(width, dtype=np.int32) < lengths[:, None]
        matrices = []
        for values in (self.actions, self.action_types):
            matrix = buffers.zeros(len(slots), length)
            np.copyto(matrix[:, :width], windows(values, begins, width), where=real)
            matrices.append(matrix)
        return matrices[0], matrices[1]


def windows(values: np.ndarray, begins: np.ndarray, width: int) -> np.ndarray:
    """[N, width]: of flat values, `width` from each beginning on.

    A window is one element of that many bytes to numpy, which copies it whole: an index for each value would be larger than the value.
    """
    if width == 0:
        return np.empty((len(begins), 0), values.dtype)
    element = np.dtype((np.void, width * values.itemsize))
    every = np.ndarray(len(values) - width + 1, element, values, 0, values.strides)
    return every[begins].view(values.dtype).reshape(len(begins), width)


class DayStore:
    """Days of a reader in a folder. Several processes may use one folder at the same time."""

    def __init__(self, reader: Reader, folder: str | Path, vocabulary: Vocabulary | None) -> None:
        self.reader = reader
        self.folder = Path(folder)
        self.vocabulary = vocabulary
        self.folder.mkdir(parents=True, exist_ok=True)

    def open(self, day: str) -> Day:
        """Decodes the day unless that has been done: from the same files and for the same vocabulary."""
        place = self.folder / f"{day}-{self._key(day)}"
        # The system unlocks the file of a process that dies, so nobody waits for ever.
        with open(self.folder / f"{day}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not place.exists():
                self._decode(day, place)
        return load(place)

    def _key(self, day: str) -> str:
        files = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in self.reader.files(day)]
        vocabulary = self.vocabulary.digest() if self.vocabulary else "ids"
        text = repr((FORMAT, vocabulary, type(self.reader).__name__, files))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _decode(self, day: str, place: Path) -> None:
        """Whole or not at all: the folder gets its name when it is complete."""
        part = Path(tempfile.mkdtemp(prefix=f"{day}-part-", dir=self.folder))
        try:
            write(part, self.reader.read(day), self.vocabulary)
            part.rename(place)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise


def write(folder: Path, pieces: Iterator[Histories], vocabulary: Vocabulary | None) -> None:
    """A day's files. No more than one piece is in memory."""
    item_type = np.dtype(np.int32 if vocabulary else np.int64)
    index = vocabulary.index if vocabulary else lambda items: items
    types = {**TYPES, "items": item_type, "actions": item_type}
    (folder / "item_type").write_text(item_type.str)
    files = {name: open(folder / name, "wb") for name in types}
    put = {name: lambda values, name=name: files[name].write(values.astype(types[name]).tobytes()) for name in types}
    histories = actions = longest = 0
    try:
        put["offsets"](np.zeros(1, np.int64))
        for piece in pieces:
            put["items"](index(piece.items))
            put["is_order"](piece.is_order)
            put["history"](piece.history + histories)
            put["actions"](index(piece.actions))
            put["action_types"](piece.action_types)
            put["offsets"](piece.offsets[1:] + actions)
            histories += len(piece.offsets) - 1
            actions += len(piece.actions)
            longest = max(longest, int(np.diff(piece.offsets).max(initial=0)))
        for name in ("actions", "action_types"):
            put[name](np.zeros(longest))
    finally:
        for file in files.values():
            file.close()


TYPES: dict[str, np.dtype] = {
    "items": np.dtype(np.int64),
    "is_order": np.dtype(np.bool_),
    "history": np.dtype(np.int32),
    "actions": np.dtype(np.int64),
    "action_types": np.dtype(np.int8),
    "offsets": np.dtype(np.int64),
}


def load(folder: Path) -> Day:
    item_type = np.dtype((folder / "item_type").read_text())
    types = {**TYPES, "items": item_type, "actions": item_type}
    return Day(**{name: mapped(folder / name, dtype) for name, dtype in types.items()})


def mapped(path: Path, dtype: np.dtype) -> np.ndarray:
    """An empty file cannot be mapped. As a plain array: slices of a memmap object cost ten times as much."""
    return np.memmap(path, dtype, mode="r").view(np.ndarray) if path.stat().st_size else np.empty(0, dtype)
