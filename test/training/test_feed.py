"""Laws of the feed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from backstory_data import Buffers, Day, DayStore, Feed, PaddedDay, RowsReader, Vocabulary, store
from data import ROOT, WRITERS, build, generate, plain_rows, write_day

DAYS = ("2025-08-01", "2025-08-02", "2025-08-03")


@pytest.fixture(scope="module")
def output(tmp_path_factory) -> Path:
    """Two days of 20,000 and 7,001 slots, ten for each customer, and one without rows between them. Items tell slots apart over all days."""
    output = tmp_path_factory.mktemp("feed") / "out"
    write_day(output, DAYS[0], np.repeat(np.arange(2000), 10))
    write_day(output, DAYS[1], np.arange(0))
    write_day(output, DAYS[2], np.repeat(np.arange(701), 10)[:7001], first_item=1_000_000)
    return output


def items(feed: Feed) -> list[np.ndarray]:
    return [batch.impressions.numpy().copy() for batch in feed]


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return len(a) == len(b) and all(map(np.array_equal, a, b))


def test_batches_have_the_shapes_and_types_that_forward_takes(output):
    feed = Feed(RowsReader(output), batch_size=100)
    for batch in feed:
        n = len(batch.impressions)
        assert 1 <= n <= 100
        assert batch.actions.shape == batch.action_types.shape == (n, 4)
        assert [tensor.dtype for tensor in batch] == [torch.int64] * 3 + [torch.bool]


def test_a_built_output_comes_out_as_plain_reading_has_it(tmp_path):
    generate(tmp_path / "in", "--rankings=200", "--actions=5000", "--customers=40", "--items=300", "--days=3", "--wide-ids")
    build(tmp_path / "in", tmp_path / "out", tmp_path / "in/previous_orders.ndjson")
    reader = RowsReader(tmp_path / "out")
    for day in reader.days():
        plain = plain_rows(tmp_path / "out", day)
        fed = [torch.cat(parts).numpy() for parts in zip(*Feed(reader, days=[day], batch_size=64))]
        rows = np.column_stack([plain["item_id"], plain["is_order"], plain["actions"], plain["action_types"]])
        got = np.column_stack([fed[0], fed[3], fed[1], fed[2]])
        assert np.array_equal(np.unique(rows, axis=0, return_counts=True)[1], np.unique(got, axis=0, return_counts=True)[1])
        assert np.array_equal(np.unique(rows, axis=0), np.unique(got, axis=0))


@pytest.mark.parametrize("length", [1, 3, 4, 9])
def test_a_history_length_cuts_to_the_newest_or_pads(output, length):
    feed = Feed(RowsReader(output), days=[DAYS[0]], history_length=length, batch_size=4096)
    for batch in feed:
        customers = batch.impressions.numpy() // 10
        place = np.arange(length)
        real = place < np.minimum(customers % 5, 4)[:, None]
        assert np.array_equal(batch.actions.numpy(), np.where(real, (customers[:, None] - 1) * 10 + place, 0))
        assert np.array_equal(batch.action_types.numpy(), np.where(real, 1 + place % 3, 0))


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_each_slot_comes_once_an_epoch_in_an_order_that_workers_do_not_change(output, workers):
    feed = Feed(RowsReader(output), seed=3, workers=workers)
    assert len(feed) == 20 + 0 + 7
    got = items(feed)
    assert same(got, items(Feed(RowsReader(output), seed=3)))
    expected = np.concatenate((np.arange(20_000), 1_000_000 + np.arange(7001)))
    assert np.array_equal(np.sort(np.concatenate(got)), expected)
    assert all(batch.max() < 20_000 for batch in got[:20]) and all(batch.min() >= 1_000_000 for batch in got[20:])


def test_each_epoch_and_each_seed_has_an_order_of_its_own(output):
    feed = Feed(RowsReader(output), seed=1)
    first, second = items(feed), items(feed)
    other = items(Feed(RowsReader(output), seed=2))
    orders = [np.concatenate(each) for each in (first, second, other)]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        # Two permutations share one place on average.
        assert np.sum(orders[a] == orders[b]) < 20


@pytest.mark.parametrize("seed", range(5))
def test_pairs_of_a_customer_day_are_as_rare_as_under_a_uniform_permutation(output, seed):
    feed = Feed(RowsReader(output), days=[DAYS[0]], seed=seed, batch_size=1024)
    batches = items(feed)
    pairs = sum(int((np.unique(batch // 10, return_counts=True)[1].astype(int) ** 2).sum() - len(batch)) // 2 for batch in batches)
    chance = 2000 * (10 * 9 / 2) / (20_000 * 19_999 / 2)
    expected = chance * sum(len(batch) * (len(batch) - 1) / 2 for batch in batches)
    # Pairs are rare and nearly independent, so their number spreads as a Poisson one; in the order of the rows there would be 90,000.
    assert abs(pairs - expected) < 5 * expected**0.5


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("taken", [0, 1, 13, 19, 20, 21, 26])
def test_a_resumed_feed_goes_on_as_one_that_was_not_interrupted(output, workers, taken):
    whole = Feed(RowsReader(output), seed=5)
    items(whole)
    expected = items(whole)
    broken = Feed(RowsReader(output), seed=5, workers=workers)
    broken.load_state_dict({**broken.state_dict(), "epoch": 1})
    for number, _ in zip(range(taken), broken) if taken else ():
        if number + 1 == taken:
            state = broken.state_dict()
            break
    resumed = Feed(RowsReader(output), seed=5, workers=workers)
    resumed.load_state_dict(state if taken else broken.state_dict())
    assert resumed.epoch == 1
    assert same(items(resumed), expected[taken:])
    assert resumed.epoch == 2 and resumed.batch == 0


def test_the_state_of_another_feed_is_refused(output):
    state = Feed(RowsReader(output), seed=5).state_dict()
    with pytest.raises(ValueError, match="another feed"):
        Feed(RowsReader(output), seed=6).load_state_dict(state)


def test_a_day_without_rows_gives_no_batches(output):
    assert items(Feed(RowsReader(output), days=[DAYS[1]])) == []


def test_decoded_days_are_used_again_until_the_output_changes(output, tmp_path):
    days = DayStore(RowsReader(output), tmp_path, None, 4)
    days.open(DAYS[2])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")}
    days.open(DAYS[2])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")} == before
    days.length = 3
    days.open(DAYS[2])
    assert len(list(tmp_path.glob("*/*"))) == len(before) + 2
    days.vocabulary = Vocabulary(np.arange(5))
    days.open(DAYS[2])
    assert len(list(tmp_path.glob("*/*"))) == 2 * len(before) + 2


@pytest.mark.parametrize("vocabulary, size", [(None, 8), (Vocabulary(np.arange(10)), 4)])
def test_histories_are_held_once(output, tmp_path, vocabulary, size):
    day = DayStore(RowsReader(output), tmp_path, vocabulary, 4, 0).open(DAYS[0])
    assert isinstance(day, Day) and len(day.offsets) == 2001
    assert day.nbytes == (size + 5) * len(day) + (size + 1) * len(day.actions) + 8 * 2001
    assert len(day.actions) == 4000 + 4
    padded = DayStore(RowsReader(output), tmp_path, vocabulary, 4).open(DAYS[0])
    assert padded.nbytes == (size + 5) * len(day) + (size + 1) * 2000 * 4


@pytest.mark.parametrize("spare, kind", [(0, PaddedDay), (-1, Day)])
def test_histories_are_padded_where_the_bytes_are_enough(output, tmp_path, spare, kind):
    needed = 2000 * 4 * 9
    assert isinstance(DayStore(RowsReader(output), tmp_path, None, 4, needed + spare).open(DAYS[0]), kind)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("vocabulary", [None, Vocabulary(np.arange(0, 5000, 3))])
@pytest.mark.parametrize("length", [0, 1, 3, 4, 9])
def test_batches_are_the_same_padded_or_not(output, length, vocabulary, workers):
    given = {"history_length": length, "vocabulary": vocabulary, "workers": workers, "seed": 2}
    feeds = [Feed(RowsReader(output), padded_bytes=bytes, **given) for bytes in (0, 2**28)]
    pairs = list(zip(*feeds))
    assert len(pairs) == 27 and all(torch.equal(a, b) for pair in pairs for a, b in zip(*pair))


@pytest.mark.parametrize("seed", range(20))
def test_histories_are_cut_and_padded_as_one_by_one(seed, monkeypatch):
    monkeypatch.setattr(store, "PADDED_AT_A_TIME", 4)
    random = np.random.default_rng(seed)
    longest, length = random.integers(0, 9, 2)
    lengths = random.integers(0, longest + 1, random.integers(1, 30))
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    actions, types = (np.concatenate((random.integers(1, 100, offsets[-1]), np.zeros(lengths.max(), int))) for _ in range(2))
    history = random.integers(0, len(lengths), 50).astype(np.int32)
    day = Day(np.arange(50), np.zeros(50, bool), history, actions.astype(np.int32), types.astype(np.int8), offsets)
    slots = random.permutation(50)[: random.integers(0, 51)]
    expected = np.zeros((2, len(slots), length), np.int64)
    for row, which in enumerate(history[slots]):
        for place in range(min(length, lengths[which])):
            expected[:, row, place] = actions[offsets[which] + place], types[offsets[which] + place]
    padded = PaddedDay(day.items, day.is_order, history, *map(np.concatenate, zip(*day.padded(length))))
    for form in (day, padded):
        assert np.array_equal(np.stack(form.histories(slots, length, Buffers())), expected)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("kept", ["batch", "slice", "array", "nothing"])
@pytest.mark.parametrize("padded_bytes", [0, 2**28])
def test_what_is_kept_of_a_batch_does_not_change(output, padded_bytes, kept, workers):
    """Memory is used again, but not while anybody holds a part of it."""
    keep = {"batch": lambda batch: batch.actions, "slice": lambda batch: batch.actions[5:9], "array": lambda batch: batch.actions.numpy()[::3]}
    pairs, places = [], []
    for number, batch in enumerate(Feed(RowsReader(output), batch_size=500, padded_bytes=padded_bytes, workers=workers)):
        places.append(batch.actions.data_ptr())
        if kept != "nothing" and number % 3:
            part = keep[kept](batch)
            pairs.append((part, part.clone() if kept != "array" else part.copy()))
        del batch
    assert all(np.array_equal(part, then) for part, then in pairs)
    if kept == "nothing" and not workers:
        assert len(set(places)) <= 6


MEASURE = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from backstory_data import Feed, Vocabulary, reader_of
feed = Feed(reader_of(sys.argv[2]), vocabulary=Vocabulary(np.arange(9)), batch_size=1024, padded_bytes=int(sys.argv[4]))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
for _ in Feed(reader_of(sys.argv[3]), vocabulary=Vocabulary(np.arange(9)), batch_size=1024): pass
before = peak()
for _ in feed: pass
print(peak() - before)
"""
SLOTS, LENGTH = 300_000, 100


@pytest.fixture(scope="module")
def big(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("big")
    for layout, write in WRITERS.items():
        write(folder / layout, DAYS[0], SLOTS, LENGTH)
    return folder


@pytest.mark.parametrize("padded_bytes", [0, 2**28])
@pytest.mark.parametrize("layout", WRITERS)
def test_memory_is_within_the_bound(big, output, layout, padded_bytes):
    given = [ROOT / "examples/pytorch", big / layout, output, padded_bytes]
    grown = int(subprocess.run([sys.executable, "-c", MEASURE, *map(str, given)], check=True, capture_output=True, text=True, timeout=200).stdout)
    actions = int((np.arange(SLOTS // 10) % (LENGTH + 1)).sum())
    histories = 5 * LENGTH * SLOTS // 10 if padded_bytes else 5 * (actions + LENGTH) + 8 * SLOTS // 10
    bound = 9 * SLOTS + histories + 4 * SLOTS
    # A piece of rows and one of slots, and a batch, each with what is made on the way; rows as they are take 360 MB.
    fixed = 2048 * LENGTH * 12 * 4 + 65_536 * 21 * 4 + 1024 * LENGTH * 16 * 4 + 32 * 2**20
    assert grown < bound + fixed < SLOTS * LENGTH * 12 / 4
