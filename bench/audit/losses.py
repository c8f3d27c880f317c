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
from bench.audit.finding import Finding, listed
from bench.formats import number, significant
from bench.reference.loader import dataset_title

TOLERANCE: Final = 0.99
"""A mean of batch means weighs a short last batch like a full one, which shifts it a little."""
GUESSES: Final = 2.0
"""A run's median loss is at most so many times that of guessing, the logarithm of the classes."""

Split = Literal["train", "test"]
Unit = Literal["mean per image", "sum of batch means", "sum of batch means, over the images"]


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

    def factors(self) -> dict[Unit, float]:
        """What turns a number of each unit into the mean per image, the likeliest unit first."""
        return {
            "mean per image": 1,
            "sum of batch means": 1 / self.batches,
            "sum of batch means, over the images": self.images / self.batches,
        }

    def unit(self) -> Unit | None:
        """The first unit that every epoch allows; None: none does."""
        return next((unit for unit, factor in self.factors().items() if self.allows(factor)), None)

    def mean(self) -> float | None:
        """The last value as a mean per image; None: the unit is not known."""
        unit = self.unit()
        return None if unit is None else self.factors()[unit] * self.values[-1]

    def allows(self, factor: float) -> bool:
        """Whether the values times ``factor`` can be mean cross-entropies per image."""
        finite = np.isfinite(self.values)
        means = factor * np.array(self.values)[finite]
        wrong = 1 - np.array(self.accuracies)[finite] / 100
        if not means.size:
            return False
        high_enough = (means >= TOLERANCE * log(2) * wrong).all()
        return bool(high_enough and np.median(means) <= GUESSES * log(self.classes))


def losses(run: RunLog, split: Split) -> Losses:
    """The losses of ``run`` with what is needed to find their unit."""
    if split == "train":
        images, batch_size = run.train_images, run.train_batch_size
        values, accuracies = run.train_loss, run.train_accuracy
    else:
        images, batch_size = run.test_images, run.test_batch_size
        values, accuracies = run.test_loss, run.test_accuracy
    return Losses(values, accuracies, images, ceil(images / batch_size), run.classes)


def loss_units(logs: Sequence[RunLog]) -> Iterator[Finding]:
    """Losses that are no means per image, so that train, test and batch sizes do not compare."""
    by_units: dict[tuple[Unit | None, Unit | None], list[RunLog]] = defaultdict(list)
    for run in logs:
        by_units[losses(run, "train").unit(), losses(run, "test").unit()].append(run)
    for units, runs in by_units.items():
        if units == ("mean per image", "mean per image"):
            continue
        batch_sizes = sorted({size for run in runs for size in _batch_sizes(run)})
        yield Finding(
            check="loss-units",
            title="Losses in different units" if len(set(units)) > 1 else "Losses are no means",
            severity="comparison",
            runs=tuple(runs),
            evidence=f"By their size and the accuracies beside them, train losses are "
            f"{_named(units[0])}, test losses {_named(units[1])}. {_example(runs[0])}",
            consequence="As written, train losses cannot be set beside test losses, nor either "
            f"beside those of another batch size (here {listed(map(str, batch_sizes))}). As means "
            "per image they can, but for a short last batch, which counts like a full one.",
            numbers={run.name: _numbers(run) for run in runs},
        )


def _example(run: RunLog) -> str:
    """One run's last losses as written and converted, and why they cannot be means as written."""
    train, test = losses(run, "train"), losses(run, "test")
    texts = [
        f"{name} {significant(split.values[-1])}"
        + ("" if split.mean() is None else f" (a mean of {number(split.mean(), 3)} per image)")
        for name, split in (("train", train), ("test", test))
    ]
    sentence = f"{run.title} on {dataset_title(run.dataset)}, recipe {run.recipe}, ends at "
    sentence += f"{listed(texts)}."
    least = log(2) * (1 - test.accuracies[-1] / 100)
    if test.values[-1] < least:
        sentence += (
            f" {significant(test.values[-1])} is no mean: wrong answers cost at least ln 2 each, "
            f"{number(least, 3)} per image at a test accuracy of {number(test.accuracies[-1])} %."
        )
    return sentence


def _numbers(run: RunLog) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in ("train", "test"):
        split = losses(run, name)
        found[f"last {name} loss as written"] = split.values[-1]
        mean = split.mean()
        if mean is not None:
            found[f"last {name} loss, mean per image"] = mean
    return found


def _named(unit: Unit | None) -> str:
    if unit is None:
        return "of no known unit"
    return {
        "mean per image": "means per image",
        "sum of batch means": "sums of batch means",
        "sum of batch means, over the images": "sums of batch means over the number of images",
    }[unit]


def _batch_sizes(run: RunLog) -> tuple[int, int]:
    return run.train_batch_size, run.test_batch_size
