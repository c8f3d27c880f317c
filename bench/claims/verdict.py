"""What became of one claim, from the test of it to the page. No torch here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from bench.claims.evidence import Missing, Sample
from bench.claims.schema import Claim
from bench.formats import listed
from bench.stats import Interval

Word = Literal["reproduced", "refuted", "inconclusive", "not run"]
WORDS: Final[tuple[Word, ...]] = get_args(Word)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One claim, how it was tested, and what was found.

    Where there is a p-value, ``word`` and ``reason`` are final once it is adjusted for all that was
    tested beside it; until then ``word`` is where the test points.

    Attributes:
        reason: why, one sentence for people.
        test: how it was tested.
        samples: the seeds that it rests on.
        effect: what is compared with ``margin``: a difference, or a mean where no number is given.
        interval: for the true effect.
        margin: in the unit of the effect.
        unit: of effect, interval and margin, to stand after a number.
        digits: of these that are worth showing.
        p: of the stronger of the two directions, doubled because there are two.
        shown: what is shown where p is small enough.
        but: why that decides nothing all the same.
        counted: ids of the records that counted the same, of a claim about cost.
        p_adjusted: p by Holm's method over all claims that were tested.
        tests: how many these are.
    """

    claim: Claim
    word: Word
    reason: str
    test: str
    samples: tuple[Sample, ...] = ()
    effect: float | None = None
    interval: Interval | None = None
    margin: float | None = None
    unit: str = ""
    digits: int = 2
    p: float | None = None
    shown: str = ""
    but: str = ""
    counted: tuple[str, ...] = ()
    p_adjusted: float | None = None
    tests: int = 0

    @property
    def records(self) -> tuple[str, ...]:
        sampled = (name for sample in self.samples for name in sample.records)
        return tuple(dict.fromkeys((*sampled, *self.counted)))


def not_run(claim: Claim, missing: Iterable[Missing], test: str) -> Verdict:
    """No verdict without every sample that the test compares."""
    reasons = []
    absent: dict[str, list[str]] = {}
    for each in missing:
        if each.why is None:
            absent.setdefault(each.dataset, []).append(each.label)
        else:
            reasons.append(each.why)
    reasons += [f"no record of {listed(labels)} on {data}" for data, labels in absent.items()]
    reason = "; ".join(dict.fromkeys(reasons))
    return Verdict(claim=claim, word="not run", reason=reason, test=test)


def too_few(claim: Claim, samples: Sequence[Sample], test: str, told: str = "") -> Verdict:
    """Inconclusive: not all runs that were planned are there."""
    needed = claim.needs.seeds
    short = "; ".join(str(sample) for sample in samples if len(sample.values) < needed)
    only = samples[0] if len(samples) == 1 and len(samples[0].values) == 1 else None
    measure = samples[0].measure
    return Verdict(
        claim=claim,
        word="inconclusive",
        reason=f"{short}; the claim is tested once, on {needed} seeds of every cell{told}",
        samples=tuple(samples),
        effect=only.values[0] if only else None,
        interval=only.noise if only else None,
        unit=measure.unit,
        digits=measure.digits,
        test=test,
    )
