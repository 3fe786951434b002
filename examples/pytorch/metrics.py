"""How good scores are."""

from __future__ import annotations

import numpy as np


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Chance that an ordered slot has a higher score than another one, ties counting half (Mann-Whitney). 0.5 knows nothing.

    @raises ValueError if only one kind of label is there
    """
    labels = np.asarray(labels, bool)
    ordered, others = int(labels.sum()), int((~labels).sum())
    if ordered == 0 or others == 0:
        raise ValueError(f"AUC wants ordered and other slots; got {ordered} and {others}. Evaluate on more days.")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    rank = np.cumsum(counts) - (counts - 1) / 2
    return float((rank[place][labels].sum() - ordered * (ordered + 1) / 2) / (ordered * others))


def log_loss(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean negative log-likelihood, in nats."""
    logits = np.asarray(logits, np.float64)
    return float(np.mean(np.logaddexp(0, logits) - logits * np.asarray(labels, bool)))
