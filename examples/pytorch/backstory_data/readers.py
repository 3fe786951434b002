"""One class for each layout of an output. A reader gives a day in pieces, each history once, however many slots share it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Protocol

import numpy as np
import pyarrow as pa

from .columns import File, file_of, names_by_file

#: Slots without their histories: 21 bytes each.
SLOTS_AT_A_TIME = 65_536

NO_ACTIONS = np.empty(0, np.int64)


@dataclass(frozen=True)
class Histories:
    """A piece of a day: S slots and H histories, without padding, newest action first.

    items, is_order: [S] int64, bool
    history: [S] int64, which of this piece's histories a slot has; counted back where negative: -1 is the last one of the piece before
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
        """Length of the histories with padding; 0 for an output without rows."""

    def files(self, day: str) -> list[Path]:
        """Files that make up a day."""

    def read(self, day: str) -> Iterator[Histories]:
        """A day in pieces, slots in the order of the layout rows."""


class Output:
    """What outputs of all layouts have in common."""

    def __init__(self, output: str | Path) -> None:
        self.output = Path(output)
        if not (self.output / "_SUCCESS").exists():
            raise ValueError(f'"{output}" has no _SUCCESS: not an output of backstory build, or one that is not finished. Build it first.')

    def days(self) -> list[str]:
        return sorted(path.name[3:] for path in self.output.glob("dt=*") if path.is_dir())

    def files(self, day: str) -> list[Path]:
        return sorted((self.output / f"dt={day}").glob("[!_.]*.parquet"))

    def history_length(self) -> int:
        first = next((path for day in self.days() for path in self.files(day)), None)
        return file_of(first).note["historyLength"] if first else 0


class RowsReader(Output):
    """`--layout=rows`: a row for each slot. Rows of one customer and dt are next to each other and have the same history."""

    COLUMNS = ("customer_id", "item_id", "is_order", "actions", "action_types")

    def __init__(self, output: str | Path) -> None:
        super().__init__(output)
        self._names = names_by_file(self.output)

    def slots(self, day: str) -> int:
        return sum(file.parquet.metadata.num_rows for file in self._files(day))

    def history_length(self) -> int:
        """Without padding a row tells only its own length, and the file says the output's."""
        for file in (file for day in self.days() for file in self._files(day)):
            if file.has_note:
                return file.note["historyLength"]
            for (actions,) in file.batches(("actions",), 1):
                return len(actions[0])
        return 0

    def read(self, day: str) -> Iterator[Histories]:
        for file in self._files(day):
            last = None
            for customers, items, is_order, *lists in file.batches(self.COLUMNS):
                begins, last = beginnings(customers, last)
                yield Histories(flat(items), flat(is_order), np.cumsum(begins) - 1, **histories_at(begins, lists))

    def _files(self, day: str) -> Iterator[File]:
        return (file_of(path, self._names.get(f"dt={day}/{path.name}")) for path in self.files(day))


class RankingsReader(Output):
    """`--layout=rankings`: a row for each ranking, its slots as lists."""

    COLUMNS = ("customer_id", "item_id", "is_order", "actions", "action_types")

    def slots(self, day: str) -> int:
        return sum(elements(file_of(path), "item_id") for path in self.files(day))

    def read(self, day: str) -> Iterator[Histories]:
        for path in self.files(day):
            file, last, slots = file_of(path), None, 0
            for customers, items, is_order, *lists in file.batches(self.COLUMNS):
                begins, last = beginnings(customers, last)
                history = np.repeat(np.cumsum(begins) - 1, np.diff(items.offsets.to_numpy()))
                slots += len(history)
                yield Histories(flat(items.flatten()), flat(is_order.flatten()), history, **histories_at(begins, lists))
            if slots != elements(file, "item_id"):
                raise ValueError(f'"{path}" has rankings without slots, which no build writes. Convert the output again.')


class HistoriesReader(Output):
    """`--layout=histories`: a table of histories, and one of slots that tell the row of theirs."""

    SLOTS = ("item_id", "is_order", "history_row")
    HISTORIES = ("actions", "action_types")

    def slots(self, day: str) -> int:
        return sum(slots.parquet.metadata.num_rows for slots, _ in self._pairs(day))

    def read(self, day: str) -> Iterator[Histories]:
        for slots, histories in self._pairs(day):
            for lists in histories.batches(self.HISTORIES):
                yield Histories(NO_ACTIONS, NO_ACTIONS.astype(bool), NO_ACTIONS, **without_padding(*lists))
            rows = histories.parquet.metadata.num_rows
            for items, is_order, history in slots.batches(self.SLOTS, SLOTS_AT_A_TIME):
                history = flat(history).astype(np.int64)
                if history.min() < 0 or history.max() >= rows:
                    raise ValueError(f'"{slots.path}" points to rows that "{histories.path.name}" does not have. Convert the output again.')
                yield Histories(flat(items), flat(is_order), history - rows, NO_ACTIONS, NO_ACTIONS.astype(np.int8), np.zeros(1, np.int64))

    def _pairs(self, day: str) -> Iterator[tuple[File, File]]:
        for path in self.files(day):
            if not path.name.startswith("slots-"):
                continue
            histories = path.with_name(path.name.replace("slots-", "histories-", 1))
            if not histories.exists():
                raise ValueError(f'"{histories}" is missing: the histories of "{path.name}". Convert the output again.')
            yield file_of(path), file_of(histories)


def flat(column: pa.Array) -> np.ndarray:
    return column.to_numpy(zero_copy_only=False)


def elements(file: File, holds: str) -> int:
    """Of a column of lists, from the footer."""
    metadata = file.parquet.metadata
    (name,) = file.names((holds,))
    leaf = next(i for i in range(metadata.num_columns) if metadata.schema.column(i).path.split(".")[0] == name)
    return sum(metadata.row_group(i).column(leaf).num_values for i in range(metadata.num_row_groups))


def beginnings(customers: pa.Array, last: int | None) -> tuple[np.ndarray, int]:
    """Where a row's customer is not that of the row before, of which the first one's is `last`; and the last row's customer."""
    ids = flat(customers)
    begins = np.empty(len(ids), bool)
    begins[0] = last is None or ids[0] != last
    np.not_equal(ids[1:], ids[:-1], out=begins[1:])
    return begins, int(ids[-1])


def histories_at(begins: np.ndarray, lists: list[pa.ListArray]) -> dict[str, np.ndarray]:
    firsts = pa.array(np.flatnonzero(begins))
    return without_padding(*(column.take(firsts) for column in lists))


def without_padding(actions: pa.ListArray, types: pa.ListArray) -> dict[str, np.ndarray]:
    """Real actions of lists, told by their type: 0 is a legal item. Types of actions are 1 to 127."""
    items, kinds = flat(actions.flatten()), flat(types.flatten()).astype(np.int8)
    ends = types.offsets.to_numpy().astype(np.int64)
    ends -= ends[0]
    real = kinds != 0
    if real.all():
        return {"actions": items, "action_types": kinds, "offsets": ends}
    places = np.flatnonzero(real)
    return {"actions": items[places], "action_types": kinds[places], "offsets": np.searchsorted(places, ends)}


READERS = {"rows": RowsReader, "rankings": RankingsReader, "histories": HistoriesReader}


def reader_of(output: str | Path) -> Reader:
    """The reader for an output's layout.

    @raises ValueError for what is no finished output, or of a layout that is not known
    """
    note = Path(output) / "_layout.json"
    try:
        layout = json.loads(note.read_text())["layout"] if note.exists() else "rows"
    except (KeyError, TypeError, ValueError):
        raise ValueError(f'"{note}" does not tell a layout. Convert the output again.') from None
    if layout not in READERS:
        raise ValueError(f'"{output}" is of the layout {layout!r}; known are {", ".join(READERS)}. Convert it: backstory convert OUTPUT --layout=rows.')
    return READERS[layout](output)
