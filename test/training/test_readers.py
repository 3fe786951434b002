"""Every layout of an output is the same data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from backstory_data import Batch, Feed, HistoriesReader, RankingsReader, RowsReader, Vocabulary, columns, reader_of, readers
from data import LAYOUTS, build, convert, generate, write_day

DAY = "2025-08-01"

#: Columns as a build has been told to write them.
COLUMNS = {
    "more": "+length,+times",
    "renamed": "ranking_id=session,customer_id=user,impression_index,item_id=sku,is_order=bought,actions=skus,action_types=kinds,history_length=n",
}


@pytest.fixture(scope="module", params=COLUMNS)
def outputs(request, tmp_path_factory) -> dict[str, Path]:
    """By layout, the same output: three days in two files each, small row groups, customers without actions and histories cut at 20."""
    work = tmp_path_factory.mktemp(request.param)
    generate(work / "in", "--rankings=300", "--actions=4000", "--customers=60", "--items=300", "--days=3", "--wide-ids")
    more = [f"--columns={COLUMNS[request.param]}", "--shards=2", "--row-group-bytes=100000"]
    build(work / "in", work / "rows", work / "in/previous_orders.ndjson", 20, *more)
    return {"rows": work / "rows", **{"-".join(each): convert(work / "rows", work / "-".join(each), *each) for each in LAYOUTS}}


def batches(output: Path, **options) -> list[Batch]:
    """Of two epochs."""
    reader = reader_of(output)
    feed = Feed(reader, vocabulary=Vocabulary.build(reader, reader.days()[:2], 2), batch_size=100, seed=1, **options)
    return [*feed, *feed]


def assert_same(got: list[Batch], expected: list[Batch]) -> None:
    assert len(got) == len(expected) > 10
    for a, b in zip(got, expected):
        assert all(map(torch.equal, a, b))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("layout", map("-".join, LAYOUTS))
def test_batches_are_those_of_the_rows(outputs, layout, workers):
    assert_same(batches(outputs[layout], workers=workers), batches(outputs["rows"]))


@pytest.mark.parametrize("layout", ["rows", *map("-".join, LAYOUTS)])
def test_however_small_the_pieces(outputs, layout, monkeypatch):
    expected = batches(outputs["rows"], history_length=7)
    monkeypatch.setattr(columns.File.batches, "__defaults__", (7,))
    monkeypatch.setattr(readers, "SLOTS_AT_A_TIME", 3)
    assert_same(batches(outputs[layout], history_length=7), expected)


@pytest.mark.parametrize("layout", map("-".join, LAYOUTS))
def test_days_slots_lengths_and_items_are_those_of_the_rows(outputs, layout):
    rows, reader = reader_of(outputs["rows"]), reader_of(outputs[layout])
    assert reader.days() == rows.days() and reader.history_length() == rows.history_length() == 20
    for day in rows.days():
        assert reader.slots(day) == rows.slots(day) == sum(len(piece.items) for piece in reader.read(day))
    assert Vocabulary.build(reader, rows.days(), 3).digest() == Vocabulary.build(rows, rows.days(), 3).digest()


def test_the_layout_decides_the_reader(outputs):
    kinds = {name: type(reader_of(output)) for name, output in outputs.items()}
    readers = {"rows": RowsReader, "rankings": RankingsReader, "histories": HistoriesReader}
    assert kinds == {"rows": RowsReader, **{"-".join(each): readers[each[0]] for each in LAYOUTS}}


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> dict[str, Path]:
    """One day in one file."""
    work = tmp_path_factory.mktemp("small")
    write_day(work / "rows", DAY, np.repeat(np.arange(50), 10))
    return {"rows": work / "rows", **{layout: convert(work / "rows", work / layout, layout, "zeros") for layout in ("rankings", "histories")}}


def test_the_length_of_rows_without_padding_is_that_of_the_output(small, tmp_path):
    rows = reader_of(small["rows"])
    first = next(rows.read(DAY))
    assert first.offsets[1] < rows.history_length(), "the first history is to be a short one"
    ragged = convert(small["rows"], tmp_path / "ragged", "rows", "none")
    assert reader_of(ragged).history_length() == rows.history_length()


def test_columns_that_have_changed_names(tmp_path):
    swapped = "--columns=ranking_id,customer_id=item_id,impression_index,item_id=customer_id,is_order,actions,action_types"
    generate(tmp_path / "in", "--rankings=300", "--actions=1000", "--customers=60", "--items=300", "--days=2")
    for padding in ("zeros", "none"):
        build(tmp_path / "in", tmp_path / padding, tmp_path / "in/previous_orders.ndjson", 20, swapped, f"--padding={padding}")
    assert_same(batches(tmp_path / "none"), batches(tmp_path / "zeros"))


@pytest.fixture(params=["rows", "rankings", "histories"])
def broken(request, small, tmp_path) -> Path:
    """A copy of an output, to be broken."""
    return Path(shutil.copytree(small[request.param], tmp_path / request.param))


def feed(output: Path) -> list[Batch]:
    return list(Feed(reader_of(output)))


def main_file(output: Path) -> Path:
    """The one with the histories."""
    return next(path for pattern in ("part-*", "histories-*") for path in (output / f"dt={DAY}").glob(pattern))


def rewrite(path: Path, change) -> None:
    """With the metadata that says the layout."""
    table = pq.read_table(path, partitioning=None)
    pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), path)


def test_an_unfinished_output_is_refused(broken):
    (broken / "_SUCCESS").unlink()
    with pytest.raises(ValueError, match="has no _SUCCESS.*Build it first"):
        reader_of(broken)


@pytest.mark.parametrize("column", ["actions", "action_types"])
def test_a_missing_column_is_named(broken, column):
    rewrite(main_file(broken), lambda table: table.drop([column]))
    with pytest.raises(ValueError, match=f'"{main_file(broken)}" has no column {column}'):
        feed(broken)


@pytest.mark.parametrize("column", ["item_id", "is_order", "history_row"])
def test_a_missing_column_of_slots_is_named(small, tmp_path, column):
    output = Path(shutil.copytree(small["histories"], tmp_path / "out"))
    rewrite(next(output.glob("dt=*/slots-*")), lambda table: table.drop([column]))
    with pytest.raises(ValueError, match=f"slots-.* has no column {column}"):
        feed(output)


@pytest.mark.parametrize("keep", [0, 3, 0.5, -5])
def test_a_file_cut_short_is_named(broken, keep):
    path = main_file(broken)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
    with pytest.raises(ValueError, match=f'"{path}" cannot be read .*build or convert again'):
        feed(broken)


def test_a_file_with_broken_pages_is_named(broken):
    path = main_file(broken)
    data = bytearray(path.read_bytes())
    chunks = [pq.read_metadata(path).row_group(0).column(i) for i in range(pq.read_metadata(path).num_columns)]
    chunk = next(each for each in chunks if each.path_in_schema.startswith("actions."))
    begin = chunk.dictionary_page_offset or chunk.data_page_offset
    data[begin : begin + 40] = b"\xff" * 40
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f'"{path}" cannot be read'):
        feed(broken)


def test_a_file_that_does_not_tell_its_layout_is_named(broken):
    path = main_file(broken)
    pq.write_table(pq.read_table(path, partitioning=None).replace_schema_metadata(None), path)
    if broken.name == "rows":
        assert feed(broken)
        return
    with pytest.raises(ValueError, match="does not tell its layout"):
        feed(broken)


@pytest.mark.parametrize("note, message", [('{"layout": "cubes"}', "layout 'cubes'; known are rows, rankings, histories"), ("{", "does not tell a layout"), ("[]", "does not tell a layout")])
def test_a_layout_that_is_not_known_is_refused(broken, note, message):
    (broken / "_layout.json").write_text(note)
    with pytest.raises(ValueError, match=message):
        reader_of(broken)


def test_a_broken_manifest_is_named(broken):
    (broken / "_manifests").mkdir(exist_ok=True)
    (broken / "_manifests/a.json").write_text('{"committed":')
    if broken.name != "rows":
        assert feed(broken)
        return
    with pytest.raises(ValueError, match="a.json.* is not the manifest"):
        feed(broken)


def test_slots_without_their_histories_are_refused(small, tmp_path):
    output = Path(shutil.copytree(small["histories"], tmp_path / "out"))
    main_file(output).unlink()
    with pytest.raises(ValueError, match="histories-.* is missing"):
        feed(output)


@pytest.mark.parametrize("row", [-1, 50])
def test_slots_that_point_to_no_history_are_refused(small, tmp_path, row):
    output = Path(shutil.copytree(small["histories"], tmp_path / "out"))
    rows = pa.array(np.where(np.arange(500) == 499, row, 0).astype(np.int32))
    rewrite(next(output.glob("dt=*/slots-*")), lambda table: table.set_column(table.schema.names.index("history_row"), "history_row", rows))
    with pytest.raises(ValueError, match="points to rows that .* does not have"):
        feed(output)


def test_rankings_without_slots_are_refused(small, tmp_path):
    output = Path(shutil.copytree(small["rankings"], tmp_path / "out"))
    slots = [[] if row == 3 else [True] for row in range(50)]

    def emptied(table: pa.Table) -> pa.Table:
        for name, of in (("item_id", pa.int64()), ("is_order", pa.bool_())):
            table = table.set_column(table.schema.names.index(name), name, pa.array(slots, pa.list_(pa.bool_())).cast(pa.list_(of)))
        return table

    rewrite(main_file(output), emptied)
    with pytest.raises(ValueError, match="rankings without slots"):
        feed(output)


@pytest.mark.parametrize("layout, padding", [("rows", ""), *LAYOUTS])
def test_an_output_without_rows_gives_no_batches(tmp_path, layout, padding):
    write_day(tmp_path, DAY, np.arange(0))
    if padding:
        (tmp_path / "_layout.json").write_text(json.dumps({"layout": layout, "padding": padding}))
    assert feed(tmp_path) == [] and reader_of(tmp_path).history_length() == 0
