"""In which unit a log has its losses, from the numbers alone. No torch here.

An image that is wrong gets at most half of the probability, so that it costs ln 2 or more. A mean
cross-entropy is therefore at least ln 2 times the share of wrong answers, which a sum of another
kind, taken for a mean, is usually far from.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log
from typing import Final, Literal

import numpy as np

from bench.analysis.logs import RunLog, Series
from bench.audit.finding import Finding
from bench.formats import listed, number, significant
from bench.reference.loader import dataset_title

TOLERANCE: Final = 0.99
"""A mean of batch means weighs a short last batch like a full one, which shifts it a little."""
GUESSES: Final = 2.0
"""A run's median loss is at most so many times that of guessing, the logarithm of the classes."""

Split = Literal["train", "test"]
Unit = Literal["means per image", "sums of batch means",
               "sums of batch means over the number of images"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Losses:
    """One split of one log.

    Attributes:
        accuracies: percent, one per epoch.
    """

    values: Series
    accuracies: Series
    images: int
    batches: int
    classes: int

    @property
    def unit(self) -> Unit:
        return self._unit_and_factor()[0]

    @property
    def mean(self) -> float:
        return self._unit_and_factor()[1] * self.values[-1]

    def _unit_and_factor(self) -> tuple[Unit, float]:
        factors: dict[Unit, float] = {
            "means per image": 1,
            "sums of batch means": 1 / self.batches,
            "sums of batch means over the number of images": self.images / self.batches,
        }
        for unit, factor in factors.items():
            if self._allows(factor):
                return unit, factor
        raise ValueError(f"losses like {self.values[-1]:g} have no known unit")

    def _allows(self, factor: float) -> bool:
        """Whether the values times ``factor`` can be mean cross-entropies per image."""
        means = factor * np.array(self.values)
        wrong = 1 - np.array(self.accuracies) / 100
        high_enough = (means >= TOLERANCE * log(2) * wrong).all()
        return bool(high_enough and np.median(means) <= GUESSES * log(self.classes))


def losses(run: RunLog, split: Split) -> Losses:
    if split == "train":
        values, accuracies = run.train_loss, run.train_accuracy
        images, batch_size = run.train_images, run.train_batch_size
    else:
        values, accuracies = run.test_loss, run.test_accuracy
        images, batch_size = run.test_images, run.test_batch_size
    return Losses(values, accuracies, images, ceil(images / batch_size), run.data.classes)


def loss_units(logs: Sequence[RunLog]) -> Iterator[Finding]:
    """Losses that are no means per image, so that train, test and batch sizes do not compare."""
    by_units: dict[tuple[Unit, Unit], list[RunLog]] = defaultdict(list)
    for run in logs:
        by_units[losses(run, "train").unit, losses(run, "test").unit].append(run)
    for (train, test), runs in by_units.items():
        if train == test == "means per image":
            continue
        batch_sizes = {size for run in runs for size in (run.train_batch_size, run.test_batch_size)}
        yield Finding(
            check="loss-units",
            title="Losses in different units",
            severity="comparison",
            runs=tuple(runs),
            evidence=f"By their size and the accuracies beside them, train losses are {train}, "
            f"test losses {test}. {_example(runs[0])}",
            consequence="As written, train losses cannot be set beside test losses, nor either "
            f"beside those of another batch size (here {listed(map(str, sorted(batch_sizes)))}). "
            "As means per image they can, but for a short last batch, which counts like a full "
            "one.",
            numbers={run.name: _numbers(run) for run in runs},
        )


def _example(run: RunLog) -> str:
    train, test = losses(run, "train"), losses(run, "test")
    written = [
        f"{name} {significant(split.values[-1])} (a mean of {number(split.mean, 3)} per image)"
        for name, split in (("train", train), ("test", test))
    ]
    least = log(2) * (1 - test.accuracies[-1] / 100)
    return (
        f"{run.title} on {dataset_title(run.dataset)}, recipe {run.recipe}, ends at "
        f"{listed(written)}. {significant(test.values[-1])} is no mean: wrong answers cost at "
        f"least ln 2 each, {number(least, 3)} per image at a test accuracy of "
        f"{number(test.accuracies[-1])} %."
    )


def _numbers(run: RunLog) -> dict[str, float]:
    train, test = losses(run, "train"), losses(run, "test")
    return {
        "last train loss as written": train.values[-1],
        "last train loss, mean per image": train.mean,
        "last test loss as written": test.values[-1],
        "last test loss, mean per image": test.mean,
    }
