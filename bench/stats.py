"""The statistics of verdicts: thin, typed functions over scipy and statsmodels. No torch here.

Intervals hold 95 %, and every p-value is one-sided. Two noises are kept apart: that from seed to
seed, which needs several runs and Student's t, and that of a finite test set, which one run has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower, TTestPower
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

LEVEL: Final = 0.05
"""Of verdicts and of what their intervals leave out; half of it for each way to be wrong."""
POWER: Final = 0.8
MOST_SEEDS: Final = 100

Side = Literal["smaller", "larger"]
Values = Sequence[float]


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a number is expected, in its own unit."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies inside."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, or the difference of two, with the interval for its true value."""

    value: float
    interval: Interval


def break_ties(values: Values, unit: float) -> tuple[float, ...]:
    """``values``; where all are equal, spread evenly over one counting ``unit``.

    Equal counts know their number to half a unit. Taken as exact they would claim certainty.
    """
    if np.ptp(values) > 0:
        return tuple(values)
    steps = np.linspace(-unit / 2, unit / 2, len(values))
    return tuple(float(value + step) for value, step in zip(values, steps, strict=True))


def standard_deviation(values: Values) -> float:
    """Sample standard deviation of at least two values."""
    return float(np.std(values, ddof=1))


def mean(values: Values) -> Estimate:
    """Mean of at least two values, with Student's interval."""
    described = DescrStatsW(values)
    return Estimate(float(described.mean), _interval(described.tconfint_mean(LEVEL)))


def difference(ours: Values, theirs: Values) -> Estimate:
    """Mean of ``ours`` minus that of ``theirs``, with Welch's interval."""
    value = float(np.mean(ours) - np.mean(theirs))
    interval = _pair(ours, theirs).tconfint_diff(LEVEL, usevar="unequal")
    return Estimate(value, _interval(interval))


def mean_test(values: Values, bound: float, side: Side) -> float:
    """p-value of the t-test; small where the mean is ``side`` than ``bound``."""
    return float(DescrStatsW(values).ttest_mean(bound, alternative=side)[1])


def difference_test(ours: Values, theirs: Values, bound: float, side: Side) -> float:
    """p-value of Welch's test; small where the difference is ``side`` than ``bound``."""
    pair = _pair(ours, theirs)
    return float(pair.ttest_ind(alternative=side, usevar="unequal", value=bound)[1])


def mean_equivalence(values: Values, target: float, margin: float) -> float:
    """p-value of TOST; small where the mean is less than ``margin`` away from ``target``."""
    return float(DescrStatsW(values).ttost_mean(target - margin, target + margin)[0])


def difference_equivalence(ours: Values, theirs: Values, margin: float) -> float:
    """p-value of Welch's TOST; small where the means differ by less than ``margin``."""
    return float(_pair(ours, theirs).ttost_ind(-margin, margin, usevar="unequal")[0])


def mean_beyond(values: Values, target: float, margin: float) -> float:
    """p-value; small where the mean is more than ``margin`` away from ``target``."""
    low = mean_test(values, target - margin, "smaller")
    return min(low, mean_test(values, target + margin, "larger"))


def difference_beyond(ours: Values, theirs: Values, margin: float) -> float:
    """p-value; small where the means differ by more than ``margin``."""
    low = difference_test(ours, theirs, -margin, "smaller")
    return min(low, difference_test(ours, theirs, margin, "larger"))


def prediction_interval(values: Values) -> Interval:
    """Where one more run like those of ``values``, at least two, is expected."""
    n = len(values)
    scale = standard_deviation(values) * np.sqrt(1 + 1 / n)
    return _interval(stats.t.interval(1 - LEVEL, n - 1, loc=np.mean(values), scale=scale))


def share_interval(percent: float, images: int) -> Interval:
    """``wilson_interval`` of a share counted on ``images`` images."""
    return Interval(*wilson_interval(percent, images))


def stand_in(average: float, std: float, runs: int) -> tuple[float, ...]:
    """``runs`` numbers with exactly this mean and standard deviation.

    A t-test knows no more of a sample than these, so that published ones can be tested against.
    """
    shape = np.arange(runs) - (runs - 1) / 2
    return tuple(float(average + std * step) for step in shape / np.std(shape, ddof=1))


def holm(p_values: Values) -> tuple[float, ...]:
    """p-values of one family, adjusted by Holm's method."""
    if not p_values:
        return ()
    return tuple(float(p) for p in multipletests(p_values, method="holm")[1])


def seeds_needed(gap: float, std: float, groups: Literal[1, 2]) -> int | None:
    """Seeds, in each group, with which a true ``gap`` is seen in 8 of 10 cases.

    Args:
        gap: between the truth and the bound that it is tested against.
        std: from seed to seed, in the same unit.
        groups: 1 for a mean, 2 for the difference of two.

    Returns:
        None where more than MOST_SEEDS are needed.
    """
    return _seeds_needed(round(abs(gap) / std, 2), groups) if std else 2


@lru_cache(maxsize=4096)
def _seeds_needed(effect: float, groups: Literal[1, 2]) -> int | None:
    few, many = 2, MOST_SEEDS
    if _power(effect, many, groups) < POWER:
        return None
    while few < many:
        middle = (few + many) // 2
        few, many = (few, middle) if _power(effect, middle, groups) >= POWER else (middle + 1, many)
    return few


def _power(effect: float, seeds: int, groups: Literal[1, 2]) -> float:
    """Of a one-sided t-test that has half of LEVEL."""
    options = {"alpha": LEVEL / 2, "alternative": "larger"}
    if groups == 1:
        return float(TTestPower().power(effect, seeds, **options))
    return float(TTestIndPower().power(effect, seeds, ratio=1, **options))


def _pair(ours: Values, theirs: Values) -> CompareMeans:
    return CompareMeans(DescrStatsW(ours), DescrStatsW(theirs))


def _interval(bounds: Sequence[float]) -> Interval:
    low, high = bounds
    return Interval(float(low), float(high))


def wilson_interval(accuracy: float, images: float) -> tuple[float, float]:
    """95 % interval, in percent, of an ``accuracy`` in percent measured on ``images`` images.

    It covers the noise of a finite test set only, not that of seeds, recipes or machines.
    """
    correct = round(accuracy / 100 * images)
    interval = stats.binomtest(correct, int(images)).proportion_ci(1 - LEVEL, method="wilson")
    return 100 * float(interval.low), 100 * float(interval.high)
