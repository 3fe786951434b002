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
