"""Does a reader see in every file what its description says?

    readers.py FOLDER READER

FOLDER has, for every case, NAME.json (the rows, plainly: see `descriptionOf` in readers.cases.ts) and NAME.parquet; damaged-*.parquet,
whose pages do not fit their checksums; and NAME.arrows, what arrow-rs read. READER is pyarrow, duckdb, polars, arrow-rs,
pyspark or parquet-mr. Every row, in the order of the file, and every row that a filter asks for must be the same, with
the types of the contract. Exit 0 if so, 1 with the first difference otherwise.
"""

import base64
import collections
import glob
import json
import operator
import os
import struct
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.dataset import dataset

TYPES = {
    "ranking_id": pa.string(),
    "customer_id": pa.int64(),
    "impression_index": pa.int32(),
    "item_id": pa.int64(),
    "is_order": pa.bool_(),
    "impressions": pa.int64(),
    "actions": pa.int64(),
    "action_types": pa.int32(),
    "history_length": pa.int32(),
    "action_times": pa.int64(),
}
LISTS = {"actions", "action_types", "action_times"}
ABSENT = 2**62 + 1  # an id that no case has
Filter = collections.namedtuple("Filter", "name op value")
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # for a short life: most of the time goes to compilation otherwise
COMPARE = {"=": pc.equal, ">": pc.greater, "<=": pc.less_equal}


class Case:
    """The rows of a file, from its description alone, as a table."""

    def __init__(self, folder, name):
        self.name = name
        self.path = os.path.join(folder, f"{name}.parquet")
        with open(os.path.join(folder, f"{name}.json"), encoding="utf-8") as file:
            self.told = json.load(file)
        self.length = self.told["historyLength"]
        self.is_padded = self.told["padding"] == "zeros"
        slots = self.ints("slots")
        per_row = {
            "ranking_id": self.told["ranking_ids"],
            "customer_id": np.repeat(self.ints("customers"), slots),
            "impression_index": self.ints("indexes"),
            "item_id": self.ints("slot_items"),
            "is_order": self.ints("orders").astype(bool),
            "impressions": self.ints("slot_items"),
            "history_length": np.repeat(self.ints("counts"), slots),
            "actions": "items",
            "action_types": "types",
            "action_times": "times",
        }
        self.holds = {column["name"]: column["holds"] for column in self.told["columns"]}
        fields, columns = [], []
        for name, holds in self.holds.items():
            is_list, type = holds in LISTS, TYPES[holds]
            whole = pa.list_(pa.field("element", type, nullable=False)) if is_list else type
            columns.append(self.padded(per_row[holds], slots, whole) if is_list else pa.array(per_row[holds], type))
            fields.append(pa.field(name, whole, nullable=False))
        self.schema = pa.schema(fields)
        self.table = pa.table(columns, self.schema)
        self.filters = list(self.pick_filters())

    def ints(self, key):
        return np.frombuffer(base64.b64decode(self.told[key]), "<i8")

    def padded(self, key, slots, type):
        counts = self.ints("counts")
        histories = np.zeros((len(counts), self.length), np.int64)
        is_real = np.arange(self.length) < counts[:, None]
        histories[is_real] = self.ints(key)
        rows = np.repeat(histories, slots, axis=0)
        lengths = np.full(len(rows), self.length) if self.is_padded else np.repeat(counts, slots)
        values = rows.ravel() if self.is_padded else rows[np.repeat(is_real, slots, axis=0)]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        return pa.ListArray.from_arrays(offsets, pa.array(values, type.value_type), type=type)

    def elements(self, lists):
        """Of all lists, as a file counts them: one without any counts as one."""
        return len(lists) * self.length if self.is_padded else int(pc.sum(pc.max_element_wise(pc.list_value_length(lists), 1)).as_py() or 0)

    def pick_filters(self):
        """Some values that are there, some that are not."""
        for name, holds in self.holds.items():
            if holds in LISTS or self.table.num_rows == 0 or (self.length >= 100_000 and holds != "customer_id"):
                continue  # of such large rows a few filters are enough
            values = sorted(set(self.table[name].to_pylist()), key=lambda v: v.encode() if isinstance(v, str) else v)
            middle = values[len(values) // 2]
            if holds in ("customer_id", "item_id", "ranking_id", "is_order"):
                yield Filter(name, "=", middle)
            if holds in ("customer_id", "item_id"):
                yield Filter(name, ">", middle)
                yield Filter(name, "=", ABSENT)
            if holds == "ranking_id":
                yield Filter(name, "<=", middle)
                yield Filter(name, "=", values[-1])

    def where(self, filter):
        return self.table.filter(COMPARE[filter.op](self.table[filter.name], pa.scalar(filter.value, self.schema.field(filter.name).type)))

    def check(self, how, got, filter=None, rows=None):
        """All rows, those of a filter, or rows [from, to). `got` may have another layout: larger offsets, other names for elements."""
        wanted = self.where(filter) if filter else self.table.slice(rows[0], rows[1] - rows[0]) if rows else self.table
        how = f"{self.name}: {how}" + (f" where {filter.name} {filter.op} {str(filter.value)[:40]!r}" if filter else "")
        must_equal(f"{how}: columns", got.column_names, wanted.column_names)
        must_equal(f"{how}: rows", got.num_rows, wanted.num_rows)
        for name in wanted.column_names:
            column = got[name].cast(wanted[name].type)
            if column.null_count or not column.equals(wanted[name]):
                rows = (i for i in range(len(column)) if column[i] != wanted[name][i])
                at = next(rows, None)
                fail(f"{how}: {name} of row {at}: {str(column[at])[:300]} expected {str(wanted[name][at])[:300]}")


def fail(what):
    print(what)
    sys.exit(1)


def must_equal(what, got, wanted):
    if got != wanted:
        fail(f"{what}: {str(got)[:1000]} expected {str(wanted)[:1000]}")


def must_refuse(folder, read):
    """A reader that verifies checksums finds each damage. Nothing else can: the damaged values are legal ones."""
    files = glob.glob(os.path.join(folder, "damaged-*.parquet"))
    if not files:
        fail("no damaged file")
    for path in files:
        try:
            read(path)
        except Exception as error:
            if "checksum" not in str(error).lower() and "crc" not in str(error).lower():
                fail(f"{path}: refused for another reason than its checksum: {error}")
            continue
        fail(f"{path}: the damage was not found")


def check_bounds(what, values, least, greatest):
    """Bounds are exact, but those of strings longer than 16 bytes need only enclose them. Strings are in the order of their bytes."""
    values = [value.encode() if isinstance(value, str) else value for value in values]
    long = isinstance(values[0], bytes) and max(map(len, values)) > 16
    fits = least <= min(values) and greatest >= max(values) if long else (least, greatest) == (min(values), max(values))
    if not fits:
        fail(f"{what}: bounds {least!r:.200} to {greatest!r:.200} of values from {min(values)!r:.200} to {max(values)!r:.200}")


def check_pyarrow(cases, folder):
    strict = {"page_checksum_verification": True}
    for case in cases:
        with pq.ParquetFile(case.path, **strict) as file:
            must_equal(f"{case.name}: schema", file.schema_arrow, case.schema)
            check_pyarrow_footer(case, file.metadata)
            whole = file.read()
            whole.validate(full=True)
            case.check("whole", whole)
            if file.num_row_groups > 0:
                case.check("by row group", pa.concat_tables(file.read_row_group(i) for i in range(file.num_row_groups)))
            batch = 7 if case.table.num_rows < 1000 else 999
            case.check("in batches", pa.Table.from_batches(file.iter_batches(batch), case.schema))
        for filter in case.filters:
            keep = {"=": operator.eq, ">": operator.gt, "<=": operator.le}[filter.op](pc.field(filter.name), filter.value)
            case.check("filtered", pq.read_table(case.path, filters=keep, partitioning=None, **strict), filter)
            if case.name == "row-groups" and filter.op == "=" and filter.name == "customer_id":
                left = len(next(dataset(case.path).get_fragments()).split_by_row_group(keep))
                must_equal(f"{case.name}: {filter}: row groups were skipped", left < 10, True)
    must_refuse(folder, lambda path: pq.ParquetFile(path, **strict).read())


def check_pyarrow_footer(case, metadata):
    start = 0
    for g in range(metadata.num_row_groups):
        group = metadata.row_group(g)
        rows = case.table.slice(start, group.num_rows)
        start += group.num_rows
        for c in range(group.num_columns):
            chunk = group.column(c)
            name = chunk.path_in_schema.split(".")[0]
            is_list = case.holds[name] in LISTS
            what = f"{case.name}: row group {g}, {name}"
            must_equal(f"{what}: indexes", (chunk.has_column_index, chunk.has_offset_index), (not is_list, True))
            must_equal(f"{what}: statistics", chunk.is_stats_set, not is_list)
            if not is_list:
                stats = chunk.statistics
                must_equal(f"{what}: nulls", (stats.has_min_max, stats.null_count), (True, 0))
                check_bounds(what, rows[name].to_pylist(), *(v.encode() if isinstance(v, str) else v for v in (stats.min, stats.max)))
    must_equal(f"{case.name}: rows of all row groups", start, case.table.num_rows)


def check_duckdb(cases, _folder):
    import duckdb

    names = {pa.string(): "VARCHAR", pa.int64(): "BIGINT", pa.int32(): "INTEGER", pa.bool_(): "BOOLEAN"}
    pushed, late = duckdb.connect(), duckdb.connect()
    late.execute("set disabled_optimizers = 'filter_pushdown,statistics_propagation,late_materialization'")
    for case in cases:
        source = f"read_parquet('{case.path}', hive_partitioning = false)"
        wanted = {n: names[TYPES[h]] + ("[]" if h in LISTS else "") for n, h in case.holds.items()}
        described = {row[0]: row[1] for row in pushed.execute(f"describe select * from {source}").fetchall()}
        must_equal(f"{case.name}: types", described, wanted)
        case.check("whole", pushed.sql(f"select * from {source}").to_arrow_table())
        for filter in case.filters:
            for how, connection in (("pushed down", pushed), ("not pushed down", late)):
                query = f'select * from {source} where "{filter.name}" {filter.op} ?'
                case.check(how, connection.sql(query, params=[filter.value]).to_arrow_table(), filter)


def check_polars(cases, _folder):
    import polars as pl

    names = {pa.string(): pl.String, pa.int64(): pl.Int64, pa.int32(): pl.Int32, pa.bool_(): pl.Boolean}
    ways = {
        "default": {},
        "prefiltered": {"parallel": "prefiltered"},
        "by row group": {"parallel": "row_groups"},
        "without statistics": {"use_statistics": False},
    }
    for case in cases:
        wanted = {n: pl.List(names[TYPES[h]]) if h in LISTS else names[TYPES[h]] for n, h in case.holds.items()}
        for how, options in ways.items():
            frame = pl.scan_parquet(case.path, hive_partitioning=False, **options)
            must_equal(f"{case.name}: types", dict(frame.collect_schema()), wanted)
            case.check(how, frame.collect().to_arrow())
            for filter in case.filters:
                column = pl.col(filter.name)
                keep = {"=": column == filter.value, ">": column > filter.value, "<=": column <= filter.value}[filter.op]
                case.check(how, frame.filter(keep).collect().to_arrow(), filter)


def check_arrow_rs(cases, folder):
    for case in cases:
        files = sorted(glob.glob(os.path.join(folder, f"{case.name}.*.arrows")))
        if not files:
            fail(f"{case.name}: not read by arrow-rs")
        for path in files:
            with pa.ipc.open_stream(path) as stream:
                table = stream.read_all()
            table.validate(full=True)
            must_equal(f"{path}: schema", table.schema.remove_metadata(), case.schema)
            part = path.split(".")[-2].split("-")  # whole, batches, or rows-FROM-TO
            case.check(os.path.basename(path), table, rows=[int(row) for row in part[1:]] or None)


def check_pyspark(cases, folder):
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as F

    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.memory": "2g",
        "spark.driver.extraJavaOptions": JAVA,
        "spark.driver.host": "127.0.0.1",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.files.openCostInBytes": "0",
        "spark.hadoop.parquet.page.verify-checksum.enabled": "true",
    }
    builder = SparkSession.builder.master("local[1]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    names = {pa.string(): "string", pa.int64(): "bigint", pa.int32(): "int", pa.bool_(): "boolean"}
    groups = collections.defaultdict(list)  # a query costs more than a file: all files with the same columns go into one
    for case in cases:
        groups[tuple(case.holds.items())].append(case)
    for vectorized in ("true", "false"):
        spark.conf.set("spark.sql.parquet.enableVectorizedReader", vectorized)
        spark.conf.set("spark.sql.parquet.enableNestedColumnVectorizedReader", vectorized)
        how = "vectorized" if vectorized == "true" else "row by row"
        for holds, group in groups.items():
            frame = spark.read.parquet(*(case.path for case in group))
            wanted = {n: f"array<{names[TYPES[h]]}>" if h in LISTS else names[TYPES[h]] for n, h in holds}
            must_equal(f"{how}: types", dict(frame.dtypes), wanted)
            check_spark_rows(how, frame, group)
            for pushed in ("true", "false"):
                spark.conf.set("spark.sql.parquet.filterPushdown", pushed)
                for filter in pick(group)[:: 1 if pushed == "true" else 3]:
                    column, value = F.col(f"`{filter.name}`"), F.lit(filter.value)
                    keep = {"=": column == value, ">": column > value, "<=": column <= value}[filter.op]
                    check_spark_rows(f"{how}, pushed down {pushed}", frame.where(keep), group, filter)
        must_refuse(folder, lambda path: spark.read.parquet(path).collect())
    spark.stop()


def pick(cases):
    """Of each column and operator the filter that most cases have."""
    kept = {}
    for filter, _ in collections.Counter(filter for case in cases for filter in case.filters).most_common():
        kept.setdefault((filter.name, filter.op, filter.value == ABSENT), filter)
    return list(kept.values())


def check_spark_rows(how, frame, cases, filter=None):
    from pyspark.sql import functions as F

    batches = frame.select("*", F.col("_metadata.file_name").alias("file"))._collect_as_arrow()
    table = pa.Table.from_batches(batches) if batches else cases[0].table.slice(0, 0).append_column("file", pa.array([], pa.string()))
    for case in cases:
        here = pc.equal(table["file"], os.path.basename(case.path))
        case.check(how, table.filter(here).drop_columns("file"), filter)


def check_parquet_mr(cases, folder):
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"--driver-memory 2g --driver-java-options '{JAVA}' pyspark-shell"
    from pyspark.java_gateway import launch_gateway

    gateway = launch_gateway()
    compiler = gateway.jvm.org.codehaus.janino.SimpleCompiler()
    compiler.setParentClassLoader(gateway.jvm.java.lang.Thread.currentThread().getContextClassLoader())
    with open(os.path.join(os.path.dirname(__file__), "ParquetMr.java"), encoding="utf-8") as source:
        compiler.cook(source.read())
    reader = compiler.getClassLoader().loadClass("ParquetMr").newInstance()
    scratch = os.path.join(folder, "parquet-mr.rows")
    for case in cases:
        must_equal(f"{case.name}: schema", reader.schema(case.path), message_type(case))
        check_parquet_mr_books(case, reader.books(case.path))
        for filter in [None, *case.filters]:
            looked = reader.read(case.path, scratch, *((filter.name, filter.op, str(filter.value)) if filter else [None] * 3))
            with open(scratch, "rb") as file:
                got = file.read()
            wanted = as_bytes(case, case.where(filter) if filter else case.table)
            must_equal(f"{case.name}: {filter}: bytes", len(got), len(wanted))
            must_equal(f"{case.name}: {filter}: the same values", got == wanted, True)
            if filter and case.name.startswith("pages-") and filter.op == "=" and filter.name in ("customer_id", "item_id"):
                must_equal(f"{case.name}: {filter}: pages were skipped", looked < case.table.num_rows, True)
    must_refuse(folder, lambda path: reader.read(path, scratch, None, None, None))
    gateway.shutdown()


def as_bytes(case, table):
    """What ParquetMr.java writes of these rows."""
    out = []
    for name, holds in case.holds.items():
        column = table[name].combine_chunks()
        if holds in LISTS:
            values = column.flatten().to_numpy().astype("<i8")
            starts = (column.offsets.to_numpy() - column.offsets[0].as_py())[:-1]
            out.append(np.insert(values, starts, pc.list_value_length(column).to_numpy()).tobytes())
        elif holds == "ranking_id":
            out += (struct.pack("<q", len(bytes)) + bytes for bytes in (text.encode() for text in column.to_pylist()))
        else:
            out.append(column.to_numpy(zero_copy_only=False).astype("<i8").tobytes())
    return b"".join(out)


def message_type(case):
    names = {pa.string(): "binary", pa.int64(): "int64", pa.int32(): "int32", pa.bool_(): "boolean"}
    out = "message schema {\n"
    for name, holds in case.holds.items():
        type = names[TYPES[holds]]
        if holds in LISTS:
            out += f"  required group {name} (LIST) {{\n    repeated group list {{\n      required {type} element;\n    }}\n  }}\n"
        else:
            out += f"  required {type} {name}{' (STRING)' if type == 'binary' else ''};\n"
    return out + "}\n"


def check_parquet_mr_books(case, books):
    """Statistics of chunks, column indexes and offset indexes against the rows that they speak of."""
    start, group, last_rows, chunks = 0, 0, 0, []
    for line in books.splitlines():
        kind, *fields = line.split("\t")
        if kind == "chunk":
            chunks.append((fields, []))
        else:
            chunks[-1][1].append(fields)
    for (g, path, rows, values, nulls, least, greatest), pages in chunks:
        if int(g) != group:
            start, group = start + last_rows, int(g)
        last_rows = int(rows)
        name = path.split(".")[0]
        is_list = case.holds[name] in LISTS
        what = f"{case.name}: row group {g}, {name}"
        here = case.table[name].slice(start, last_rows)
        must_equal(f"{what}: values", int(values), case.elements(here) if is_list else len(here))
        must_equal(f"{what}: nulls", int(nulls), -1 if is_list else 0)
        firsts = [int(page[0]) for page in pages]
        must_equal(f"{what}: first rows", firsts, sorted({0, *firsts}))
        if is_list:
            must_equal(f"{what}: bounds", {least, greatest, *(bound for page in pages for bound in page[2:])}, {"-"})
            continue
        check_bounds(what, here.to_pylist(), unhex(case, name, least), unhex(case, name, greatest))
        for (first, page_nulls, page_least, page_greatest), end in zip(pages, [*firsts[1:], last_rows]):
            must_equal(f"{what}: nulls of a page", page_nulls, "0")
            values_here = here.slice(int(first), end - int(first)).to_pylist()
            check_bounds(f"{what}, page at row {first}", values_here, unhex(case, name, page_least), unhex(case, name, page_greatest))
    must_equal(f"{case.name}: rows", start + last_rows, case.table.num_rows)


def unhex(case, name, text):
    raw = bytes.fromhex(text)
    return raw if case.holds[name] == "ranking_id" else int.from_bytes(raw, "little", signed=True)


READERS = {
    "pyarrow": check_pyarrow,
    "duckdb": check_duckdb,
    "polars": check_polars,
    "arrow-rs": check_arrow_rs,
    "pyspark": check_pyspark,
    "parquet-mr": check_parquet_mr,
}


def main():
    folder, reader = sys.argv[1:]
    names = sorted(os.path.basename(path)[: -len(".json")] for path in glob.glob(os.path.join(folder, "*.json")))
    if not names:
        fail(f"no cases in {folder}")
    READERS[reader]([Case(folder, name) for name in names], folder)
    print(f"{len(names)} cases: {reader} agrees")


if __name__ == "__main__":
    main()
