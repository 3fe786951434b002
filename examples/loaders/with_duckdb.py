#!/usr/bin/env python3
"""Batches by DuckDB, as numpy arrays.

    python examples/loaders/with_duckdb.py .cache/training-histories
"""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import duckdb
import numpy as np
import pyarrow as pa

from common import histories_of, history_length, main, seeds, slots_files

#: Slots in the order of a hash of what tells them apart: the same on every machine and with any number of threads.
QUERY = """
SELECT customer_id, impressions, is_order, actions, action_types
FROM (SELECT *, replace(filename, 'slots-', 'histories-') AS of, file_row_number FROM read_parquet($slots, filename = true, file_row_number = true)) AS slots
JOIN (SELECT filename AS of, history_row, actions, action_types FROM read_parquet($histories, filename = true)) AS histories USING (of, history_row)
ORDER BY hash(slots.filename, file_row_number, $seed)
"""


def batches(output: Path, day: str, batch_size: int, seed: int, epoch: int) -> Iterator[dict]:
    """Layout histories with padding. The day is shuffled as rows with their histories: what does not fit in memory goes to disk."""
    paths = slots_files(output, day)
    length = history_length(paths)
    given = {"slots": [str(path) for path in paths], "histories": [str(histories_of(path)) for path in paths], "seed": repr(seeds(seed, epoch, day))}
    with duckdb.connect() as connection:
        for batch in connection.execute(QUERY, given).to_arrow_reader(batch_size):
            yield arrays(batch, length)


def arrays(batch: pa.RecordBatch, length: int) -> dict:
    flat = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in ("customer_id", "impressions", "is_order")}
    matrices = {name: batch.column(name).flatten().to_numpy().reshape(-1, length).astype(np.int64) for name in ("actions", "action_types")}
    return {**flat, **matrices}


if __name__ == "__main__":
    main(__doc__, batches=batches)
