"""Timings of both folders -> findings: how many times faster one is, and what that is worth.

Times are compared as ratios, so that the statistics are made on their logarithms. Samples of one
round are alike: a round counts once, by its median.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

from bench.compare.finding import Finding, Side
from bench.compare.pairing import Group, LeftOut, completed, pair, usable
from bench.records.schema import Record
from bench.records.speed import SpeedRecord
from bench.stats import Interval, Mean, Variance, total

SAME: Final = 1.1
"""A ratio. A speed whose interval lies within this either way is the same."""
RUN: Final = 0.011
"""Standard deviation, as a logarithm, of runs as a whole, which no round in them shows: about 1 %
(clock, layout of memory). Assumed, and rounded up so that no change below 3 % is ever called one:
1.96 · √2 · 1.1 %."""
SINGLE: Final = 0.1
"""Standard deviation, as a logarithm, of single rounds: docs/methodology.md tells where it was
measured. Assumed where neither side has a second one, as the cells of one seed have not."""
ONE_ROUND: Final = (
    "One round a side cannot show how far rounds lie apart: 10 % each are assumed. More seeds, or "
    "timed workloads of several rounds, see smaller changes."
)
TEST: Final = "t"

Rounds = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Timed:
    """One quantity of a workload, or of the seeds of a cell, whose timings are its rounds.

    Attributes:
        images: at once, those of each round that differ.
        rounds: seconds of each repetition; at least one.
    """

    records: Sequence[Record] | Sequence[SpeedRecord]
    images: tuple[int, ...]
    rounds: Rounds

    @property
    def logs(self) -> list[float]:
        """Logarithms of the rounds' medians."""
        return [math.log(median(each)) for each in self.rounds if each]


Both = tuple[Timed, Timed]


def timed_in_both(
    workloads: Mapping[str, tuple[SpeedRecord, SpeedRecord]],
    cells: Mapping[str, tuple[Group, Group]],
) -> tuple[dict[tuple[str, str], Both], list[LeftOut]]:
    """Every timing that is alike in both, by name and quantity; and what is not."""
    timed: dict[tuple[str, str], Both] = {}
    left_out: list[LeftOut] = []
    for name, records in workloads.items():
        of_both = of_workload(records[0]), of_workload(records[1])
        timed[name, records[0].workload.direction] = of_both
    for name, both in cells.items():
        of_cell, refused = pair(_of_group(both[0]), _of_group(both[1]), _refusal)
        timed |= {(name, quantity): each for quantity, each in of_cell.items()}
        left_out += [LeftOut(f"{name}, {each.name}", each.why, each.only_in) for each in refused]
    return timed, left_out


def of_workload(record: SpeedRecord) -> Timed:
    return Timed([record], (record.workload.batch_size,), record.rounds)


def _of_group(group: Group) -> dict[str, Timed]:
    timed: dict[str, list[tuple[Record, int, tuple[float, ...]]]] = {}
    for record in completed(group):
        if speed := record.speed:
            for quantity, images, seconds in (
                ("training", speed.batch_size, speed.train_step_seconds),
                ("inference", speed.inference_batch_size, speed.inference_batch_seconds),
                ("latency", 1, speed.latency_seconds),
            ):
                if seconds:
                    timed.setdefault(quantity, []).append((record, images, seconds))
    found = {}
    for quantity, each in timed.items():
        records, images_at_once, rounds = zip(*each, strict=True)
        found[quantity] = Timed(records, tuple(dict.fromkeys(images_at_once)), rounds)
    return found


def _refusal(baseline: Timed, candidate: Timed) -> str:
    images = list(dict.fromkeys([*baseline.images, *candidate.images]))
    if len(images) > 1:
        return f"images at once ({' against '.join(map(str, images))})"
    times = [*baseline.rounds, *candidate.rounds]
    return "" if all(map(usable, times)) else "holds a time that is none"


def timing_finding(
    name: str,
    quantity: str,
    both: Both,
    same: float = SAME,
    measured: Sequence[Variance] = (),
) -> Finding:
    """How fast the candidate does the same work; all times are positive and finite.

    The variance of the change is that of both means over rounds, and of two runs that differ as a
    whole; a t-test with Satterthwaite's degrees of freedom.

    Args:
        same: a ratio; a smaller change is none.
        measured: of the logarithms of whole runs, beside what is assumed.
    """
    sides = [each.logs for each in both]
    run = [Variance(RUN**2, math.inf), *measured]
    runs = [Variance(2 * part.value, part.freedom) for part in run]
    variance = total([_of_means(sides), *runs])
    before, after = map(fmean, sides)
    change = Mean(before - after, math.sqrt(variance.value), variance.freedom)
    notes = [text for side, each in zip("AB", both, strict=True) for text in _warnings(side, each)]
    return Finding(
        kind="speed",
        name=name,
        quantity=quantity,
        images=both[0].images[0],
        baseline=Side(math.exp(before), len(sides[0]), both[0].records),
        candidate=Side(math.exp(after), len(sides[1]), both[1].records),
        effect=math.exp(change.value),
        interval=Interval(math.exp(change.interval.low), math.exp(change.interval.high)),
        change=change,
        same=same,
        p=min(1.0, 2 * change.p_beyond(0)),
        test=TEST,
        notes=(*notes, *([ONE_ROUND] if max(map(len, sides)) == 1 else [])),
    )


def _warnings(side: str, timed: Timed) -> list[str]:
    """What may have spoilt a workload's measurement; of cells nothing is recorded."""
    warned = [each for each in timed.records if isinstance(each, SpeedRecord)]
    return [f"{side}: {text}" for record in warned for text in record.conditions.warnings]


def _of_means(sides: Sequence[Sequence[float]]) -> Variance:
    """Of the difference of two means over rounds, by the scatter of rounds within each side."""
    shares = sum(1 / len(logs) for logs in sides)
    freedom = sum(len(logs) - 1 for logs in sides)
    if not freedom:
        return Variance(SINGLE**2 * shares, math.inf)
    squares = sum((each - fmean(logs)) ** 2 for logs in sides for each in logs)
    return Variance(squares / freedom * shares, freedom)
