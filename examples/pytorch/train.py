#!/usr/bin/env python3
"""Trains the model on an output of `backstory build`, and tests it on the newest day.

    python examples/pytorch/train.py .cache/training
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from backstory_data import Feed, Reader, Vocabulary, reader_of
from metrics import auc, log_loss
from model import Config, SlotModel


@dataclass(frozen=True)
class Result:
    """On the day that was held out. base_loss: that of the share of orders in training, said of each slot. AUC of that: 0.5."""

    day: str
    slots: int
    orders: int
    auc: float
    loss: float
    base_loss: float


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("output", help="output of backstory build")
    parser.add_argument("--epochs", type=int, default=2, help="passes over all days but the newest (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=512, help="slots in a batch (%(default)s)")
    parser.add_argument("--history-length", type=int, default=20, help="newest actions that the model sees (%(default)s)")
    parser.add_argument("--learning-rate", type=float, default=3e-3, help="of AdamW, at its highest (%(default)s)")
    parser.add_argument("--negatives", action="store_true", help="items of other slots of the batch as negatives")
    parser.add_argument("--workers", type=int, default=0, help="processes that make batches (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU for the model (%(default)s: more only wait for each other in so small a one)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and order (%(default)s)")
    parser.add_argument("--checkpoint", type=Path, help="file for model, vocabulary and place in the feed; read if it is there")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser.parse_args()


def train(given: argparse.Namespace) -> Result:
    reader = reader_of(given.output)
    *days, newest = [day for day in reader.days() if reader.slots(day)] or [""]
    if not days:
        raise SystemExit(f"Training wants two days with rows or more; {given.output} has {int(bool(newest))}. Build more days.")
    torch.manual_seed(given.seed)
    torch.set_num_threads(given.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    saved = torch.load(given.checkpoint, map_location=device) if given.checkpoint and given.checkpoint.exists() else None
    vocabulary = Vocabulary.from_state_dict(saved["vocabulary"]) if saved else Vocabulary.build(reader, days, min_count=2)
    feed = feed_of(reader, days, vocabulary, given)
    model = SlotModel(Config(len(vocabulary), given.history_length)).to(device)
    optimiser = torch.optim.AdamW(model.parameters(), given.learning_rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, given.learning_rate, total_steps=max(1, given.epochs * len(feed)) + 1)
    parts = {"model": model, "optimiser": optimiser, "schedule": schedule, "feed": feed}
    for name, part in parts.items() if saved else ():
        part.load_state_dict(saved[name])
    while feed.epoch < given.epochs:
        loss = one_epoch(model, feed, optimiser, schedule, device, given)
        if not given.json:
            print(f"epoch {feed.epoch}: loss {loss:.4f}")
        if given.checkpoint:
            torch.save({"vocabulary": vocabulary.state_dict(), **{name: part.state_dict() for name, part in parts.items()}}, given.checkpoint)
    return evaluate(model, feed_of(reader, [newest], vocabulary, given), share_of_orders(reader, days), device)


def feed_of(reader: Reader, days: list[str], vocabulary: Vocabulary, given: argparse.Namespace) -> Feed:
    return Feed(
        reader,
        days=days,
        vocabulary=vocabulary,
        batch_size=given.batch_size,
        history_length=given.history_length,
        seed=given.seed,
        workers=given.workers,
    )


def one_epoch(model, feed: Feed, optimiser, schedule, device: torch.device, given: argparse.Namespace) -> float:
    """@returns mean loss of the batches"""
    model.train()
    losses = []
    for batch in feed:
        impressions, actions, action_types, is_order = batch.to(device)
        loss = model.loss(impressions, actions, action_types, is_order, given.negatives)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.detach())
    return float(torch.stack(losses).mean())


def share_of_orders(reader: Reader, days: list[str]) -> float:
    counts = [(int(piece.is_order.sum()), len(piece.is_order)) for day in days for piece in reader.read(day)]
    orders, slots = np.sum(counts, axis=0)
    return float((orders + 1) / (slots + 2))


@torch.no_grad()
def evaluate(model: SlotModel, feed: Feed, base: float, device: torch.device) -> Result:
    model.eval()
    scored = [(model(*batch.to(device)[:3]).cpu(), batch.is_order) for batch in feed]
    logits, labels = (torch.cat(parts).numpy() for parts in zip(*scored))
    always = np.full(len(labels), np.log(base / (1 - base)))
    return Result(
        day=feed.dataset.days[0],
        slots=len(labels),
        orders=int(labels.sum()),
        auc=auc(logits, labels),
        loss=log_loss(logits, labels),
        base_loss=log_loss(always, labels),
    )


def main() -> None:
    given = options()
    began = time.monotonic()
    result = train(given)
    if given.json:
        print(json.dumps(asdict(result)))
        return
    print(f"{result.day}, held out: {result.orders} of {result.slots} slots ordered")
    print(f"AUC {result.auc:.3f} (0.5: knows nothing), loss {result.loss:.4f} (share of orders: {result.base_loss:.4f})")
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
