"""The whole job of SPEC.md's defaults in Beam's Python SDK on its in-process runner: beam_peer.py IN OUT (NDJSON; OUT is replaced).

Wants requirements-beam.txt: apache-beam's pyarrow is older than the other peers', so it needs an environment of its own.
"""
import argparse
import datetime
import json
import os
import shutil
import time

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

K = 1000
MICROSECOND = datetime.timedelta(microseconds=1)
DAY = 86_400_000_000
EPOCH = datetime.datetime(1970, 1, 1)
ROW_GROUP = 10_000

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("input", help="folder with the four tables, as gen.py writes them")
p.add_argument("output", help="folder to write to; replaced")


def micros(text):
    """A date or a timestamp as microseconds; fromisoformat cuts digits after the sixth off."""
    return (datetime.datetime.fromisoformat(text) - EPOCH) // MICROSECOND


class ParseAction(beam.DoFn):
    """A line to (customer, (time, type, item))."""

    def __init__(self, item, time_column, kind):
        self.item, self.time_column, self.kind = item, time_column, kind

    def process(self, line):
        row = json.loads(line)
        yield row["customer_id"], (micros(row[self.time_column]), self.kind, row[self.item])


def parse_ranking(line):
    row = json.loads(line)
    slots = [(slot["item_id"], slot["is_order"]) for slot in row["impressions"]]
    return row["customer_id"], (row["dt"], row["ranking_id"], slots)


def histories(element):
    """A customer's rankings of each dt, with the one history that they share."""
    customer, group = element
    actions = sorted(group["actions"], reverse=True)
    by_day = {}
    for dt, ranking, slots in group["rankings"]:
        by_day.setdefault(dt, []).append((ranking, slots))
    for dt, rankings in by_day.items():
        cutoff = micros(dt)
        newest = [(item, kind) for t, kind, item in actions if cutoff - 365 * DAY <= t < cutoff][:K]
        history = np.zeros((2, K), np.int64)
        if newest:
            history[:, : len(newest)] = np.array(newest, np.int64).T
        yield dt, (customer, rankings, history.tobytes())


class WriteDay(beam.DoFn):
    """All of one dt to one file."""

    def __init__(self, output):
        self.output = output

    def process(self, element):
        dt, groups = element
        folder = f"{self.output}/dt={dt}"
        os.makedirs(folder)
        rows, writer = [], None
        for customer, rankings, history in groups:
            both = np.frombuffer(history, np.int64).reshape(2, K)
            for ranking, slots in rankings:
                rows += [(ranking, customer, index, item, order, both) for index, (item, order) in enumerate(slots)]
            if len(rows) >= ROW_GROUP:
                writer = self.flush(rows, writer, folder)
                rows = []
        if rows:
            writer = self.flush(rows, writer, folder)
        writer.close()
        yield folder

    def flush(self, rows, writer, folder):
        ranking, customer, index, item, order, both = zip(*rows)
        offsets = pa.array(np.arange(len(rows) + 1, dtype=np.int32) * K)

        def lists(which, dtype):
            return pa.ListArray.from_arrays(offsets, pa.array(np.concatenate([each[which] for each in both]).astype(dtype)))

        table = pa.table(
            {
                "ranking_id": pa.array(ranking),
                "customer_id": pa.array(customer, pa.int64()),
                "impression_index": pa.array(index, pa.int32()),
                "item_id": pa.array(item, pa.int64()),
                "is_order": pa.array(order),
                "impressions": pa.array(item, pa.int64()),
                "actions": lists(0, np.int64),
                "action_types": lists(1, np.int32),
            }
        )
        writer = writer or pq.ParquetWriter(f"{folder}/0.parquet", table.schema, compression="snappy")
        writer.write_table(table)
        return writer


def main():
    a = p.parse_args()
    shutil.rmtree(a.output, ignore_errors=True)
    started = time.time()
    with beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([])) as pipeline:

        def actions_of(name, item, time_column, kind):
            lines = pipeline | f"Read {name}" >> beam.io.ReadFromText(f"{a.input}/{name}.ndjson")
            return lines | f"Parse {name}" >> beam.ParDo(ParseAction(item, time_column, kind))

        actions = (
            actions_of("clicks", "item_id", "click_time", 1),
            actions_of("add_to_carts", "config_id", "occurred_at", 2),
            actions_of("previous_orders", "config_id", "order_date", 3),
        ) | "All actions" >> beam.Flatten()
        lines = pipeline | "Read rankings" >> beam.io.ReadFromText(f"{a.input}/impressions.ndjson")
        rankings = lines | "Parse rankings" >> beam.Map(parse_ranking)
        grouped = {"actions": actions, "rankings": rankings} | beam.CoGroupByKey()
        days = grouped | beam.FlatMap(histories) | beam.GroupByKey()
        days | beam.ParDo(WriteDay(a.output))
    print("beam", round(time.time() - started, 2))


if __name__ == "__main__":
    main()
