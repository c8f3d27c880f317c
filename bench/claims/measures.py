"""What the ledger measures on a record, and all that it keeps of one. No torch here.

Thousands of records do not fit into memory with all their epochs, but the figures of claims do.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, median
from typing import Final

from bench.analysis.freezing import can_freeze_be_seen, find_freeze
from bench.analysis.logs import log_of
from bench.config.cell import Cell
from bench.config.recipes import Recipe, StepSchedule
from bench.records.schema import Cost, Moment, Record, Signals

CHANCE_PERCENT: Final = 90.0
"""Error of guessing one of ten classes."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of one run.

    Attributes:
        value: in the unit of its measure.
        images: that it was counted on; None where it is no share of images.
    """

    value: float
    images: int | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that claims are about.

    Attributes:
        words: what it is called in a sentence.
        unit: of its values, after a number.
        difference_unit: of a difference between two.
        digits: worth showing.
        step: the smallest difference that means anything, where it is no share of images.
        of: takes it from a completed record; None where the record has none.
    """

    words: str
    unit: str
    difference_unit: str
    digits: int
    step: float
    of: Callable[[Record], Figure | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A record, reduced to what verdicts need.

    Attributes:
        norm_batch_size: images that BatchNorm saw at a time.
        steps: of training that were done.
        figures: by measure; empty for a failed record.
    """

    cell: Cell
    recipe: Recipe
    profile: str
    completed: bool
    reason: str | None
    finished_at: datetime
    norm_batch_size: int
    steps: int
    cost: Cost | None
    figures: Mapping[str, Figure]


def observe(record: Record) -> Observed:
    """Reduce ``record``."""
    figures = {}
    if record.final is not None:
        taken = {name: measure.of(record) for name, measure in MEASURES.items()}
        figures = {name: figure for name, figure in taken.items() if figure is not None}
    return Observed(
        cell=record.cell,
        recipe=record.recipe,
        profile=record.profile,
        completed=record.final is not None,
        reason=record.reason,
        finished_at=record.finished_at,
        norm_batch_size=record.engine.micro_batch_size,
        steps=sum(epoch.steps for epoch in record.epochs),
        cost=record.cost,
        figures=figures,
    )


def _test_error(record: Record) -> Figure:
    final = record.epochs[-1]
    return Figure(100 * (1 - final.test_accuracy), final.test_images)


def _test_accuracy(record: Record) -> Figure:
    final = record.epochs[-1]
    return Figure(100 * final.test_accuracy, final.test_images)


def _train_error(record: Record) -> Figure:
    final = record.epochs[-1]
    return Figure(100 * (1 - final.train_accuracy), final.train_images)


def _warmup_steps(record: Record) -> Figure | None:
    steps = record.course.warmup_steps
    return None if steps is None else Figure(steps)


def _epochs_to_learn(record: Record) -> Figure:
    """The first epoch whose images were told apart better than by chance; one after all if none."""
    for epoch in record.epochs:
        if 100 * (1 - epoch.train_accuracy) < CHANCE_PERCENT:
            return Figure(epoch.epoch)
    return Figure(len(record.epochs) + 1)


def _freeze_miss(record: Record) -> Figure | None:
    """Epochs between where the audit sees weights freeze and where they did.

    Seen where there is nothing, or not seen where there is: all epochs of the run.
    """
    frozen, schedule = record.recipe.freeze_weights_after_epoch, record.recipe.schedule
    if not (isinstance(schedule, StepSchedule) and schedule.unit == "epoch"):
        return None  # not the 2022 project's recipe
    log = log_of(record)
    if not can_freeze_be_seen(log):
        return None
    found = find_freeze(log)
    if (found is None) != (frozen is None):
        return Figure(len(record.epochs))
    return Figure(abs(found.after_epoch - frozen) if found and frozen else 0)


def _signals(record: Record, moment: Moment) -> Signals | None:
    """Responses and gradients at ``moment``; None in a record without them."""
    return next((each for each in record.signals if each.moment == moment), None)


def _response(record: Record) -> Figure | None:
    """Mean over the layers of the standard deviation of their responses, after training."""
    signals = _signals(record, "final")
    values = _finite(signals.response_std) if signals else []
    return Figure(fmean(values)) if values else None


def _gradient_drift(moment: Moment) -> Callable[[Record], Figure | None]:
    """How many powers of ten lie between the gradients by the inputs of the first and last blocks.

    Medians of a quarter of the blocks each: single blocks differ in width and map size.
    """

    def of(record: Record) -> Figure | None:
        signals = _signals(record, moment)
        norms = _finite(signals.input_gradient_norm) if signals else []
        quarter = max(1, len(norms) // 4)
        if len(norms) < 2 or min(norms) <= 0:
            return None
        return Figure(abs(math.log10(median(norms[:quarter]) / median(norms[-quarter:]))))

    return of


def _finite(values: Sequence[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]


_DECADES: Final = "powers of ten"

MEASURES: Final[dict[str, Measure]] = {
    "test_error": Measure("test error", " %", " points", 2, 0.01, _test_error),
    "test_accuracy": Measure("test accuracy", " %", " points", 2, 0.01, _test_accuracy),
    "train_error": Measure("training error", " %", " points", 2, 0.002, _train_error),
    "warmup_steps": Measure("length of the warm-up", " steps", " steps", 0, 1, _warmup_steps),
    "epochs_to_learn": Measure(
        "first epoch better than chance", "", " epochs", 1, 1, _epochs_to_learn
    ),
    "freeze_miss": Measure("miss of the audit", " epochs", " epochs", 1, 1, _freeze_miss),
    "response_std": Measure("response of the layers", "", "", 3, 0.001, _response),
    "gradient_drift_initial": Measure(
        "drift of the gradient at initialisation",
        f" {_DECADES}", f" {_DECADES}", 2, 0.001, _gradient_drift("initial"),
    ),
    "gradient_drift_final": Measure(
        "drift of the gradient after training",
        f" {_DECADES}", f" {_DECADES}", 2, 0.001, _gradient_drift("final"),
    ),
}  # fmt: skip
