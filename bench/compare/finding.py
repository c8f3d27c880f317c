"""One compared quantity, and its verdict beside all the others that were tested."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from bench.records.schema import Record
from bench.records.speed import SpeedRecord
from bench.stats import LEVEL, Interval, holm

Verdict = Literal["faster", "slower", "better", "worse", "same within noise", "undecided"]
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
Kind = Literal["speed", "accuracy"]
UNDECIDED: Final = (
    "Undecided: the change is larger than noise, but the ranks of so few samples do not confirm it "
    "beside all the other tests; with more samples they would, if it is real."
)


@dataclass(frozen=True, slots=True)
class Side:
    """Of one folder.

    Attributes:
        value: a median in seconds, or a mean accuracy in percent.
        count: samples, or seeds.
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
        effect: speed-up of the candidate, or its accuracy minus the baseline's in points.
        interval: 95 %, for the true effect.
        floor: of speed, 0.03 where two runs of the same thing differ by up to 3 %.
        p: two-sided, of ``test``.
        p_holm: adjusted for all findings of its kind, by ``judge``.
        notes: what else a reader should know.
    """

    kind: Kind
    name: str
    quantity: str
    baseline: Side
    candidate: Side
    effect: float
    interval: Interval
    floor: float | None = None
    p: float
    p_holm: float = 1
    test: str
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Of speed: the change is larger than the floor, and interval and ranks agree."""
        if self.floor is None:
            if self.p_holm >= LEVEL:
                return "same within noise"
            return "better" if self.effect > 0 else "worse"
        if max(self.effect, 1 / self.effect) <= 1 + self.floor or self.interval.holds(1):
            return "same within noise"
        if self.p_holm >= LEVEL:
            return "undecided"
        return "faster" if self.effect > 1 else "slower"


def judge(findings: Sequence[Finding]) -> list[Finding]:
    """Adjust all p-values of one kind, a family for Holm's method, and explain open verdicts."""
    adjusted = holm([finding.p for finding in findings])
    judged = [replace(each, p_holm=p) for each, p in zip(findings, adjusted, strict=True)]
    return [
        replace(each, notes=(*each.notes, UNDECIDED)) if each.verdict == "undecided" else each
        for each in judged
    ]
