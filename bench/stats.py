"""The statistics of verdicts: Student's t and Welch's, thin over scipy. No torch here.

Intervals hold 95 %, and every p-value is one-sided. Two noises are kept apart: that from seed to
seed, which needs several runs and Student's t, and that of a finite test set, which one run has.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from scipy import special, stats

from bench.formats import number

LEVEL: Final = 0.05
"""Of verdicts and of what their intervals leave out; half of it for each way to be wrong."""
POWER: Final = 0.8
MOST_SEEDS: Final = 100

Values = Sequence[float]


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a number is expected, in its own unit."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies inside."""
        return self.low <= value <= self.high

    def text(self, digits: int) -> str:
        """``8.24 to 8.78``."""
        return f"{number(self.low, digits)} to {number(self.high, digits)}"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the interval for its true value."""

    value: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean, or the difference of two, as a t-test knows it.

    Attributes:
        value: of the samples.
        error: its standard error.
        freedom: degrees of freedom; Welch's for a difference.
    """

    value: float
    error: float
    freedom: float

    @property
    def interval(self) -> Interval:
        """For the true value."""
        return self.interval_at(LEVEL)

    def interval_at(self, level: float) -> Interval:
        """For the true value, which it misses with the probability ``level``."""
        half = float(special.stdtrit(self.freedom, 1 - level / 2)) * self.error
        return Interval(self.value - half, self.value + half)

    def p_below(self, bound: float) -> float:
        """Small where the true value is below ``bound``."""
        return float(special.stdtr(self.freedom, (self.value - bound) / self.error))

    def p_above(self, bound: float) -> float:
        """Small where the true value is above ``bound``."""
        return float(special.stdtr(self.freedom, -(self.value - bound) / self.error))

    def p_within(self, margin: float) -> float:
        """Of two one-sided tests; small where the true value is less than ``margin`` from 0."""
        return max(self.p_above(-margin), self.p_below(margin))

    def p_beyond(self, margin: float) -> float:
        """Small where the true value is more than ``margin`` from 0."""
        return min(self.p_below(-margin), self.p_above(margin))


@dataclass(frozen=True, slots=True)
class Variance:
    """An estimate, and by how many degrees of freedom; infinitely many where it is given."""

    value: float
    freedom: float


def total(parts: Sequence[Variance]) -> Variance:
    """Of the sum of what varies independently, with Satterthwaite's degrees of freedom.

    Source: F. E. Satterthwaite, An approximate distribution of estimates of variance components,
    Biometrics Bulletin 2, 1946.
    """
    value = sum(part.value for part in parts)
    doubt = sum((part.value / value) ** 2 / part.freedom for part in parts)
    return Variance(value, 1 / doubt if doubt else math.inf)


def mean(values: Values) -> Mean:
    """Of at least two values, not all equal."""
    freedom = len(values) - 1
    return Mean(float(np.mean(values)), float(np.std(values)) / math.sqrt(freedom), freedom)


def difference(candidate: Values, baseline: Values) -> Mean:
    """Mean of ``candidate`` minus that of ``baseline``, whose spreads may differ (Welch)."""
    error = total(
        [Variance(float(np.var(v)) / (len(v) - 1), len(v) - 1) for v in (candidate, baseline)]
    )
    value = float(np.mean(candidate) - np.mean(baseline))
    return Mean(value, math.sqrt(error.value), error.freedom)


def break_ties(values: Values, unit: float) -> tuple[float, ...]:
    """``values``; where several are all equal, spread evenly over one counting ``unit``.

    Equal counts know their number to half a unit. Taken as exact they would claim certainty.
    """
    if len(values) < 2 or np.ptp(values) > 0:
        return tuple(values)
    steps = np.linspace(-unit / 2, unit / 2, len(values))
    return tuple(float(value + step) for value, step in zip(values, steps, strict=True))


def standard_deviation(values: Values) -> float:
    """Sample standard deviation of at least two values."""
    return float(np.std(values, ddof=1))


def prediction_interval(values: Values) -> Interval:
    """Where one more run like those of ``values``, at least two, is expected."""
    n = len(values)
    scale = standard_deviation(values) * np.sqrt(1 + 1 / n)
    low, high = stats.t.interval(1 - LEVEL, n - 1, loc=np.mean(values), scale=scale)
    return Interval(float(low), float(high))


def stand_in(average: float, std: float, runs: int) -> tuple[float, ...]:
    """``runs`` numbers with exactly this mean and standard deviation.

    A t-test knows no more of a sample than these, so that published ones can be tested against.
    """
    shape = np.arange(runs) - (runs - 1) / 2
    return tuple(float(average + std * step) for step in shape / np.std(shape, ddof=1))


def holm(p_values: Values) -> tuple[float, ...]:
    """p-values of one family, adjusted by Holm's method."""
    adjusted, least = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda n: p_values[n])):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = least
    return tuple(adjusted)


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
    """Where a one-sided t-test at half of LEVEL has the POWER to see so many deviations."""
    for seeds in range(2, MOST_SEEDS + 1):
        freedom = groups * (seeds - 1)
        critical = special.stdtrit(freedom, 1 - LEVEL / 2)
        if 1 - special.nctdtr(freedom, effect * math.sqrt(seeds / groups), critical) >= POWER:
            return seeds
    return None


def wilson_interval(accuracy: float, images: float) -> tuple[float, float]:
    """95 % interval, in percent, of an ``accuracy`` in percent measured on ``images`` images.

    It covers the noise of a finite test set only, not that of seeds, recipes or machines.
    """
    correct = round(accuracy / 100 * images)
    interval = stats.binomtest(correct, int(images)).proportion_ci(1 - LEVEL, method="wilson")
    return 100 * float(interval.low), 100 * float(interval.high)
