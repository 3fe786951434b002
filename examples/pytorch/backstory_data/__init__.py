"""Batches for PyTorch from an output of `backstory build`."""

from .buffers import Buffers
from .feed import Batch, Feed, SlotDataset
from .readers import Histories, HistoriesReader, RankingsReader, Reader, RowsReader, reader_of
from .store import Day, DayStore, PaddedDay
from .vocabulary import PADDING, Vocabulary

__all__ = [
    "PADDING",
    "Batch",
    "Buffers",
    "Day",
    "DayStore",
    "Feed",
    "Histories",
    "HistoriesReader",
    "PaddedDay",
    "RankingsReader",
    "Reader",
    "RowsReader",
    "SlotDataset",
    "Vocabulary",
    "reader_of",
]
