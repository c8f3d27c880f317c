"""Claims about one mean: it reaches a printed number, or lies on one side of a bound."""

from dataclasses import replace

from bench import stats
from bench.claims.evidence import Index, Missing, Sample
from bench.claims.measures import MEASURES, Measure
from bench.claims.methods import Reaches, Threshold
from bench.claims.outcome import Outcome, describe, not_run, span, too_few
from bench.claims.schema import Claim
from bench.formats import number
from bench.reference.printed import Printed, look_up
from bench.stats import Interval

TOST_ONE = "equivalence to one printed run (two one-sided t-tests) and 95 % prediction interval"
TOST_MEAN = "equivalence to a printed mean (two one-sided Welch tests)"
BOUND = "one-sided t-test against a bound"


def reaches(claim: Claim, test: Reaches, index: Index) -> Outcome:
    """Whether our mean is the printed number, but for the margin.

    A printed mean brings its own spread and number of runs (Welch). A printed single run must also
    be one that our seeds let one expect, and a refutation one that they do not.
    """
    measure, printed = MEASURES[test.measure], look_up(test.reference)
    several = printed.std is not None and printed.runs > 1
    name = TOST_MEAN if several else TOST_ONE
    (group,) = claim.needs.groups
    sample = index.sample(group, test.measure)
    if isinstance(sample, Missing):
        return not_run([sample], name)
    if few := too_few([sample], claim.needs.seeds, measure, name):
        return _beside_their_runs(few, sample, printed, measure) if several else few
    assert claim.margin is not None
    compare = _against_mean if several else _against_run
    return compare(sample, printed, claim.margin.value, measure)


def _beside_their_runs(few: Outcome, sample: Sample, printed: Printed, measure: Measure) -> Outcome:
    """Add where the reference's own runs let one expect a single one of ours."""
    assert printed.std is not None
    expected = stats.prediction_interval(stats.stand_in(printed.value, printed.std, printed.runs))
    told = f"the {printed.runs} printed runs let one expect the next from " + (
        f"{span(expected, measure.digits)}{measure.unit}"
    )
    return replace(few, reason=f"{few.reason}; {told}") if len(sample.values) == 1 else few


def _against_mean(sample: Sample, printed: Printed, margin: float, measure: Measure) -> Outcome:
    assert printed.std is not None
    theirs = stats.stand_in(printed.value, printed.std, printed.runs)
    estimate = stats.difference(sample.values, theirs)
    gap = margin - abs(estimate.value)
    std = max(stats.standard_deviation(sample.values), printed.std)
    return Outcome(
        reason=f"{describe(sample, measure)}, printed {printed.value:g} ± {printed.std:g} over "
        f"{printed.runs} runs: {_apart(estimate, measure)}",
        samples=(sample,),
        effect=estimate.value,
        interval=estimate.interval,
        test=TOST_MEAN,
        margin=margin,
        unit=measure.difference_unit,
        digits=measure.digits,
        p_supports=stats.difference_equivalence(sample.values, theirs, margin),
        p_contradicts=stats.difference_beyond(sample.values, theirs, margin),
        if_shown=_within(margin, measure),
        if_refuted=_beyond(estimate.value, margin, measure),
        seeds_needed=stats.seeds_needed(gap, std, 2),
    )


def _against_run(sample: Sample, printed: Printed, margin: float, measure: Measure) -> Outcome:
    estimate = stats.mean(sample.values)
    low, high = estimate.interval.low - printed.value, estimate.interval.high - printed.value
    apart = stats.Estimate(estimate.value - printed.value, Interval(low, high))
    expected = stats.prediction_interval(sample.values)
    told = f"one run is expected from {span(expected, measure.digits)}{measure.unit}"
    plausible = expected.holds(printed.value)
    return Outcome(
        reason=f"{describe(sample, measure)}, printed {printed.value:g}: "
        f"{_apart(apart, measure)}; {told}",
        samples=(sample,),
        effect=apart.value,
        interval=apart.interval,
        test=TOST_ONE,
        margin=margin,
        unit=measure.difference_unit,
        digits=measure.digits,
        p_supports=stats.mean_equivalence(sample.values, printed.value, margin),
        p_contradicts=stats.mean_beyond(sample.values, printed.value, margin),
        if_shown=_within(margin, measure),
        if_refuted=_beyond(apart.value, margin, measure),
        against_support="" if plausible else "the printed run is not one to be expected",
        against_contradiction="the printed run may be one of these" if plausible else "",
        seeds_needed=stats.seeds_needed(
            margin - abs(apart.value), stats.standard_deviation(sample.values), 1
        ),
    )


def threshold(claim: Claim, test: Threshold, index: Index) -> Outcome:
    """Whether the mean is on the side of the bound that the claim says."""
    measure = MEASURES[test.measure]
    bound = test.bound if test.reference is None else look_up(test.reference).value
    assert bound is not None
    (group,) = claim.needs.groups
    sample = index.sample(group, test.measure)
    if isinstance(sample, Missing):
        return not_run([sample], BOUND)
    if few := too_few([sample], claim.needs.seeds, measure, BOUND):
        return few
    assert claim.margin is not None
    margin, below = claim.margin.value, test.side == "below"
    estimate = stats.mean(sample.values)
    beyond = bound + margin if below else bound - margin
    return Outcome(
        reason=f"{describe(sample, measure)}, claimed {test.side} {bound:g}{measure.unit}",
        samples=(sample,),
        effect=estimate.value,
        interval=estimate.interval,
        test=BOUND,
        margin=margin,
        unit=measure.unit,
        digits=measure.digits,
        p_supports=stats.mean_test(sample.values, bound, "smaller" if below else "larger"),
        p_contradicts=stats.mean_test(sample.values, beyond, "larger" if below else "smaller"),
        if_shown=f"the mean is {test.side} the bound",
        if_refuted=f"it is beyond by more than {margin:g}{measure.difference_unit}",
        seeds_needed=stats.seeds_needed(
            bound - estimate.value, stats.standard_deviation(sample.values), 1
        ),
    )


def _within(margin: float, measure: Measure) -> str:
    return f"the difference is within the margin of {margin:g}{measure.difference_unit}"


def _beyond(apart: float, margin: float, measure: Measure) -> str:
    side = "higher" if apart > 0 else "lower"
    return f"ours is {side} by more than the margin of {margin:g}{measure.difference_unit}"


def _apart(estimate: stats.Estimate, measure: Measure) -> str:
    difference = number(estimate.value, measure.digits, signed=True)
    return f"{difference}{measure.difference_unit} ({span(estimate.interval, measure.digits)})"
