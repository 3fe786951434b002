"""Laws of the model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from metrics import auc, log_loss
from model import Config, SlotModel


@pytest.fixture
def model() -> SlotModel:
    torch.manual_seed(1)
    return SlotModel(Config(items=50, history_length=6)).eval()


def some(slots: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Slots whose histories have 0 to 6 real actions."""
    numbers = torch.Generator().manual_seed(seed)
    draw = lambda high, *shape: torch.randint(0, high, shape, generator=numbers)
    real = torch.arange(6) < draw(7, slots, 1)
    return draw(50, slots), draw(50, slots, 6) * real, (1 + draw(3, slots, 6)) * real


def test_padding_is_told_by_types_never_by_items(model):
    impressions, actions, types = some(40)
    scores = model(impressions, actions, types)
    assert torch.allclose(scores, model(impressions, torch.where(types == 0, 7, actions), types), atol=1e-5)
    first = types[:, 0] != 0
    other = torch.where((types != 0) & (torch.arange(6) == 0), (actions + 1) % 50, actions)
    assert (scores - model(impressions, other, types)).abs()[first].min() > 0


def test_histories_without_actions_have_scores_and_gradients(model):
    impressions, actions, types = some(8)
    empty = torch.zeros_like(types)
    for negatives in (False, True):
        model.loss(impressions, torch.zeros_like(actions), empty, torch.ones(8, dtype=torch.bool), negatives).backward()
    assert torch.isfinite(model(impressions, actions, empty)).all()
    assert all(torch.isfinite(part.grad).all() for part in model.parameters() if part.grad is not None)


def test_a_slot_is_scored_alone_as_in_a_batch(model):
    batch = some(9)
    alone = torch.cat([model(*(part[at : at + 1] for part in batch)) for at in range(9)])
    assert torch.allclose(model(*batch), alone, atol=1e-5)


def test_negatives_add_to_the_loss(model):
    batch, label = some(16), torch.arange(16) < 3
    assert model.loss(*batch, label, True) > model.loss(*batch, label)


def test_auc_counts_pairs():
    numbers = np.random.default_rng(4)
    scores, labels = numbers.integers(0, 5, 60), numbers.random(60) < 0.3
    pairs = [(a > b) + (a == b) / 2 for a in scores[labels] for b in scores[~labels]]
    assert auc(scores, labels) == pytest.approx(np.mean(pairs))
    with pytest.raises(ValueError, match="ordered and other"):
        auc(scores, np.zeros(60))


def test_log_loss_is_that_of_pytorch():
    logits, labels = torch.linspace(-9, 9, 40), torch.arange(40) % 3 == 0
    assert log_loss(logits.numpy(), labels.numpy()) == pytest.approx(float(torch.nn.functional.binary_cross_entropy_with_logits(logits, labels.float())), rel=1e-4)
