"""Claims about several means: an order of cells, or that two are the same."""

from collections.abc import Sequence
from itertools import pairwise

from bench import stats
from bench.claims.evidence import Index, Missing, Sample
from bench.claims.measures import MEASURES
from bench.claims.methods import Difference, Ordering
from bench.claims.outcome import Outcome, describe, not_run, span, too_few
from bench.claims.schema import Claim
from bench.formats import number

ORDER = "one-sided Welch test of every pair, all of which must hold"
SAME = "equivalence of two means (two one-sided Welch tests)"


def ordering(claim: Claim, test: Ordering, index: Index) -> Outcome:
    """Whether every cell's mean is smaller than those of the next level.

    All pairs must hold, so the weakest decides (an intersection-union test: no correction). One
    pair in the opposite order by more than the margin refutes, and which one is found by looking at
    all, so that its p-value is multiplied by their number.
    """
    measure = MEASURES[test.measure]
    levels = [[index.sample(group, test.measure) for group in level] for level in claim.needs.cells]
    samples = [sample for level in levels for sample in level]
    if missing := [sample for sample in samples if isinstance(sample, Missing)]:
        return not_run(missing, ORDER)
    found = [sample for sample in samples if isinstance(sample, Sample)]
    if few := too_few(found, claim.needs.seeds, measure, ORDER):
        return few
    assert claim.margin is not None
    margin = claim.margin.value
    pairs = _pairs(levels)
    holds = [stats.difference_test(low.values, high.values, 0, "smaller") for low, high in pairs]
    fails = [
        stats.difference_test(low.values, high.values, margin, "larger") for low, high in pairs
    ]
    reversed_p = min(1.0, len(pairs) * min(fails))
    decisive = fails.index(min(fails)) if reversed_p < max(holds) else holds.index(max(holds))
    low, high = pairs[decisive]
    estimate = stats.difference(low.values, high.values)
    listed = ", ".join(describe(sample, measure) for sample in dict.fromkeys(found))
    difference = number(estimate.value, measure.digits, signed=True)
    return Outcome(
        reason=f"{listed}; the pair that decides is {low.label} minus {high.label}: "
        f"{difference}{measure.difference_unit} ({span(estimate.interval, measure.digits)})",
        samples=tuple(dict.fromkeys(found)),
        effect=estimate.value,
        interval=estimate.interval,
        test=ORDER,
        margin=margin,
        unit=measure.difference_unit,
        digits=measure.digits,
        p_supports=max(holds),
        p_contradicts=reversed_p,
        if_shown="the order holds in every pair",
        if_refuted=f"this pair stands the other way round by more than {margin:g}"
        f"{measure.difference_unit}",
        seeds_needed=stats.seeds_needed(estimate.value, _spread(low, high), 2),
    )


def _pairs(levels: Sequence[Sequence[Sample | Missing]]) -> list[tuple[Sample, Sample]]:
    return [
        (low, high)
        for lower, upper in pairwise(levels)
        for low in lower
        for high in upper
        if isinstance(low, Sample) and isinstance(high, Sample)
    ]


def difference(claim: Claim, test: Difference, index: Index) -> Outcome:
    """Whether two means are the same, but for the margin."""
    measure = MEASURES[test.measure]
    samples = [index.sample(group, test.measure) for group in claim.needs.groups]
    if missing := [sample for sample in samples if isinstance(sample, Missing)]:
        return not_run(missing, SAME)
    ours, theirs = (sample for sample in samples if isinstance(sample, Sample))
    if few := too_few([ours, theirs], claim.needs.seeds, measure, SAME):
        return few
    assert claim.margin is not None
    margin = claim.margin.value
    estimate = stats.difference(ours.values, theirs.values)
    apart = number(estimate.value, measure.digits, signed=True)
    return Outcome(
        reason=f"{describe(ours, measure)}, {describe(theirs, measure)}: "
        f"{apart}{measure.difference_unit} ({span(estimate.interval, measure.digits)})",
        samples=(ours, theirs),
        effect=estimate.value,
        interval=estimate.interval,
        test=SAME,
        margin=margin,
        unit=measure.difference_unit,
        digits=measure.digits,
        p_supports=stats.difference_equivalence(ours.values, theirs.values, margin),
        p_contradicts=stats.difference_beyond(ours.values, theirs.values, margin),
        if_shown=f"they differ by less than {margin:g}{measure.difference_unit}",
        if_refuted=f"they differ by more than {margin:g}{measure.difference_unit}",
        seeds_needed=stats.seeds_needed(margin - abs(estimate.value), _spread(ours, theirs), 2),
    )


def _spread(first: Sample, second: Sample) -> float:
    """The larger standard deviation, to plan for the worse."""
    return max(stats.standard_deviation(sample.values) for sample in (first, second))
