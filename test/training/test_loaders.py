"""Loaders by other libraries: each once for real, on a day of two files."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from data import ROOT, convert, write_day

LOADERS = ROOT / "examples/loaders"
DAY = "2025-08-01"
CUSTOMERS = np.repeat(np.arange(1, 501), 10)
LENGTH = 6

#: Module, way and layout. What shuffles the whole day, and what only shuffles within a buffer.
WHOLE = [
    ("with_datasets", "whole_day", "histories-zeros"),
    ("with_polars", "batches", "histories-zeros"),
    ("with_polars", "batches", "histories-none"),
    ("with_duckdb", "batches", "histories-zeros"),
    ("with_tensorflow", "batches", "histories-zeros"),
]
STREAM = ("with_datasets", "stream", "rows")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory) -> Path:
    """By layout; the second file of the day is as the first one, but for its customers and items."""
    folder = tmp_path_factory.mktemp("loaders")
    write_day(folder / "rows", DAY, CUSTOMERS[:3000], LENGTH)
    write_day(folder / "more", DAY, CUSTOMERS[3000:], LENGTH, first_item=3000)
    shutil.copy(folder / f"more/dt={DAY}/part-00000.parquet", folder / f"rows/dt={DAY}/part-00001.parquet")
    for padding in ("zeros", "none"):
        convert(folder / "rows", folder / f"histories-{padding}", "histories", padding)
    return folder


@pytest.fixture(scope="module", autouse=True)
def alone(tmp_path_factory):
    """Each library as a program of its own would have it: no network, no progress bars, caches in a folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(LOADERS))
        for name, value in {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path_factory.mktemp("hf")), "TF_CPP_MIN_LOG_LEVEL": "3"}.items():
            patch.setenv(name, value)
        yield


def batches(outputs: Path, loader: tuple[str, str, str], seed: int = 0, epoch: int = 0, size: int = 256) -> list[dict[str, np.ndarray]]:
    module, way, layout = loader
    read = getattr(importlib.import_module(module), way)
    return [{name: np.asarray(value) for name, value in batch.items()} for batch in read(outputs / layout, DAY, size, seed, epoch)]


def items(made: list[dict]) -> list[int]:
    return np.concatenate([batch["impressions"] for batch in made]).tolist()


@pytest.mark.parametrize("loader", [*WHOLE, STREAM], ids="-".join)
def test_each_slot_comes_once_with_its_history(outputs, loader):
    made = batches(outputs, loader)
    assert sorted(items(made)) == list(range(5000))
    place = np.arange(LENGTH)
    for batch in made:
        customers = batch["customer_id"]
        assert batch["actions"].shape == batch["action_types"].shape == (len(customers), LENGTH) and len(customers) <= 256
        assert {name: batch[name].dtype for name in batch} == {**dict.fromkeys(batch, np.int64), "is_order": bool}
        assert np.array_equal(customers, CUSTOMERS[batch["impressions"]])
        assert np.array_equal(batch["is_order"], batch["impressions"] % 7 == 0)
        real = place < (customers % (LENGTH + 1))[:, None]
        assert np.array_equal(batch["actions"], np.where(real, (customers[:, None] - 1) * 10 + place, 0))
        assert np.array_equal(batch["action_types"], np.where(real, 1 + place % 3, 0))


@pytest.mark.parametrize("loader", [*WHOLE, STREAM], ids="-".join)
def test_the_order_follows_from_seed_and_epoch(outputs, loader):
    first = items(batches(outputs, loader, seed=1))
    assert items(batches(outputs, loader, seed=1)) == first
    for other in (batches(outputs, loader, seed=2), batches(outputs, loader, seed=1, epoch=1)):
        assert np.mean(np.array(items(other)) == first) < 0.01


@pytest.mark.parametrize("loader", WHOLE, ids="-".join)
def test_pairs_of_a_customer_are_as_rare_as_under_a_uniform_permutation(outputs, loader):
    from common import pairs

    batches_of = [batch["customer_id"] for batch in batches(outputs, loader)]
    found, uniform = pairs(batches_of)
    counted = sum(len(batch) * (len(batch) - 1) / 2 for batch in batches_of)
    assert abs(found - uniform) * counted < 5 * (uniform * counted) ** 0.5


def test_in_a_stream_only_rows_within_its_buffer_change_places(outputs, monkeypatch):
    from common import pairs

    monkeypatch.setattr(importlib.import_module("with_datasets"), "BUFFER", 100)
    found, uniform = pairs(batch["customer_id"] for batch in batches(outputs, STREAM))
    assert found > 3 * uniform


def test_pairs_are_counted_one_by_one():
    from common import pairs

    assert pairs([np.array([1, 1, 2]), np.array([2, 2, 1])]) == (2 / 6, 6 / 15)


@pytest.mark.parametrize("module, layout", sorted({(module, layout) for module, _, layout in WHOLE}))
def test_another_layout_is_refused(outputs, module, layout):
    with pytest.raises(ValueError, match="no files of the layout histories.*--layout=histories"):
        batches(outputs, (module, "whole_day" if module == "with_datasets" else "batches", "rows"))


@pytest.mark.parametrize("layout, padding", [("rankings", "zeros"), ("rows", "none")])
def test_files_that_are_called_as_those_of_rows_are_refused(outputs, tmp_path, layout, padding):
    """Slots of rankings would be taken for a dimension more, where all have as many."""
    convert(outputs / "rows", tmp_path / layout, layout, padding)
    with pytest.raises(ValueError, match=f"has layout={layout} padding={padding}, not rows with padding.*--layout=rows"):
        batches(tmp_path, (*STREAM[:2], layout))


@pytest.mark.parametrize("module", ["with_duckdb", "with_tensorflow"])
def test_histories_without_padding_are_refused_where_a_matrix_is_wanted(outputs, module):
    with pytest.raises(ValueError, match="without padding"):
        batches(outputs, (module, "batches", "histories-none"))


@pytest.mark.parametrize("script, layout", sorted({(module, layout) for module, _, layout in WHOLE[1:4]}))
def test_it_runs_as_a_program(outputs, script, layout):
    given = [sys.executable, LOADERS / f"{script}.py", outputs / layout, "--batch-size=500"]
    printed = subprocess.run(list(map(str, given)), check=True, capture_output=True, text=True, timeout=200).stdout
    assert printed.startswith(f"{DAY}: 5,000 slots in 10 batches") and "times as many as uniformly shuffled" in printed


def test_an_unfinished_output_is_refused(tmp_path):
    from common import days

    with pytest.raises(ValueError, match="_SUCCESS"):
        days(tmp_path)


def test_the_fixture_has_two_files(outputs):
    counts = [pq.read_metadata(path).num_rows for path in sorted((outputs / f"histories-zeros/dt={DAY}").glob("histories-*"))]
    assert counts == [300, 200]
