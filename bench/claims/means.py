"""Claims about seeds: their mean reaches a number or a bound, means rise or are equal, most do so.

Runs of one seed see the same images in the same order, and some share a part of their training:
whatever two cells have in common by seed, the differences of their seeds hold it. So every claim
comes down to one number for each seed, and Student's t.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from bench import stats
from bench.claims.evidence import Index, Sample
from bench.claims.measures import Measure
from bench.claims.methods import Difference, Most, Ordering, Reaches, Threshold
from bench.claims.schema import Claim, Group
from bench.claims.verdict import Verdict, not_run, too_few
from bench.formats import number
from bench.reference.printed import Printed, look_up
from bench.stats import Mean

TOST_ONE = "equivalence to one printed run (two one-sided t-tests) and 95 % prediction interval"
TOST_MEAN = "equivalence to a printed mean (two one-sided Welch tests)"
BOUND = "one-sided t-test against a bound"
MOST = "exact binomial test of more than half of all runs"
PAIR = "one-sided paired t-test, seed by seed"
TREND = "one-sided t-test of the trend, seed by seed; no step falls by more than the margin"
SAME = "equivalence of two means (two one-sided paired t-tests)"

Samples = Mapping[Group, Sample]


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


def test_name(claim: Claim) -> str:
    """How a claim about seeds is tested, for people."""
    test = claim.test
    if isinstance(test, Reaches):
        return TOST_MEAN if _is_mean(look_up(test.reference)) else TOST_ONE
    if isinstance(test, Ordering):
        return PAIR if len(claim.needs.groups) == 2 else TREND
    return {"threshold": BOUND, "most": MOST, "difference": SAME}[test.name]


def judge_seeds(claim: Claim, index: Index) -> Verdict:
    """The verdict of a claim about seeds on the runs that were planned for it."""
    name = test_name(claim)
    found = index.samples(claim, claim.measure)
    if isinstance(found, list):
        return not_run(claim, found, name)
    samples = list(found.values())
    if any(len(sample.values) < claim.needs.seeds for sample in samples):
        return too_few(claim, samples, name, _expected_of_one(claim, samples))
    return verdict_of(claim, found)


def verdict_of(claim: Claim, samples: Samples) -> Verdict:
    """What whole samples show, open until p is adjusted."""
    return TESTS[claim.test.name](claim, claim.test, samples)


def _is_mean(printed: Printed) -> bool:
    return printed.std is not None and printed.runs > 1


def _runs_of(printed: Printed) -> tuple[float, ...]:
    assert printed.std is not None
    return stats.stand_in(printed.value, printed.std, printed.runs)


def _expected_of_one(claim: Claim, samples: Sequence[Sample]) -> str:
    """Beside a single run: what the printed ones let one expect."""
    test = claim.test
    if not isinstance(test, Reaches) or [len(sample.values) for sample in samples] != [1]:
        return ""
    printed, measure = look_up(test.reference), samples[0].measure
    if not _is_mean(printed):
        return ""
    expected = stats.prediction_interval(_runs_of(printed)).text(measure.digits)
    return f"; the {printed.runs} printed runs let one expect the next from " + (
        f"{expected}{measure.unit}"
    )


def _reaches(claim: Claim, test: Reaches, samples: Samples) -> Verdict:
    """Whether our mean is the printed number, but for the margin.

    A printed mean brings its own spread and number of runs (Welch). A printed single run must also
    be one that our seeds let one expect, and a refutation one that they do not.
    """
    printed, margin = look_up(test.reference), _margin(claim)
    (sample,) = samples.values()
    if _is_mean(printed):
        apart = stats.difference(sample.values, _runs_of(printed), sample.unit)
        told = f"{printed.value:g} ± {printed.std:g} over {printed.runs} runs"
        also, but_within, but_beyond = "", "", ""
    else:
        apart = replace(sample.mean, value=sample.mean.value - printed.value)
        expected = stats.prediction_interval(sample.values, sample.unit)
        told, likely = f"{printed.value:g}", expected.holds(printed.value)
        also = f"; one run is expected from {expected.text(sample.measure.digits)}"
        also += sample.measure.unit
        but_within = "" if likely else "the printed run is not one to be expected"
        but_beyond = "the printed run may be one of these" if likely else ""
    unit = sample.measure.difference_unit
    within = f"the difference is within the margin of {margin:g}{unit}"
    side = "higher" if apart.value > 0 else "lower"
    beyond = f"ours is {side} by more than the margin of {margin:g}{unit}"
    return _verdict(
        claim,
        samples,
        apart,
        f"{sample}, printed {told}: {_apart(apart, sample.measure)}{also}",
        Direction("reproduced", apart.p_within(margin), within, but_within),
        Direction("refuted", apart.p_beyond(margin), beyond, but_beyond),
    )


def _threshold(claim: Claim, test: Threshold, samples: Samples) -> Verdict:
    bound = test.bound if test.reference is None else look_up(test.reference).value
    assert bound is not None
    (sample,) = samples.values()
    measure, margin, estimate = sample.measure, _margin(claim), sample.mean
    if test.side == "below":
        holds, fails = estimate.p_below(bound), estimate.p_above(bound + margin)
    else:
        holds, fails = estimate.p_above(bound), estimate.p_below(bound - margin)
    beyond = f"it is beyond by more than {margin:g}{measure.difference_unit}"
    verdict = _verdict(
        claim,
        samples,
        estimate,
        f"{sample}, claimed {test.side} {bound:g}{measure.unit}",
        Direction("reproduced", holds, f"the mean is {test.side} the bound"),
        Direction("refuted", fails, beyond),
    )
    return replace(verdict, unit=measure.unit)


def _most(claim: Claim, test: Most, samples: Samples) -> Verdict:
    (sample,) = samples.values()
    runs, hits = len(sample.values), sum(map(test.hits, sample.values))
    values = ", ".join(number(value, sample.measure.digits) for value in sample.values)
    side = f"{test.side} {test.bound:g}{sample.measure.unit}"
    verdict = _verdict(
        claim,
        samples,
        None,
        f"{hits} of {runs} runs of {sample.label} have a {sample.measure.words} {side}: {values}",
        Direction("reproduced", stats.p_most(hits, runs), "more than half of all runs do"),
        Direction("refuted", stats.p_most(runs - hits, runs), "fewer than half of all runs do"),
    )
    interval = stats.share_interval(hits, runs)
    share = 100 * hits / runs
    return replace(verdict, effect=share, interval=interval, unit=" % of runs", digits=0)


def _ordering(claim: Claim, _test: Ordering, samples: Samples) -> Verdict:
    """Whether means rise from level to level.

    The trend is the slope of a straight line through the cells over their levels, times the number
    of steps: of two cells the difference. It must rise, and no step between neighbouring levels may
    fall by more than the margin; the weakest of these tests decides (an intersection-union test: no
    correction). Any of them well on the other side refutes, and which one is found by looking at
    all, so that its p-value is multiplied by their number.
    """
    margin, levels = _margin(claim), claim.needs.cells
    level_of = np.array([n for n, level in enumerate(levels) for _ in level], dtype=float)
    cells = [samples[group] for level in levels for group in level]
    weights = level_of - level_of.mean()
    trend = _combined(cells, weights * (len(levels) - 1) / float(weights @ level_of))
    pairs = [
        (samples[high], samples[low])
        for lower, upper in pairwise(levels)
        for low in lower
        for high in upper
    ]
    steps = [_combined(pair, (1.0, -1.0)) for pair in pairs]
    tested = [trend, *steps] if len(steps) > 1 else steps
    holds = max([trend.p_above(0), *(step.p_above(-margin) for step in steps)])
    fails = min(1.0, len(tested) * min(each.p_below(-margin) for each in tested))
    measure = cells[0].measure
    least, (high, low) = min(zip(steps, pairs, strict=True), key=lambda both: both[0].value)
    told = f"{', '.join(map(str, samples.values()))}; "
    if len(steps) > 1:
        told += f"the trend from the first to the last is {_apart(trend, measure)}; least step: "
    told += f"{high.label} minus {low.label} {_apart(least, measure)}"
    reversal = f"it goes the other way by more than {margin:g}{measure.difference_unit}"
    return _verdict(
        claim,
        samples,
        trend,
        told,
        Direction("reproduced", holds, "the order holds"),
        Direction("refuted", fails, reversal),
    )


def _difference(claim: Claim, _test: Difference, samples: Samples) -> Verdict:
    candidate, baseline = samples.values()
    margin, measure = _margin(claim), candidate.measure
    apart = _combined([candidate, baseline], (1.0, -1.0))
    by = f"than {margin:g}{measure.difference_unit}"
    return _verdict(
        claim,
        samples,
        apart,
        f"{candidate}, {baseline}: {_apart(apart, measure)}",
        Direction("reproduced", apart.p_within(margin), f"they differ by less {by}"),
        Direction("refuted", apart.p_beyond(margin), f"they differ by more {by}"),
    )


def _combined(cells: Sequence[Sample], weights: Sequence[float] | NDArray[np.float64]) -> Mean:
    """The mean over seeds of a weighted sum of the cells, seed by seed."""
    of_seeds = np.asarray(weights) @ np.array([cell.values for cell in cells])
    unit = max(cell.unit for cell in cells) * float(np.linalg.norm(weights))
    return stats.mean(of_seeds.tolist(), unit)


def _margin(claim: Claim) -> float:
    assert claim.margin is not None
    return claim.margin.value


def _apart(estimate: Mean, measure: Measure) -> str:
    difference = number(estimate.value, measure.digits, signed=True)
    return f"{difference}{measure.difference_unit} ({estimate.interval.text(measure.digits)})"


def _verdict(
    claim: Claim,
    samples: Samples,
    estimate: Mean | None,
    told: str,
    supports: Direction,
    contradicts: Direction,
) -> Verdict:
    """The stronger direction's, open until its p-value is adjusted."""
    stronger = supports if supports.p < contradicts.p else contradicts
    measure = next(iter(samples.values())).measure
    return Verdict(
        claim=claim,
        word=stronger.word,
        reason=told,
        test=test_name(claim),
        samples=tuple(samples.values()),
        effect=estimate.value if estimate else None,
        interval=estimate.interval if estimate else None,
        margin=claim.margin.value if claim.margin else None,
        unit=measure.difference_unit,
        digits=measure.digits,
        p=min(1.0, 2 * stronger.p),
        shown=stronger.shown,
        but=stronger.but,
    )


TESTS: Final[dict[str, Callable[[Claim, Any, Samples], Verdict]]] = {
    "reaches": _reaches,
    "threshold": _threshold,
    "most": _most,
    "ordering": _ordering,
    "difference": _difference,
}
