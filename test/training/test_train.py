"""The example as a whole: generate, plant, build, train."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from runpy import run_path

import pytest
import torch
from data import ROOT, build, convert, generate

EXAMPLE = ROOT / "examples/pytorch"
LIMIT_S = 600
WAYS = ["feed, first epoch", "feed, later epochs"]


def run(script: str, *args: object) -> str:
    given = [sys.executable, EXAMPLE / script, *map(str, args)]
    return subprocess.run(given, check=True, capture_output=True, text=True, timeout=LIMIT_S).stdout


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    shop = tmp_path_factory.mktemp("shop")
    generate(shop, "--rankings=4000", "--actions=60000", "--customers=600", "--items=3000", "--days=8")
    run("plant.py", shop, "--leak")
    build(shop, shop / "out", shop / "previous_orders.ndjson")
    build(shop, shop / "leaked", shop / "leaked_orders.ndjson")
    return shop


@pytest.fixture(scope="module")
def honest(shop) -> dict:
    return json.loads(run("train.py", shop / "out", "--json"))


def test_it_beats_the_base_rate_on_a_day_it_has_not_seen(honest):
    assert honest["orders"] > 300
    assert honest["auc"] > 0.68
    assert honest["loss"] < 0.95 * honest["base_loss"]


def test_orders_let_in_a_day_early_give_a_score_that_is_too_good(shop, honest):
    leaked = json.loads(run("train.py", shop / "leaked", "--json"))
    assert (leaked["slots"], leaked["orders"]) == (honest["slots"], honest["orders"])
    assert leaked["auc"] > honest["auc"] + 0.05


def test_negatives_and_a_checkpoint_that_is_gone_on_from(shop, tmp_path):
    given = [shop / "out", "--json", "--negatives", f"--checkpoint={tmp_path / 'model.pt'}"]
    first = json.loads(run("train.py", *given))
    assert json.loads(run("train.py", *given)) == first
    assert first["auc"] > 0.6


def test_the_feed_benchmark_prints_its_figures(shop):
    convert(shop / "out", shop / "histories", "histories", "none")
    printed = run("feed.py", shop / "out", shop / "histories", "--history-length=20", "--vocabulary", "--repeats=1")
    assert [line[2:22].strip() for line in printed.splitlines() if line.startswith(("  feed", "  rows"))] == [*WAYS, "rows, read well", "rows, naively", *WAYS]


@pytest.mark.parametrize("more", [[], ["--vocabulary"], ["--vocabulary", "--history-length=3"]])
def test_what_the_benchmark_compares_are_the_same_batches(shop, monkeypatch, more):
    monkeypatch.setattr(sys, "argv", ["feed.py", str(shop / "out"), "--batch-size=100", "--days=2", *more])
    bench = run_path(str(EXAMPLE / "feed.py"))
    job = bench["job_of"](str(shop / "out"), bench["options"]())
    batches = 0
    for fed, read in zip(job.feed(), job.well()):
        assert all(map(torch.equal, fed, read))
        batches += 1
    assert batches == len(job.feed()) > 10


def test_a_model_does_not_see_which_layout_it_learns_from(shop, honest, tmp_path):
    convert(shop / "out", tmp_path / "histories", "histories", "zeros")
    assert json.loads(run("train.py", tmp_path / "histories", "--json")) == honest


def test_one_day_is_too_few(tmp_path):
    (tmp_path / "dt=2025-08-01").mkdir()
    (tmp_path / "_SUCCESS").touch()
    with pytest.raises(subprocess.CalledProcessError) as refused:
        run("train.py", tmp_path)
    assert "two days" in refused.value.stderr
