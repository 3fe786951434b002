"""Laws of the vocabulary."""

from __future__ import annotations

import numpy as np
import pytest
from backstory_data import PADDING, RowsReader, Vocabulary
from data import write_day

EXTREMES = np.array([-(2**63), -1, 0, 1, 2**53, 2**53 + 1, 2**63 - 1])


def test_known_items_have_rows_of_their_own_and_unknown_ones_share_some():
    vocabulary = Vocabulary(EXTREMES, unknown_rows=4)
    rows = vocabulary.index(EXTREMES)
    assert len(set(rows)) == len(EXTREMES) and rows.min() == 5 and rows.max() == len(vocabulary) - 1
    unknown = vocabulary.index(np.arange(100, 1000))
    assert set(unknown) == {1, 2, 3, 4}
    assert PADDING not in rows and PADDING not in unknown


def test_without_items_all_are_unknown():
    assert set(Vocabulary(np.empty(0), 1).index(EXTREMES)) == {1}


def test_what_is_saved_comes_back():
    vocabulary = Vocabulary(EXTREMES, 3)
    again = Vocabulary.from_state_dict(vocabulary.state_dict())
    probe = np.concatenate((EXTREMES, np.arange(50)))
    assert np.array_equal(again.index(probe), vocabulary.index(probe)) and again.digest() == vocabulary.digest()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("spread", [1, 3, 5, 2**40])
def test_each_item_has_the_row_that_its_place_among_the_known_ones_tells(seed, spread):
    """However near the ids lie: a table and a search give the same."""
    random = np.random.default_rng(seed)
    known = np.unique(random.integers(0, spread, 40) + np.arange(40) * spread) + random.choice([-(2**63), -20, 0, 2**62])
    vocabulary = Vocabulary(random.permutation(known), unknown_rows=3)
    probe = np.concatenate((known, known + 1, known[:1] - 1, EXTREMES))
    place = {item: 4 + i for i, item in enumerate(known.tolist())}
    rows = vocabulary.index(probe).tolist()
    for item, row in zip(probe.tolist(), rows):
        assert row == place[item] if item in place else 1 <= row <= 3


@pytest.mark.parametrize("least", [1, 2, 5])
def test_it_has_the_items_seen_often_enough_on_its_days(tmp_path, least):
    customers = np.repeat(np.arange(30), 3)
    write_day(tmp_path, "2025-08-01", customers)
    write_day(tmp_path, "2025-08-02", customers, first_item=500)
    counts: dict[int, int] = {}
    for slot in range(90):
        counts[slot] = counts.get(slot, 0) + 1
    for customer in range(30):
        for place in range(customer % 5):
            item = (customer - 1) * 10 + place
            counts[item] = counts.get(item, 0) + 1
    vocabulary = Vocabulary.build(RowsReader(tmp_path), ["2025-08-01"], min_count=least)
    assert vocabulary.items.tolist() == sorted(item for item, count in counts.items() if count >= least)
