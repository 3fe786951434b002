"""Files of an output: what their columns are called, and what is said of those that cannot be read."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Iterable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

#: Rows decoded at a time: with histories of 1,000 actions 24 MB, at 12 bytes each.
ROWS_AT_A_TIME = 2048

#: Key of what a file of another layout than rows with padding says of itself.
NOTE = b"backstory.layout"


@dataclass(frozen=True)
class File:
    """A Parquet file whose columns go by what they hold. `renamed`: what a column holds to its name, where that is known."""

    path: Path
    renamed: dict[str, str]

    @cached_property
    def parquet(self) -> pq.ParquetFile:
        with readable(self.path):
            return pq.ParquetFile(self.path)

    @property
    def has_note(self) -> bool:
        return NOTE in (self.parquet.schema_arrow.metadata or {})

    @cached_property
    def note(self) -> dict:
        """Layout, padding, history length and columns of a file that is not of the layout rows with padding.

        @raises ValueError where there is none
        """
        try:
            return json.loads(self.parquet.schema_arrow.metadata[NOTE])
        except (KeyError, TypeError, ValueError):
            raise ValueError(f'"{self.path}" does not tell its layout: its metadata has no backstory.layout. Convert the output again.') from None

    def names(self, holds: Iterable[str]) -> list[str]:
        """@raises ValueError where there is no such column"""
        there = self.parquet.schema_arrow.names
        names = [next((name for name in (self.renamed.get(each), each) if name in there), None) for each in holds]
        missing = [each for each, name in zip(holds, names) if name is None]
        if missing:
            raise ValueError(f'"{self.path}" has no column {missing[0]}. Build with --columns=standard, or leave no column out.')
        return names

    def batches(self, holds: tuple[str, ...], rows: int = ROWS_AT_A_TIME) -> Iterator[list[pa.Array]]:
        """The columns, some rows at a time."""
        names = self.names(holds)
        with readable(self.path):
            # Threads of Arrow's would not outlive the fork of a worker.
            for batch in self.parquet.iter_batches(rows, columns=names, use_threads=False):
                if len(batch):
                    yield [batch.column(name) for name in names]


def file_of(path: Path, renamed: dict[str, str] | None = None) -> File:
    """A file of rows with a note has the names that it tells. Of other layouts it has its own; how rows called a column tells only what was never given another."""
    file = File(path, renamed or {})
    if not file.has_note:
        return file
    there = file.parquet.schema_arrow.names
    is_rows = file.note["layout"] == "rows"
    return File(path, {each["holds"]: each["name"] for each in file.note["columns"] if is_rows or each["holds"] not in there})


def names_by_file(output: Path) -> dict[str, dict[str, str]]:
    """By path from the output, what columns are called: as the newest manifest that names a file has it."""
    manifests = [manifest_of(path) for path in (output / "_manifests").glob("*.json")]
    return {file: columns for _, columns, files in sorted(manifests, key=lambda each: each[0]) for file in files}


def manifest_of(path: Path) -> tuple[str, dict[str, str], list[str]]:
    """When it was committed, what its columns are called, and its files."""
    try:
        manifest = json.loads(path.read_text())
        columns = {each["holds"]: each["name"] for each in manifest["schema"]}
        return manifest["committed"], columns, [file["path"] for partition in manifest["partitions"] for file in partition["files"]]
    except (KeyError, TypeError, ValueError):
        raise ValueError(f'"{path}" is not the manifest of a run. Build again.') from None


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """What Arrow says of a broken file, with its name."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, ValueError) and not isinstance(error, pa.ArrowException):
            raise
        raise ValueError(f'"{path}" cannot be read ({error}). It is no Parquet file, or broken: build or convert again.') from error
