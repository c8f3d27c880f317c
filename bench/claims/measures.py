"""What claims about seeds are about: figures of records. No torch here.

Thousands of records do not fit into memory with all their epochs, but the figures of claims do.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

from scipy import special

from bench.analysis.freezing import can_freeze_be_seen, find_freeze
from bench.analysis.logs import Curves
from bench.config.recipe import StepSchedule
from bench.records.schema import Moment, Record

CLASSES: Final = 10
"""Of CIFAR-10 and of MNIST."""

LUCK: Final = 0.001
"""How often a guesser may pass for a network that has begun to learn, in one epoch."""

EARLY: Final = 0.1
"""The share of a training that is its start: the paper lowers its rate first after a half."""


_DIVERGED: Final = 1e100
"""Where squares and sums of a signal would soon be infinite; it says nothing from there on."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of one run; ``images`` it was counted on, None where it is no share of them."""

    value: float
    images: int | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that claims are about.

    Attributes:
        words: what it is called in a sentence.
        unit: to stand after a number.
        step: the smallest difference that means anything, where it is no share of images.
        of: takes it from a completed record; None where the record has none.
    """

    words: str
    unit: str
    difference_unit: str
    digits: int
    step: float
    of: Callable[[Record], Figure | None]


@dataclass(frozen=True, slots=True)
class Observed:
    """A record without its series, and what verdicts need of these.

    Attributes:
        steps: of training that were done.
        figures: by measure; empty for a failed record.
    """

    record: Record
    steps: int
    figures: Mapping[str, Figure]

    @property
    def completed(self) -> bool:
        return self.record.status == "completed"


def observe(record: Record) -> Observed:
    figures = {}
    if record.final is not None:
        taken = {name: measure.of(record) for name, measure in MEASURES.items()}
        figures = {name: figure for name, figure in taken.items() if figure is not None}
    small = record.model_copy(update={"epochs": (), "signals": (), "speed": None})
    return Observed(small, sum(epoch.steps for epoch in record.epochs), figures)


def _test_accuracy(record: Record) -> Figure:
    final = record.epochs[-1]
    return Figure(100 * final.test_accuracy, final.test_images)


def _test_error(record: Record) -> Figure:
    final = record.epochs[-1]
    return Figure(100 * (1 - final.test_accuracy), final.test_images)


def _train_error(record: Record) -> Figure:
    final = record.epochs[-1]
    return Figure(100 * (1 - final.train_accuracy), final.train_images)


def _clean_train_error(record: Record) -> Figure | None:
    clean = record.clean_training
    return None if clean is None else Figure(100 * (1 - clean.accuracy), clean.images)


def _warmup_steps(record: Record) -> Figure | None:
    """All steps where it has not ended: leaving such a run out would favour the short ones."""
    if not getattr(record.recipe.schedule, "warmup", None):
        return None
    return Figure(record.course.warmup_steps or sum(epoch.steps for epoch in record.epochs))


def _mean_train_error(share: float) -> Callable[[Record], Figure]:
    """Mean of the running training errors of the epochs in the first ``share`` of a training."""

    def of(record: Record) -> Figure:
        epochs = record.epochs[: max(1, round(share * len(record.epochs)))]
        images = sum(epoch.train_images for epoch in epochs)
        return Figure(100 * (1 - sum(epoch.train_correct for epoch in epochs) / images))

    return of


def _epochs_to_learn(record: Record) -> Figure:
    """The first epoch whose images were told apart better than by luck; one after all if none.

    An error just below 90 % proves nothing: every other epoch of a guesser has one. So many right
    answers must be there that a guesser has them, or more, in less than ``LUCK`` of all epochs
    (exact binomial tail; 10.42 % of 50,000 images).
    """
    for epoch in record.epochs:
        by_luck = special.bdtrc(epoch.train_correct - 1, epoch.train_images, 1 / CLASSES)
        if by_luck < LUCK:
            return Figure(epoch.epoch)
    return Figure(len(record.epochs) + 1)


def _freeze_miss(record: Record) -> Figure | None:
    """Epochs between where the audit sees weights freeze and where they did.

    Seen where there is nothing, or not seen where there is: all epochs of the run.
    """
    frozen, schedule = record.recipe.freeze_weights_after_epoch, record.recipe.schedule
    if not (isinstance(schedule, StepSchedule) and schedule.unit == "epoch"):
        return None  # not the 2022 project's recipe
    epochs = record.epochs
    log = Curves(
        train_images=min(epoch.train_images for epoch in epochs),
        test_images=min(epoch.test_images for epoch in epochs),
        milestones=schedule.milestones,
        train_accuracy=tuple(100 * epoch.train_accuracy for epoch in epochs),
        test_accuracy=tuple(100 * epoch.test_accuracy for epoch in epochs),
        train_loss=tuple(epoch.train_loss for epoch in epochs),
    )
    if not can_freeze_be_seen(log):
        return None
    found = find_freeze(log)
    if (found is None) != (frozen is None):
        return Figure(len(record.epochs))
    return Figure(abs(found.after_epoch - frozen) if found and frozen else 0)


def _response(record: Record) -> Figure | None:
    """Mean over the layers of the standard deviation of their responses, after training."""
    values = _signal(record, "final", "response_std")
    return Figure(fmean(values)) if values else None


def _weakest_response(moment: Moment) -> Callable[[Record], Figure | None]:
    """The smallest standard deviation of the responses of any layer: 0 where no signal passes."""

    def of(record: Record) -> Figure | None:
        values = _signal(record, moment, "response_std")
        return Figure(min(values)) if values else None

    return of


def gradient_ends(norms: Sequence[float]) -> tuple[float, float] | None:
    """Norms of the gradients by the inputs of the first blocks, and of the last.

    Medians of a quarter of the blocks each: single blocks differ in width and map size. None where
    there are fewer than two blocks, or a gradient has vanished.
    """
    quarter = max(1, len(norms) // 4)
    if len(norms) < 2 or min(norms) <= 0:
        return None
    return median(norms[:quarter]), median(norms[-quarter:])


def drift(ends: tuple[float, float]) -> float:
    """By how many powers of ten the gradient grows on its way to the input; negative: shrinks."""
    first, last = ends
    return math.log10(first / last)


def _gradient_drift(moment: Moment) -> Callable[[Record], Figure | None]:
    def of(record: Record) -> Figure | None:
        ends = gradient_ends(_signal(record, moment, "input_gradient_norm"))
        return None if ends is None else Figure(drift(ends))

    return of


def _gradient_change(moment: Moment) -> Callable[[Record], Figure | None]:
    """The size of the drift, whichever way the gradient changes."""
    drift_of = _gradient_drift(moment)

    def of(record: Record) -> Figure | None:
        found = drift_of(record)
        return Figure(abs(found.value)) if found else None

    return of


def _signal(record: Record, moment: Moment, name: str) -> list[float]:
    """What has not diverged of a signal at ``moment``; nothing in a record without signals."""
    found = [getattr(signals, name) for signals in record.signals if signals.moment == moment]
    return [value for value in found[0] if abs(value) < _DIVERGED] if found else []


def _by_moment(
    name: str,
    words: str,
    unit: str,
    digits: int,
    of: Callable[[Moment], Callable[[Record], Figure | None]],
) -> dict[str, Measure]:
    """The same measure before the first step and after the last."""
    told: dict[Moment, str] = {"initial": "at initialisation", "final": "after training"}
    return {
        f"{name}_{moment}": Measure(f"{words} {when}", unit, unit, digits, 0.001, of(moment))
        for moment, when in told.items()
    }


_DECADES: Final = " powers of ten"

MEASURES: Final[dict[str, Measure]] = {
    "test_error": Measure("test error", " %", " points", 2, 0.01, _test_error),
    "test_accuracy": Measure("test accuracy", " %", " points", 2, 0.01, _test_accuracy),
    "train_error": Measure("training error", " %", " points", 2, 0.002, _train_error),
    "clean_train_error": Measure(
        "training error of the final weights", " %", " points", 2, 0.002, _clean_train_error
    ),
    "mean_train_error": Measure(
        "training error over all epochs", " %", " points", 2, 0.001, _mean_train_error(1)
    ),
    "early_train_error": Measure(
        "training error over the first tenth of the epochs",
        " %", " points", 2, 0.001, _mean_train_error(EARLY),
    ),
    "warmup_steps": Measure("length of the warm-up", " steps", " steps", 0, 1, _warmup_steps),
    "epochs_to_learn": Measure(
        "first epoch better than chance", "", " epochs", 1, 1, _epochs_to_learn
    ),
    "freeze_miss": Measure("miss of the audit", " epochs", " epochs", 1, 1, _freeze_miss),
    "response_std": Measure("response of the layers", "", "", 3, 0.001, _response),
    **_by_moment("weakest_response", "weakest response of a layer", "", 3, _weakest_response),
    **_by_moment("gradient_drift", "drift of the gradient", _DECADES, 2, _gradient_drift),
    **_by_moment("gradient_change", "change of the gradient", _DECADES, 2, _gradient_change),
}  # fmt: skip
