"""The statistics of verdicts: Student's t and Welch's, thin over scipy. No torch here.

Intervals hold 95 %, and every p-value is one-sided. Two noises are kept apart: that from seed to
seed, which needs several runs and Student's t, and that of a finite test set, which one run has.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special, stats

from bench.formats import number

LEVEL: Final = 0.05
"""Of verdicts and of what their intervals leave out; half of it for each way to be wrong."""

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


def mean(values: Values, unit: float = 0.0) -> Mean:
    """Of at least two values, counted in steps of ``unit``."""
    error = _squared_error(values, unit)
    return Mean(float(np.mean(values)), math.sqrt(error.value), error.freedom)


def difference(candidate: Values, baseline: Values, unit: float = 0.0) -> Mean:
    """Mean of ``candidate`` minus that of ``baseline``, whose spreads may differ (Welch)."""
    error = total([_squared_error(values, unit) for values in (candidate, baseline)])
    value = float(np.mean(candidate) - np.mean(baseline))
    return Mean(value, math.sqrt(error.value), error.freedom)


def _squared_error(values: Values, unit: float) -> Variance:
    """Equal counts know their number to half a unit each way: no variance is less than that."""
    least = unit**2 / 12
    return Variance(max(float(np.var(values, ddof=1)), least) / len(values), len(values) - 1)


def p_most(hits: int, runs: int) -> float:
    """Small where ``hits`` in ``runs`` are too many for what happens in half of all cases."""
    return float(stats.binom.sf(hits - 1, runs, 0.5))


def share_interval(hits: int, runs: int) -> Interval:
    """For a share, in percent, of which ``hits`` in ``runs`` were seen (Clopper and Pearson)."""
    interval = stats.binomtest(hits, runs).proportion_ci(1 - LEVEL, method="exact")
    return Interval(100 * float(interval.low), 100 * float(interval.high))


def standard_deviation(values: Values) -> float:
    """Sample standard deviation of at least two values."""
    return float(np.std(values, ddof=1))


def prediction_interval(values: Values, unit: float = 0.0) -> Interval:
    """Where one more run like those of ``values``, at least two, is expected."""
    known = mean(values, unit)
    half = float(special.stdtrit(known.freedom, 1 - LEVEL / 2)) * known.error
    half *= math.sqrt(len(values) + 1)
    return Interval(known.value - half, known.value + half)


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


def wilson_interval(accuracy: float, images: float) -> tuple[float, float]:
    """95 % interval, in percent, of an ``accuracy`` in percent measured on ``images`` images.

    It covers the noise of a finite test set only, not that of seeds, recipes or machines.
    """
    correct = round(accuracy / 100 * images)
    interval = stats.binomtest(correct, int(images)).proportion_ci(1 - LEVEL, method="wilson")
    return 100 * float(interval.low), 100 * float(interval.high)
