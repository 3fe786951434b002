"""Days as flat files that workers map into memory: decoded once, by whoever comes first, then shared by all workers and epochs."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

import numpy as np

from .buffers import Buffers
from .readers import Histories, Reader
from .vocabulary import Vocabulary

#: Changes whenever the files below do.
FORMAT = "3"

#: Histories of a day are padded where they take at most so many bytes then.
PADDED_BYTES = 2**28

#: Histories that are padded at a time: of 1,000 actions 18 MB.
PADDED_AT_A_TIME = 2048


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
        matrices = buffers.zeros(len(slots), length), buffers.zeros(len(slots), length)
        self.put(self.history[slots], matrices)
        return matrices

    def put(self, histories: np.ndarray, matrices: tuple[np.ndarray, np.ndarray]) -> None:
        """N histories into matrices of zeros, each [N, length]."""
        begins = self.offsets[histories]
        lengths = np.minimum(self.offsets[histories + 1] - begins, matrices[0].shape[1]).astype(np.int32)
        width = int(lengths.max(initial=0))
        real = np.arange(width, dtype=np.int32) < lengths[:, None]
        for values, matrix in zip((self.actions, self.action_types), matrices):
            np.copyto(matrix[:, :width], windows(values, begins, width), where=real)

    def padded(self, length: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All histories, some at a time, cut or padded to `length`, as actions and action_types."""
        histories = np.arange(len(self.offsets) - 1)
        for some in np.split(histories, range(PADDED_AT_A_TIME, len(histories), PADDED_AT_A_TIME)):
            matrices = np.zeros((len(some), length), self.actions.dtype), np.zeros((len(some), length), self.action_types.dtype)
            self.put(some, matrices)
            yield matrices


@dataclass(frozen=True)
class PaddedDay:
    """The same with padding, all histories being of the length of the batches: a batch is rows of matrices, which are copied in half the time.

    items, is_order, history: [S]; actions, action_types: [H, length], of the types that a `Day` has
    """

    items: np.ndarray
    is_order: np.ndarray
    history: np.ndarray
    actions: np.ndarray
    action_types: np.ndarray

    def __len__(self) -> int:
        return len(self.items)

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in vars(self).values())

    def histories(self, slots: np.ndarray, length: int, buffers: Buffers) -> tuple[np.ndarray, np.ndarray]:
        history = self.history[slots]
        return rows(self.actions, history, buffers), rows(self.action_types, history, buffers)


def rows(matrix: np.ndarray, which: np.ndarray, buffers: Buffers) -> np.ndarray:
    """As int64. With "clip" numpy writes to where it is told to, else to a copy of that; no row is out of range."""
    taken = buffers.empty(len(which), matrix.shape[1])
    if matrix.dtype == taken.dtype:
        return matrix.take(which, 0, taken, "clip")
    taken[:] = matrix.take(which, 0)
    return taken


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

    def __init__(
        self, reader: Reader, folder: str | Path, vocabulary: Vocabulary | None, length: int = 0, padded_bytes: int = PADDED_BYTES
    ) -> None:
        """length: of the batches' histories"""
        self.reader = reader
        self.folder = Path(folder)
        self.vocabulary = vocabulary
        self.length = length
        self.padded_bytes = padded_bytes
        self.folder.mkdir(parents=True, exist_ok=True)

    def open(self, day: str) -> Day | PaddedDay:
        """Decodes the day unless that has been done: from the same files and for the same vocabulary. Padded where `padded_bytes` are enough."""
        place = self.folder / f"{day}-{self._key(day)}"
        # The system unlocks the file of a process that dies, so nobody waits for ever.
        with open(self.folder / f"{day}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._once(place, lambda part: write(part, self.reader.read(day), self.vocabulary))
            decoded = load(place)
            size = (len(decoded.offsets) - 1) * self.length * (decoded.actions.itemsize + decoded.action_types.itemsize)
            if not 0 < size <= self.padded_bytes:
                return decoded
            padded = place.with_name(f"{place.name}-{self.length}")
            self._once(padded, lambda part: write_padded(part, decoded, self.length))
        return load_padded(padded, decoded, self.length)

    def _key(self, day: str) -> str:
        files = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in self.reader.files(day)]
        vocabulary = self.vocabulary.digest() if self.vocabulary else "ids"
        text = repr((FORMAT, vocabulary, type(self.reader).__name__, files))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _once(self, place: Path, make: Callable[[Path], None]) -> None:
        """Whole or not at all: the folder gets its name when it is complete."""
        if place.exists():
            return
        part = Path(tempfile.mkdtemp(prefix=f"{place.name}-part-", dir=self.folder))
        try:
            make(part)
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
    put = {name: lambda values, name=name: files[name].write(np.ascontiguousarray(values, types[name])) for name in types}
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


def write_padded(folder: Path, day: Day, length: int) -> None:
    with open(folder / "actions", "wb") as actions, open(folder / "action_types", "wb") as types:
        for matrices in day.padded(length):
            actions.write(matrices[0])
            types.write(matrices[1])


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


def load_padded(folder: Path, day: Day, length: int) -> PaddedDay:
    """What is not padded is that of the day."""
    actions, types = (mapped(folder / name, getattr(day, name).dtype).reshape(-1, length) for name in ("actions", "action_types"))
    return PaddedDay(day.items, day.is_order, day.history, actions, types)


def mapped(path: Path, dtype: np.dtype) -> np.ndarray:
    """An empty file cannot be mapped. As a plain array: slices of a memmap object cost ten times as much."""
    return np.memmap(path, dtype, mode="r").view(np.ndarray) if path.stat().st_size else np.empty(0, dtype)
