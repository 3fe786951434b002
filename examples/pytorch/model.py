"""A small transformer: does this customer, after this history, order the item in this slot?"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Type codes are 0 (padding) to 127.
TYPES = 128


@dataclass(frozen=True)
class Config:
    """items: rows of the embedding table, len(vocabulary); history_length: K of the batches"""

    items: int
    history_length: int
    width: int = 16
    heads: int = 2
    layers: int = 1
    dropout: float = 0.1

    def to_dict(self) -> dict:
        return asdict(self)


class HistoryEncoder(nn.Module):
    """[N, K] items and types to [N, K + 1, width] and the mask [N, K + 1], true where there is nothing.

    The first of the K + 1 stands for "no action" and is always there: a history without actions still has something to attend to.
    """

    def __init__(self, config: Config, items: nn.Embedding) -> None:
        super().__init__()
        self.items = items
        self.types = nn.Embedding(TYPES, config.width)
        self.positions = nn.Embedding(config.history_length, config.width)
        self.nothing = nn.Parameter(torch.zeros(config.width))
        for table in (self.types, self.positions):
            nn.init.normal_(table.weight, std=0.02)
        layer = nn.TransformerEncoderLayer(
            config.width, config.heads, 4 * config.width, config.dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)

    def forward(self, actions: Tensor, action_types: Tensor) -> tuple[Tensor, Tensor]:
        positions = torch.arange(actions.shape[1], device=actions.device)
        real = self.items(actions) + self.types(action_types) + self.positions(positions)
        sequence = torch.cat((self.nothing.expand(len(actions), 1, -1), real), dim=1)
        mask = F.pad(action_types == 0, (1, 0), value=False)
        return self.layers(sequence, src_key_padding_mask=mask), mask


class AttentionPool(nn.Module):
    """What of the history concerns an item: [N, width] queries over [N, L, width] to [N, width]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(width**-0.5))

    def forward(self, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        scores = torch.einsum("nd,nld->nl", query, keys) * self.scale
        weights = scores.masked_fill(mask, float("-inf")).softmax(dim=1)
        return torch.einsum("nl,nld->nd", weights, values)


class SlotModel(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        width = config.width
        # One table for slots and histories: an item that is in the history is near to itself, also where it was never ordered.
        self.items = nn.Embedding(config.items, width)
        nn.init.normal_(self.items.weight)
        self.history = HistoryEncoder(config, self.items)
        self.pool = AttentionPool(width)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Sequential(nn.Linear(3 * width + 1, width), nn.GELU(), nn.Dropout(config.dropout), nn.Linear(width, 1))

    def forward(self, impressions: Tensor, actions: Tensor, action_types: Tensor) -> Tensor:
        """impressions [N], actions [N, K], action_types [N, K], all int64. @returns [N] log-odds of an order"""
        encoded, mask = self.history(actions, action_types)
        return self.score(impressions, self.keys(actions), encoded, mask)

    def keys(self, actions: Tensor) -> Tensor:
        """[N, K + 1, width]: what an item in a slot is compared with; "no action" is compared as nothing."""
        return F.pad(self.items(actions), (0, 0, 1, 0))

    def score(self, impressions: Tensor, keys: Tensor, encoded: Tensor, mask: Tensor) -> Tensor:
        item = self.items(impressions)
        pooled = self.norm(self.pool(item, keys, encoded, mask))
        same = self.pool(item, keys, keys, mask)
        alike = (item * same).sum(dim=1, keepdim=True) * self.config.width**-0.5
        return self.head(torch.cat((item, pooled, item * same, alike), dim=1)).squeeze(1)

    def loss(self, impressions: Tensor, actions: Tensor, action_types: Tensor, is_order: Tensor, negatives: bool = False) -> Tensor:
        """BCE on is_order. With `negatives` also, after the histories that led to an order, another slot's item as one that was not ordered.

        That is right for batches that are drawn over the whole day; neighbours would be slots of the same customer.
        """
        encoded, mask = self.history(actions, action_types)
        keys = self.keys(actions)
        label = is_order.to(encoded.dtype)
        loss = F.binary_cross_entropy_with_logits(self.score(impressions, keys, encoded, mask), label)
        if not negatives or len(impressions) < 2:
            return loss
        others = impressions.roll(1)
        counts = (others != impressions).to(encoded.dtype) * label
        wrong = F.softplus(self.score(others, keys, encoded, mask))
        return loss + (wrong * counts).mean()
