"""Claims about means: one reaches a number or a bound, several have an order, two are the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from bench import stats
from bench.claims.evidence import Index, Missing, Sample
from bench.claims.measures import MEASURES, Measure
from bench.claims.methods import Difference, Ordering, Reaches, Threshold
from bench.claims.schema import Claim, Group
from bench.claims.verdict import Verdict, not_run, too_few
from bench.formats import number
from bench.reference.printed import Printed, look_up

TOST_ONE = "equivalence to one printed run (two one-sided t-tests) and 95 % prediction interval"
TOST_MEAN = "equivalence to a printed mean (two one-sided Welch tests)"
BOUND = "one-sided t-test against a bound"
ORDER = "one-sided Welch test of every pair, all of which must hold"
SAME = "equivalence of two means (two one-sided Welch tests)"


@dataclass(frozen=True, slots=True)
class Direction:
    """One of the two things that a test may show.

    Attributes:
        p: small where it is so.
        shown: in words.
        but: why that decides nothing all the same.
    """

    word: Literal["reproduced", "refuted"]
    p: float
    shown: str
    but: str = ""


def reaches(claim: Claim, test: Reaches, index: Index) -> Verdict:
    """Whether our mean is the printed number, but for the margin.

    A printed mean brings its own spread and number of runs (Welch). A printed single run must also
    be one that our seeds let one expect, and a refutation one that they do not.
    """
    printed, measure = look_up(test.reference), MEASURES[test.measure]
    several = printed.std is not None and printed.runs > 1
    found = _samples(claim, test.measure, index, TOST_MEAN if several else TOST_ONE)
    if isinstance(found, dict):
        (sample,) = found.values()
        compare = _against_mean if several else _against_run
        return compare(claim, sample, printed)
    if several and [len(sample.values) for sample in found.samples] == [1]:
        expected = stats.prediction_interval(_runs_of(printed))
        told = f"the {printed.runs} printed runs let one expect the next from " + (
            f"{expected.text(measure.digits)}{measure.unit}"
        )
        return replace(found, reason=f"{found.reason}; {told}")
    return found


def _runs_of(printed: Printed) -> tuple[float, ...]:
    assert printed.std is not None
    return stats.stand_in(printed.value, printed.std, printed.runs)


def _against_mean(claim: Claim, sample: Sample, printed: Printed) -> Verdict:
    assert printed.std is not None
    margin, theirs = _margin(claim), _runs_of(printed)
    apart = stats.difference(sample.values, theirs)
    std = max(stats.standard_deviation(sample.values), printed.std)
    return _verdict(
        claim,
        [sample],
        apart,
        f"{sample}, printed {printed.value:g} ± {printed.std:g} over {printed.runs} runs: "
        f"{_apart(apart, sample.measure)}",
        TOST_MEAN,
        _within(apart, margin, sample.measure),
        _beyond(apart, margin, sample.measure),
        seeds_needed=stats.seeds_needed(margin - abs(apart.value), std, 2),
    )


def _against_run(claim: Claim, sample: Sample, printed: Printed) -> Verdict:
    margin, measure = _margin(claim), sample.measure
    mean = stats.mean(sample.values)
    apart = replace(mean, value=mean.value - printed.value)
    expected = stats.prediction_interval(sample.values)
    supports, contradicts = _within(apart, margin, measure), _beyond(apart, margin, measure)
    if expected.holds(printed.value):
        contradicts = replace(contradicts, but="the printed run may be one of these")
    else:
        supports = replace(supports, but="the printed run is not one to be expected")
    std = stats.standard_deviation(sample.values)
    return _verdict(
        claim,
        [sample],
        apart,
        f"{sample}, printed {printed.value:g}: {_apart(apart, measure)}; one run is expected from "
        f"{expected.text(measure.digits)}{measure.unit}",
        TOST_ONE,
        supports,
        contradicts,
        seeds_needed=stats.seeds_needed(margin - abs(apart.value), std, 1),
    )


def _within(apart: stats.Mean, margin: float, measure: Measure) -> Direction:
    shown = f"the difference is within the margin of {margin:g}{measure.difference_unit}"
    return Direction("reproduced", apart.p_within(margin), shown)


def _beyond(apart: stats.Mean, margin: float, measure: Measure) -> Direction:
    side = "higher" if apart.value > 0 else "lower"
    shown = f"ours is {side} by more than the margin of {margin:g}{measure.difference_unit}"
    return Direction("refuted", apart.p_beyond(margin), shown)


def threshold(claim: Claim, test: Threshold, index: Index) -> Verdict:
    bound = test.bound if test.reference is None else look_up(test.reference).value
    assert bound is not None
    found = _samples(claim, test.measure, index, BOUND)
    if isinstance(found, Verdict):
        return found
    (sample,) = found.values()
    measure, margin, estimate = sample.measure, _margin(claim), stats.mean(sample.values)
    if test.side == "below":
        holds, fails = estimate.p_below(bound), estimate.p_above(bound + margin)
    else:
        holds, fails = estimate.p_above(bound), estimate.p_below(bound - margin)
    beyond = f"it is beyond by more than {margin:g}{measure.difference_unit}"
    std = stats.standard_deviation(sample.values)
    verdict = _verdict(
        claim,
        [sample],
        estimate,
        f"{sample}, claimed {test.side} {bound:g}{measure.unit}",
        BOUND,
        Direction("reproduced", holds, f"the mean is {test.side} the bound"),
        Direction("refuted", fails, beyond),
        seeds_needed=stats.seeds_needed(bound - estimate.value, std, 1),
    )
    return replace(verdict, unit=measure.unit)


def ordering(claim: Claim, test: Ordering, index: Index) -> Verdict:
    """Whether every cell's mean is smaller than those of the next level.

    All pairs must hold, so the weakest decides (an intersection-union test: no correction). One
    pair in the opposite order by more than the margin refutes, and which one is found by looking at
    all, so that its p-value is multiplied by their number.
    """
    found = _samples(claim, test.measure, index, ORDER)
    if isinstance(found, Verdict):
        return found
    margin, measure = _margin(claim), MEASURES[test.measure]
    pairs = [
        (found[low], found[high])
        for lower, upper in pairwise(claim.needs.cells)
        for low in lower
        for high in upper
    ]
    apart = [stats.difference(low.values, high.values) for low, high in pairs]
    holds = [each.p_below(0) for each in apart]
    fails = [each.p_above(margin) for each in apart]
    reversed_p = min(1.0, len(pairs) * min(fails))
    decisive = fails.index(min(fails)) if reversed_p < max(holds) else holds.index(max(holds))
    low, high = pairs[decisive]
    told = ", ".join(map(str, found.values()))
    reversal = f"this pair stands the other way round by more than {margin:g}"
    return _verdict(
        claim,
        list(found.values()),
        apart[decisive],
        f"{told}; the pair that decides is {low.label} minus {high.label}: "
        f"{_apart(apart[decisive], measure)}",
        ORDER,
        Direction("reproduced", max(holds), "the order holds in every pair"),
        Direction("refuted", reversed_p, f"{reversal}{measure.difference_unit}"),
        seeds_needed=stats.seeds_needed(apart[decisive].value, _spread(low, high), 2),
    )


def difference(claim: Claim, test: Difference, index: Index) -> Verdict:
    found = _samples(claim, test.measure, index, SAME)
    if isinstance(found, Verdict):
        return found
    candidate, baseline = found.values()
    margin, measure = _margin(claim), MEASURES[test.measure]
    apart = stats.difference(candidate.values, baseline.values)
    by = f"than {margin:g}{measure.difference_unit}"
    return _verdict(
        claim,
        [candidate, baseline],
        apart,
        f"{candidate}, {baseline}: {_apart(apart, measure)}",
        SAME,
        Direction("reproduced", apart.p_within(margin), f"they differ by less {by}"),
        Direction("refuted", apart.p_beyond(margin), f"they differ by more {by}"),
        seeds_needed=stats.seeds_needed(margin - abs(apart.value), _spread(candidate, baseline), 2),
    )


def _samples(claim: Claim, measure: str, index: Index, name: str) -> dict[Group, Sample] | Verdict:
    found = {group: index.sample(group, measure) for group in claim.needs.groups}
    samples = {group: each for group, each in found.items() if isinstance(each, Sample)}
    if len(samples) < len(found):
        return not_run(claim, [each for each in found.values() if isinstance(each, Missing)], name)
    if any(len(sample.values) < claim.needs.seeds for sample in samples.values()):
        return too_few(claim, list(samples.values()), name)
    return samples


def _margin(claim: Claim) -> float:
    assert claim.margin is not None
    return claim.margin.value


def _apart(estimate: stats.Mean, measure: Measure) -> str:
    difference = number(estimate.value, measure.digits, signed=True)
    return f"{difference}{measure.difference_unit} ({estimate.interval.text(measure.digits)})"


def _spread(*samples: Sample) -> float:
    """The larger standard deviation, to plan for the worse."""
    return max(stats.standard_deviation(sample.values) for sample in samples)


def _verdict(
    claim: Claim,
    samples: Sequence[Sample],
    estimate: stats.Mean,
    told: str,
    test: str,
    supports: Direction,
    contradicts: Direction,
    seeds_needed: int | None,
) -> Verdict:
    """The stronger direction's, open until its p-value is adjusted."""
    stronger = supports if supports.p < contradicts.p else contradicts
    measure = samples[0].measure
    return Verdict(
        claim=claim,
        word=stronger.word,
        reason=told,
        test=test,
        samples=tuple(samples),
        effect=estimate.value,
        interval=estimate.interval,
        margin=_margin(claim),
        unit=measure.difference_unit,
        digits=measure.digits,
        p=min(1.0, 2 * stronger.p),
        shown=stronger.shown,
        but=stronger.but,
        seeds_needed=seeds_needed,
    )
