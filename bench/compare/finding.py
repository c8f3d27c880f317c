"""One compared quantity, and its verdict beside all the others that were tested."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from bench.records.schema import Record
from bench.records.speed import SpeedRecord
from bench.stats import LEVEL, Interval, Mean, holm

Verdict = Literal["faster", "slower", "better", "worse", "same", "too noisy to tell"]
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
CHANGED: Final[tuple[Verdict, ...]] = ("faster", "slower", "better", "worse")
Kind = Literal["speed", "accuracy"]


@dataclass(frozen=True, slots=True)
class Side:
    """Of one folder.

    Attributes:
        value: a time in seconds, or a mean accuracy in percent.
        count: rounds, or seeds.
        records: what it was made from.
    """

    value: float
    count: int
    records: Sequence[Record] | Sequence[SpeedRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The candidate beside the baseline in one quantity.

    Attributes:
        name: of the workload or cell, without its seed.
        quantity: what was measured, in words.
        images: at once; of speed.
        effect: speed-up of the candidate, or its accuracy minus the baseline's in points.
        interval: 95 %, for the true effect; of speed, ``judge`` widens it for all that are tested.
        change: of speed, the logarithm of ``effect``, from which interval and p are made.
        same: a smaller change is none: a ratio above 1, or points.
        p: two-sided, of ``test``.
        p_holm: adjusted for all findings of its kind, by ``judge``.
        notes: what else a reader should know.
    """

    kind: Kind
    name: str
    quantity: str
    images: int | None = None
    baseline: Side
    candidate: Side
    effect: float
    interval: Interval
    change: Mean | None = None
    same: float
    p: float
    p_holm: float = 1
    test: str
    notes: tuple[str, ...] = ()

    @property
    def visible(self) -> float:
        """The smallest change that could have been seen: a ratio above 1, or points."""
        if self.kind == "speed":
            return self.interval.high / self.effect
        return (self.interval.high - self.interval.low) / 2

    @property
    def size(self) -> float:
        """Of the change, whichever way: a logarithm, or points."""
        return abs(math.log(self.effect) if self.kind == "speed" else self.effect)

    @property
    def verdict(self) -> Verdict:
        """What the interval shows: a change, that there is none worth a name, or neither."""
        speed = self.kind == "speed"
        if self.p_holm < LEVEL:
            if self.effect > (1 if speed else 0):
                return "faster" if speed else "better"
            return "slower" if speed else "worse"
        least = 1 / self.same if speed else -self.same
        within = least < self.interval.low and self.interval.high < self.same
        return "same" if within else "too noisy to tell"


def judge(findings: Sequence[Finding]) -> list[Finding]:
    """Adjust p-values and intervals of one kind, a family for Holm's method.

    Holm's method tests what it has not yet found to differ at LEVEL through the number of these.
    An interval of a speed at that level leaves out 1 just where the adjusted p is below LEVEL.
    """
    adjusted = holm([finding.p for finding in findings])
    level = LEVEL / max(1, sum(p >= LEVEL for p in adjusted))
    return [
        replace(
            each, p_holm=p, interval=_ratios(each.change, level) if each.change else each.interval
        )
        for each, p in zip(findings, adjusted, strict=True)
    ]


def _ratios(change: Mean, level: float) -> Interval:
    logs = change.interval_at(level)
    return Interval(math.exp(logs.low), math.exp(logs.high))
