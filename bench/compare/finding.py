"""One compared quantity, before and after it is known how many others were tested beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from bench.stats import LEVEL, Interval, holm

Verdict = Literal["faster", "slower", "better", "worse", "same within noise", "undecided"]
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
Kind = Literal["speed", "accuracy"]
UNDECIDED: Final = (
    "Undecided: the change is larger than noise, but the ranks of so few samples do not confirm it "
    "beside all the other tests; with more samples they would, if it is real."
)
NO_EFFECT: Final[dict[Kind, float]] = {"speed": 1, "accuracy": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """B beside A in one quantity.

    Attributes:
        kind: speed (medians in seconds, a speed-up) or accuracy (percent, a difference in points).
        name: of the workload or cell, without its seed.
        quantity: what was measured, in words.
        count_a: samples of A, or its seeds.
        effect: speed-up of B over A, or accuracy of B minus that of A.
        interval: 95 %, for the true effect.
        floor: of speed, 0.03 where two runs of the same thing differ by up to 3 %.
        p: two-sided, of ``test``.
        notes: what else a reader should know.
    """

    kind: Kind
    name: str
    quantity: str
    a: float
    b: float
    count_a: int
    count_b: int
    effect: float
    interval: Interval
    floor: float | None = None
    p: float
    test: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding with the verdict on B, and its p-value adjusted for all of its kind."""

    finding: Finding
    p_holm: float
    verdict: Verdict

    @property
    def notes(self) -> tuple[str, ...]:
        """Of the finding, and what an open verdict means."""
        return (*self.finding.notes, *([UNDECIDED] if self.verdict == "undecided" else []))


def judge(findings: Sequence[Finding]) -> list[Judged]:
    """Give every finding of one kind its verdict; they are one family for Holm's method."""
    adjusted = holm([finding.p for finding in findings])
    return [
        Judged(finding, p, _speed_verdict(finding, p) if finding.floor else _accuracy(finding, p))
        for finding, p in zip(findings, adjusted, strict=True)
    ]


def _speed_verdict(finding: Finding, p: float) -> Verdict:
    """A change is larger than the floor, with an interval on one side; and the ranks must agree."""
    assert finding.floor is not None
    larger = max(finding.effect, 1 / finding.effect) > 1 + finding.floor
    if not larger or finding.interval.holds(NO_EFFECT["speed"]):
        return "same within noise"
    if p >= LEVEL:
        return "undecided"
    return "faster" if finding.effect > 1 else "slower"


def _accuracy(finding: Finding, p: float) -> Verdict:
    if p >= LEVEL:
        return "same within noise"
    return "better" if finding.effect > 0 else "worse"
