"""The columns of a table at the last epoch in which all of them still move. No torch here."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Final

import numpy as np

from bench.analysis.freezing import moving_epochs
from bench.analysis.logs import RunLog, tables
from bench.audit.finding import between
from bench.formats import number

AVERAGED: Final = 5
"""Epochs whose test accuracies are averaged: from one to the next they wander by points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One run of a table; accuracies in percent.

    Attributes:
        moving_epochs: in which weights moved.
        reported: test accuracy after the last epoch, which tables quote.
        train_accuracy: at the common epoch.
        test_accuracy: mean of the AVERAGED epochs up to it.
        gain: train accuracy that came after it, in points.
    """

    log: RunLog
    moving_epochs: int
    reported: float
    train_accuracy: float
    test_accuracy: float
    gain: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Runs of one data set and recipe, by depth, after equally many epochs.

    Attributes:
        epoch: the last one in which all columns move, counted from 1.
        fair: the reported numbers are of equally many epochs, and all columns moved to the end.
    """

    dataset: str
    recipe: str
    epoch: int
    fair: bool
    columns: tuple[Column, ...]

    @property
    def reported_worse(self) -> tuple[int, int]:
        """Pairs of depths whose deeper one has the lower reported test accuracy, of all."""
        return self._worse([column.reported for column in self.columns])

    @property
    def equal_worse(self) -> tuple[int, int]:
        """The same of train accuracy at the common epoch."""
        return self._worse([column.train_accuracy for column in self.columns])

    def _worse(self, values: Sequence[float]) -> tuple[int, int]:
        columns = zip((column.log.depth for column in self.columns), values, strict=True)
        pairs = [
            deeper < shallower
            for (depth, shallower), (other, deeper) in combinations(columns, 2)
            if depth < other
        ]
        return sum(pairs), len(pairs)


def rankings(logs: Sequence[RunLog]) -> tuple[Ranking, ...]:
    return tuple(
        _ranking(columns)
        for columns in tables(logs).values()
        if any(first.depth != second.depth for first, second in pairwise(columns))
    )


def _ranking(logs: Sequence[RunLog]) -> Ranking:
    epoch = min(moving_epochs(log) for log in logs)
    return Ranking(
        dataset=logs[0].dataset,
        recipe=logs[0].recipe,
        epoch=epoch,
        fair=all(log.epochs == epoch for log in logs),
        columns=tuple(_column(log, epoch) for log in logs),
    )


def _column(log: RunLog, epoch: int) -> Column:
    train_accuracy = log.train_accuracy[epoch - 1]
    return Column(
        log=log,
        moving_epochs=moving_epochs(log),
        reported=log.test_accuracy[-1],
        train_accuracy=train_accuracy,
        test_accuracy=float(np.mean(log.test_accuracy[max(0, epoch - AVERAGED) : epoch])),
        gain=log.train_accuracy[-1] - train_accuracy,
    )


def in_words(ranking: Ranking) -> str:
    """What is left of the order of depths at the common epoch, where a column stopped moving."""
    values = ", ".join(
        f"{column.log.title} {number(column.train_accuracy, 1)}" for column in ranking.columns
    )
    (worse, pairs), (worse_reported, _) = ranking.equal_worse, ranking.reported_worse
    gains = ", ".join(
        f"{column.log.title} {number(column.gain, 1, signed=True)}" for column in ranking.columns
    )
    # Train accuracy is counted while weights move, half an epoch behind the network on average.
    return (
        f"After epoch {ranking.epoch}, the last in which every column moves, train accuracies are "
        f"{values} %. The deeper network is behind in {worse} of {pairs} pairs there, and in "
        f"{worse_reported} of {pairs} by the reported test accuracies. Train accuracy gained "
        f"since, in points: {gains}. Once frozen, a column gains what its running count lagged "
        "behind, no more."
    )


def fair_in_words(all_of_them: Sequence[Ranking], dataset: str) -> str:
    """What the fair comparisons on a data set show; empty where there is none."""
    return "".join(
        f" Where all columns moved through all of equally many epochs (recipe {ranking.recipe}, "
        f"{ranking.epoch} epochs), train accuracies lie at "
        f"{between((column.train_accuracy for column in ranking.columns), 1)} %, and the deeper "
        f"network is behind in {ranking.equal_worse[0]} of {ranking.equal_worse[1]} pairs."
        for ranking in all_of_them
        if ranking.fair and ranking.dataset == dataset
    )
