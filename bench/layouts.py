"""How fast each layout of an output becomes shuffled batches of numpy arrays, one day after the other.

    backstory convert OUTPUT --to=OUTPUT-rankings --layout=rankings     (and histories, and with --padding=none)
    python bench/layouts.py [--repeats=3] [--threads=2] OUTPUT OUTPUT-rankings ...

A batch is impressions [N], is_order [N], actions [N, K], action_types [N, K]. Every layout gives the same batches in the same order, as a checksum shows.
All are read by pyarrow with the same threads, lists as their buffers, reshaped where they are padded. The rows layout is also read naively, by to_pylist, on
one file. Rows are told for a second of wall time and of processor time (of all threads); the latter says more on a machine that others use.
"""
import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

BATCH = 1024


def note_of(path):
    text = (pq.read_metadata(path).metadata or {}).get(b"backstory.layout")
    return json.loads(text) if text else {"layout": "rows", "padding": "zeros"}


def read(paths, columns):
    """One table, each column one chunk; files in order."""
    return pa.concat_tables([pq.read_table(path, columns=columns, partitioning=None) for path in paths]).combine_chunks()


def values_of(column):
    """The elements of all lists, and where each list begins and ends."""
    lists = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    offsets = lists.offsets.to_numpy()
    values = lists.values
    return values.to_numpy(zero_copy_only=not pa.types.is_boolean(values.type)), offsets


def padded(column, length):
    """[rows, length], without a copy where all lists have that length."""
    values, offsets = values_of(column)
    if len(values) == (len(offsets) - 1) * length:
        return values.reshape(-1, length)
    matrix = np.zeros((len(offsets) - 1, length), dtype=values.dtype)
    matrix[np.arange(length) < np.diff(offsets)[:, None]] = values
    return matrix


def flat(column):
    return column.to_numpy()


class Day:
    """impressions and is_order by slot; actions and action_types by history; `history` says which one a slot has."""

    def __init__(self, folder, length):
        paths = sorted(folder.glob("*.parquet"))
        note = note_of(paths[0])
        getattr(self, note["layout"])(paths, length)

    def rows(self, paths, length):
        table = read(paths, ["impressions", "is_order", "actions", "action_types"])
        self.impressions, self.is_order = flat(table["impressions"]), flat(table["is_order"])
        self.take(table, length)
        self.history = None

    def rankings(self, paths, length):
        table = read(paths, ["impressions", "is_order", "actions", "action_types"])
        self.impressions, offsets = values_of(table["impressions"])
        self.is_order, _ = values_of(table["is_order"])
        self.take(table, length)
        self.history = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))

    def histories(self, paths, length):
        slots = [path for path in paths if path.name.startswith("slots-")]
        histories = [path.with_name(path.name.replace("slots-", "histories-", 1)) for path in slots]
        # history_row counts within a file
        firsts = np.cumsum([0] + [pq.read_metadata(path).num_rows for path in histories])
        counts = [pq.read_metadata(path).num_rows for path in slots]
        table = read(slots, ["impressions", "is_order", "history_row"])
        self.impressions, self.is_order = flat(table["impressions"]), flat(table["is_order"])
        self.history = flat(table["history_row"]) + np.repeat(firsts[:-1], counts)
        self.take(read(histories, ["actions", "action_types"]), length)

    def take(self, table, length):
        self.actions, self.action_types = padded(table["actions"], length), padded(table["action_types"], length)

    def batches(self, order):
        """Histories go to the same memory for every batch, as they would to pinned memory: to get fresh pages takes longer than to copy."""
        actions, types = (np.empty((BATCH, matrix.shape[1]), matrix.dtype) for matrix in (self.actions, self.action_types))
        for start in range(0, len(order), BATCH):
            slots = order[start : start + BATCH]
            n = len(slots)
            history = slots if self.history is None else self.history[slots]
            np.take(self.actions, history, axis=0, out=actions[:n], mode="clip")
            np.take(self.action_types, history, axis=0, out=types[:n], mode="clip")
            yield self.impressions[slots], self.is_order[slots], actions[:n], types[:n]


def epoch(folder, length, check):
    """@returns rows, and a checksum where one is wanted"""
    rows, total = 0, 0
    random = np.random.default_rng(0)
    for day in sorted(folder.glob("dt=*")):
        read_day = Day(day, length)
        order = random.permutation(len(read_day.impressions))
        for impressions, is_order, actions, types in read_day.batches(order):
            rows += len(impressions)
            if check:
                weights = np.arange(1, len(impressions) + 1)
                total += int((weights * (impressions % 1000003 + is_order)).sum()) + int((actions.sum(axis=1) % 1000003 * weights).sum())
                total += int((types.sum(axis=1) * weights).sum())
    return rows, total


def naive(folder):
    """What comes to mind first: rows as Python objects. One file."""
    path = sorted(folder.glob("dt=*/*.parquet"))[0]
    rows = 0
    for batch in pq.ParquetFile(path).iter_batches(BATCH, columns=["impressions", "actions", "action_types"]):
        columns = [np.array(column.to_pylist()) for column in batch.columns]
        rows += len(columns[0])
    return rows, 0


def measured(work, *args):
    wall, cpu = time.perf_counter(), time.process_time()
    rows, _ = work(*args)
    return rows / (time.perf_counter() - wall), rows / (time.process_time() - cpu)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("outputs", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--history-length", type=int, default=1000)
    parser.add_argument("--no-check", action="store_true", help="leave out the epoch that compares the batches")
    args = parser.parse_args()
    pa.set_cpu_count(args.threads)
    checks = {}
    print("| layout | padding | MB on disk | rows | rows/s | rows/s of processor time |\n|---|---|---|---|---|---|")
    for output in args.outputs:
        first = sorted(output.glob("dt=*/*.parquet"))[0]
        note = note_of(first)
        size = sum(path.stat().st_size for path in output.glob("dt=*/*.parquet")) / 1e6
        if not args.no_check:
            checks[output.name] = epoch(output, args.history_length, True)
        kinds = [(note["layout"], epoch, (output, args.history_length, False))]
        if note["layout"] == "rows":
            kinds.append(("rows, naively", naive, (output,)))
        for name, work, given in kinds:
            runs = [measured(work, *given) for _ in range(args.repeats)]
            wall, cpu = max(run[0] for run in runs), max(run[1] for run in runs)
            rows = checks.get(output.name, ("",))[0]
            print(f"| {name} | {note['padding']} | {size:.1f} | {rows} | {wall:,.0f} | {cpu:,.0f} |", flush=True)
    if len(set(checks.values())) > 1:
        raise SystemExit(f"the batches differ: {checks}")
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB; batches of all are the same" * bool(checks))


if __name__ == "__main__":
    main()
