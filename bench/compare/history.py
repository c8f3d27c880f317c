"""One quantity over several results folders: what it was at each commit, and where it jumped.

Folders are put in order by when they were made. Results of other machines, threads or precisions
are other series: a jump between those would be none of the code. No torch here.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final, Literal

import numpy as np

from bench.compare.steps import level_starts
from bench.compare.timings import RUN
from bench.records.folder import Results
from bench.records.schema import Environment, Record

Quantity = Literal["speed", "training", "accuracy"]
UNITS: Final[dict[Quantity, str]] = {
    "speed": "images/s",  # of workloads that bench speed has timed
    "training": "images/s",  # of a cell's timed training steps
    "accuracy": "% of test images",  # of a cell at its end
}
LEAST_POINTS: Final = 0.1
"""Points of accuracy: runs of the same code differ by no less, on another version of PyTorch."""


@dataclass(frozen=True, slots=True)
class Point:
    """What one folder has of a series.

    Attributes:
        at: when it was begun; of several seeds the first.
        value: a median, or the mean of the seeds.
        low, high: quartiles, or the lowest and the highest seed.
        samples: what it is of: timings, or seeds.
    """

    folder: Path
    at: datetime
    environment: Environment
    value: float
    low: float
    high: float
    samples: int


@dataclass(frozen=True, slots=True)
class Step:
    """From one level to the next: medians of the points on both sides.

    Attributes:
        before, after: the last point of the one and the first of the other.
        change: in percent of the old level; of an accuracy in points.
    """

    before: Point
    after: Point
    old: float
    new: float
    change: float


@dataclass(frozen=True, slots=True)
class Series:
    """One workload or cell on one machine; its points in the order of time."""

    name: str
    quantity: Quantity
    machine: str  # with threads and precision
    points: tuple[Point, ...]

    @property
    def steps(self) -> list[Step]:
        """Where it jumped; none of fewer than four points, which cannot have two levels."""
        values = [point.value for point in self.points]
        ratio = self.quantity != "accuracy"
        scaled, least = values, LEAST_POINTS
        if ratio:
            # The mean absolute deviation of a normal distribution is 0.8 of its standard deviation.
            scaled, least = [math.log(value) for value in values], RUN * math.sqrt(2 / math.pi)
        starts = [*level_starts(scaled, least), len(values)]
        levels = [median(values[start:end]) for start, end in pairwise(starts)]
        return [
            Step(
                before=self.points[start - 1],
                after=self.points[start],
                old=old,
                new=new,
                change=100 * (new / old - 1) if ratio else new - old,
            )
            for start, (old, new) in zip(starts[1:-1], pairwise(levels), strict=True)
        ]


def history(found: Sequence[Results], quantity: Quantity) -> list[Series]:
    """Every series of ``quantity`` in these folders, by name and machine."""
    take: Callable[[Results], Iterator[tuple[str, str, Point]]]
    take = _workloads if quantity == "speed" else lambda each: _cells(each, quantity)
    points: dict[tuple[str, str], list[Point]] = {}
    for results in found:
        for name, machine, point in take(results):
            points.setdefault((name, machine), []).append(point)
    return [
        Series(name, quantity, machine, tuple(sorted(group, key=lambda point: point.at)))
        for (name, machine), group in sorted(points.items())
    ]


def _workloads(results: Results) -> Iterator[tuple[str, str, Point]]:
    for record in results.workloads:
        if record.samples:
            rates = [record.workload.batch_size / seconds for seconds in record.samples]
            point = _point(results.folder, record.started_at, record.environment, rates)
            yield record.workload.id, _machine(record.environment), point


def _cells(results: Results, quantity: Quantity) -> Iterator[tuple[str, str, Point]]:
    """The seeds of a cell together."""
    cells: dict[tuple[str, str], list[Record]] = {}
    for record in results.cells:
        if record.final and (quantity == "accuracy" or _rates(record)):
            name = record.cell.id.removesuffix(f"-seed{record.cell.seed}")
            machine = f"{_machine(record.environment)}, {record.engine.precision}"
            cells.setdefault((name, machine), []).append(record)
    for (name, machine), records in cells.items():
        first = min(records, key=lambda record: record.started_at)
        where = results.folder, first.started_at, first.environment
        if quantity == "training":
            yield name, machine, _point(*where, [rate for each in records for rate in _rates(each)])
            continue
        values = [100 * record.final.test_accuracy for record in records if record.final]
        ends = fmean(values), min(values), max(values)
        yield name, machine, Point(*where, *ends, len(values))


def _rates(record: Record) -> list[float]:
    speed = record.speed
    return [speed.batch_size / seconds for seconds in speed.train_step_seconds] if speed else []


def _point(folder: Path, at: datetime, environment: Environment, rates: Sequence[float]) -> Point:
    low, middle, high = (float(value) for value in np.quantile(rates, [0.25, 0.5, 0.75]))
    return Point(folder, at, environment, middle, low, high, len(rates))


def _machine(environment: Environment) -> str:
    return f"{environment.device_name}, {environment.threads} threads"


def rows(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """A row for each point, nothing rounded; a step stands at the first point after it."""
    for each in series:
        steps = {id(step.after): step for step in each.steps}
        for point in each.points:
            step = steps.get(id(point))
            yield {
                "series": each.name,
                "quantity": each.quantity,
                "unit": UNITS[each.quantity],
                "machine": each.machine,
                "folder": str(point.folder),
                "at": point.at.isoformat(),
                "commit": point.environment.commit,
                "resnet_bench": point.environment.resnet_bench,
                "torch": point.environment.torch,
                "value": point.value,
                "low": point.low,
                "high": point.high,
                "samples": point.samples,
                "step": step.change if step else None,
                "level_before": step.old if step else None,
                "level_after": step.new if step else None,
            }
