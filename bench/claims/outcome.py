"""What a test found, before it is known how many others were made beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.claims.evidence import Missing, Sample
from bench.claims.measures import Measure
from bench.formats import number
from bench.stats import Interval, mean, share_interval

Word = Literal["reproduced", "refuted", "inconclusive", "not run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Settled where ``verdict`` is there; else its p-values decide, once adjusted.

    Attributes:
        verdict: what needs no p-value.
        reason: what was found, one sentence without its full stop.
        samples: the seeds that it rests on.
        effect: what is compared with ``margin``: a difference, or a mean where no number is given.
        interval: for the true effect.
        test: how it was tested.
        margin: in the unit of the effect.
        unit: of effect, interval and margin, to stand after a number.
        digits: of these that are worth showing.
        p_supports: small where the claim holds.
        p_contradicts: small where it is wrong by more than its margin.
        if_shown: what is shown where ``p_supports`` is small enough.
        if_refuted: what is shown where ``p_contradicts`` is.
        against_support: why the claim is not reproduced even where ``p_supports`` is small.
        against_contradiction: why it is not refuted even where ``p_contradicts`` is small.
        seeds_needed: about how many would decide it, as far as is known.
        records: ids, of what has no samples.
    """

    verdict: Word | None = None
    reason: str
    samples: tuple[Sample, ...] = ()
    effect: float | None = None
    interval: Interval | None = None
    test: str = "none"
    margin: float | None = None
    unit: str = ""
    digits: int = 2
    p_supports: float | None = None
    p_contradicts: float | None = None
    if_shown: str = ""
    if_refuted: str = ""
    against_support: str = ""
    against_contradiction: str = ""
    seeds_needed: int | None = None
    records: tuple[str, ...] = ()

    @property
    def p(self) -> float | None:
        """Of the stronger of its two directions, doubled because there are two."""
        if self.p_supports is None or self.p_contradicts is None:
            return None
        return min(1.0, 2 * min(self.p_supports, self.p_contradicts))


def not_run(missing: Iterable[Missing], test: str) -> Outcome:
    """No verdict without every sample that the test compares."""
    reasons = []
    absent: dict[str, list[str]] = {}
    for each in missing:
        if each.why is None:
            absent.setdefault(each.dataset, []).append(each.label)
        else:
            reasons.append(each.why)
    reasons += [f"no record of {listed(labels)} on {data}" for data, labels in absent.items()]
    return Outcome(verdict="not run", reason="; ".join(dict.fromkeys(reasons)), test=test)


def listed(labels: Iterable[str]) -> str:
    """``a, b and c``, each once."""
    *first, last = dict.fromkeys(labels)
    return f"{', '.join(first)} and {last}" if first else last


def too_few(samples: Sequence[Sample], seeds: int, measure: Measure, test: str) -> Outcome | None:
    """Inconclusive below ``seeds`` runs of a cell; None where there are enough of each."""
    short = [sample for sample in samples if len(sample.values) < seeds]
    if not short:
        return None
    told = "; ".join(describe(sample, measure) for sample in short)
    only = samples[0] if len(samples) == 1 else None
    single = only is not None and len(only.values) == 1
    return Outcome(
        verdict="inconclusive",
        reason=f"{told}; a claim about means needs at least {seeds} seeds of every cell",
        samples=tuple(samples),
        effect=only.values[0] if only and single else None,
        interval=_test_set_interval(only) if only and single else None,
        unit=measure.unit,
        digits=measure.digits,
        test=test,
        seeds_needed=seeds,
    )


def describe(sample: Sample, measure: Measure) -> str:
    """``ResNet-20 8.51 % over 5 seeds (95 % interval 8.24 to 8.78)``.

    One seed has the interval that the noise of the test set alone gives it.
    """
    count = len(sample.values)
    if count == 1:
        noise, value = _test_set_interval(sample), number(sample.values[0], measure.digits)
        told = f"{sample.label} {value}{measure.unit} with 1 seed"
        if noise is None:
            return told
        return f"{told} (test-set noise alone: {span(noise, measure.digits)})"
    estimate = mean(sample.values)
    return (
        f"{sample.label} {number(estimate.value, measure.digits)}{measure.unit} over {count} seeds "
        f"(95 % interval {span(estimate.interval, measure.digits)})"
    )


def span(interval: Interval, digits: int) -> str:
    """``8.24 to 8.78``."""
    return f"{number(interval.low, digits)} to {number(interval.high, digits)}"


def _test_set_interval(sample: Sample) -> Interval | None:
    value = sample.values[0]
    return share_interval(value, sample.images) if sample.images else None
