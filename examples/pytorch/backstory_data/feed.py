"""Batches of slots, one day after the other, in an order that follows from seed and epoch alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Iterator, NamedTuple, Sequence

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from .buffers import Buffers
from .readers import Reader
from .store import PADDED_BYTES, Day, DayStore, PaddedDay
from .vocabulary import Vocabulary

#: No batch from workers for so long is an error: one that dies is noticed at once, and decoding a day of 10 M slots takes minutes.
STALLED_S = 1800


class Batch(NamedTuple):
    """N slots. `model(batch.impressions, batch.actions, batch.action_types)`; padding is where action_types is 0."""

    impressions: torch.Tensor  # [N] int64
    actions: torch.Tensor  # [N, K] int64, newest first
    action_types: torch.Tensor  # [N, K] int64
    is_order: torch.Tensor  # [N] bool

    def to(self, device: torch.device) -> "Batch":
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self))


def shuffled(slots: int, seed: int, epoch: int, day: str) -> np.ndarray:
    """A uniform permutation of a day's slots, another one for each seed, epoch and day. 4 bytes a slot."""
    order = np.arange(slots, dtype=np.int32)
    numbers = np.random.SeedSequence([seed, epoch, int(day.replace("-", ""))])
    np.random.Generator(np.random.PCG64(numbers)).shuffle(order)
    return order


class SlotDataset(IterableDataset):
    """One epoch's batches, from `first_batch` on. Of W workers each makes every W-th batch, so W does not change their order.

    Memory of a day of S slots, H histories and A real actions, in bytes:
       9 S + 5 H K          mapped from files: once for all workers, and given up when the system needs it
       9 S + 5 A + 8 H      instead, where 5 H K are more than `padded_bytes`
       4 S                  order of the slots, in each worker
    and a piece of 2,048 rows as they are decoded, and three batches. Without a vocabulary items have 8 bytes: 13 S, 9 H K and 9 A.
    """

    def __init__(self, store: DayStore, days: Sequence[str], batch_size: int, history_length: int, seed: int) -> None:
        self.store = store
        self.days = list(days)
        self.slots = [store.reader.slots(day) for day in self.days]
        self.batch_size = batch_size
        self.history_length = history_length
        self.seed = seed
        self.buffers = Buffers()
        self.epoch = 0
        self.first_batch = 0

    def __len__(self) -> int:
        """Batches of an epoch: the last one of a day may be smaller, so that each slot comes once."""
        return sum(self.batches_of(slots) for slots in self.slots)

    def batches_of(self, slots: int) -> int:
        return -(-slots // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        number = 0
        for day, slots in zip(self.days, self.slots):
            end = number + self.batches_of(slots)
            first = max(number, self.first_batch)
            mine = range(first + (worker - (first - self.first_batch)) % workers, end, workers)
            if len(mine):
                yield from self._day(day, [batch - number for batch in mine])
            number = end

    def _day(self, name: str, batches: list[int]) -> Iterator[Batch]:
        day = self.store.open(name)
        order = shuffled(len(day), self.seed, self.epoch, name)
        for batch in batches:
            yield self.batch(day, order[batch * self.batch_size : (batch + 1) * self.batch_size])

    def batch(self, day: Day | PaddedDay, slots: np.ndarray) -> Batch:
        actions, types = day.histories(slots, self.history_length, self.buffers)
        arrays = (day.items[slots].astype(np.int64), actions, types, day.is_order[slots])
        return Batch(*(torch.from_numpy(np.asarray(array)) for array in arrays))


class Feed:
    """Iterating it gives the rest of the current epoch; the next time, the next epoch. Resumable between any two batches.

    days: which, in the order they are fed; default all, oldest first
    vocabulary: items become rows of its table; without one they stay ids
    history_length: K of the batches, the newest so many; default that of the output
    padded_bytes: histories of a day are held padded, for faster batches, where they take at most so many bytes then; 0: never
    folder: where decoded days are kept; default a temporary one, removed with the feed
    workers: processes that make batches; 0: none but this one
    """

    def __init__(
        self,
        reader: Reader,
        *,
        days: Sequence[str] | None = None,
        vocabulary: Vocabulary | None = None,
        batch_size: int = 1024,
        history_length: int | None = None,
        seed: int = 0,
        workers: int = 0,
        padded_bytes: int = PADDED_BYTES,
        folder: str | Path | None = None,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be 1 or more; got {batch_size}.")
        self._own = None if folder else tempfile.TemporaryDirectory(prefix="backstory-days-")
        length = reader.history_length() if history_length is None else history_length
        store = DayStore(reader, folder or self._own.name, vocabulary, length, padded_bytes)
        self.dataset = SlotDataset(store, reader.days() if days is None else days, batch_size, length, seed)
        self.workers = workers
        self.epoch = 0
        self.batch = 0

    def __len__(self) -> int:
        return len(self.dataset)

    def __iter__(self) -> Iterator[Batch]:
        self.dataset.epoch, self.dataset.first_batch = self.epoch, self.batch
        loader = DataLoader(
            self.dataset,
            batch_size=None,
            num_workers=self.workers,
            timeout=STALLED_S if self.workers else 0,
            pin_memory=torch.cuda.is_available(),
        )
        for batch in loader:
            self.batch += 1
            yield batch
        self.epoch, self.batch = self.epoch + 1, 0

    def state_dict(self) -> dict[str, object]:
        """The next batch, as of those taken from the feed: what workers have made ahead is made again."""
        return {"epoch": self.epoch, "batch": self.batch, "of": self._identity()}

    def load_state_dict(self, state: dict) -> None:
        """@raises ValueError for the state of a feed that gave other batches"""
        if state["of"] != self._identity():
            raise ValueError(f"The state is of another feed: {state['of']}, this one is {self._identity()}. Use the same days and options.")
        self.epoch, self.batch = state["epoch"], state["batch"]

    def _identity(self) -> dict[str, object]:
        data = self.dataset
        vocabulary = data.store.vocabulary
        return {
            "days": [[day, slots] for day, slots in zip(data.days, data.slots)],
            "batch_size": data.batch_size,
            "history_length": data.history_length,
            "seed": data.seed,
            "vocabulary": vocabulary.digest() if vocabulary else None,
        }
