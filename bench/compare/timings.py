"""Two sets of timings of the same work: how many times faster one is, and whether that is noise.

Times are compared as ratios, so that the statistics are made on their logarithms.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bench.stats import LEVEL, Interval

LEAST_FLOOR: Final = 0.03
"""Logarithm of a ratio. Assumed where ``noise`` has measured nothing: two runs of the same thing on
the same machine differ as a whole by about 1 % each (clock, layout of memory), which no round in
them shows: 1.96 · √2 · 1 % is 2.8 %."""
RESAMPLES: Final = 1000
_AT_ONCE: Final = 100  # so that many samples need little memory
_SEED: Final = 0

Rounds = Sequence[Sequence[float]]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingDifference:
    """How B compares with A.

    Attributes:
        median_a: seconds.
        median_b: seconds.
        speedup: the median of A over that of B; above 1 where B is faster.
        interval: 95 %, for the speed-up.
        floor: 0.03 where two runs of the same thing differ by up to 3 %.
        p: two-sided, of the rank test of Mann and Whitney.
    """

    median_a: float
    median_b: float
    speedup: float
    interval: Interval
    floor: float
    p: float


def compare(a: Rounds, b: Rounds, least_floor: float = LEAST_FLOOR) -> TimingDifference:
    """Compare two sets of positive, finite times of the same work, each at least one sample.

    Args:
        a: of A.
        b: of B.
        least_floor: by how much runs of the same differ as a whole; a logarithm.
    """
    pieces_a, pieces_b = _pieces(a), _pieces(b)
    samples_a, samples_b = np.concatenate(pieces_a), np.concatenate(pieces_b)
    median_a, median_b = float(np.median(samples_a)), float(np.median(samples_b))
    random = np.random.default_rng(_SEED)
    ratios = _resampled_medians(pieces_a, random) / _resampled_medians(pieces_b, random)
    low, high = np.quantile(ratios, [LEVEL / 2, 1 - LEVEL / 2])
    return TimingDifference(
        median_a=median_a,
        median_b=median_b,
        speedup=median_a / median_b,
        interval=Interval(float(low), float(high)),
        floor=math.expm1(_log_floor(pieces_a, pieces_b, least_floor)),
        p=_rank_test(samples_a, samples_b),
    )


def _pieces(rounds: Rounds) -> list[Array]:
    """The rounds that have samples; the consecutive halves of a single one stand for two."""
    kept = [np.asarray(each, dtype=np.float64) for each in rounds if len(each)]
    if len(kept) == 1 and len(kept[0]) > 1:
        return np.array_split(kept[0], 2)
    return kept


def _resampled_medians(rounds: Sequence[Array], random: np.random.Generator) -> Array:
    """Bootstrap medians, (RESAMPLES,): rounds are drawn, then samples within each of them.

    Samples of one round are alike, so that drawing them all from one pool would promise too much.
    """
    lengths = np.array([len(each) for each in rounds])
    padded = np.array([np.resize(each, lengths.max()) for each in rounds])
    medians = []
    for _ in range(RESAMPLES // _AT_ONCE):
        drawn = random.integers(len(rounds), size=(_AT_ONCE, len(rounds), 1))
        places = random.random((_AT_ONCE, len(rounds), lengths.max())) * lengths[drawn]
        samples = padded[drawn, places.astype(np.intp)]
        medians.append(np.median(samples.reshape(_AT_ONCE, -1), axis=1))
    return np.concatenate(medians)


def _log_floor(a: Sequence[Array], b: Sequence[Array], least: float) -> float:
    """By how much two runs of the same thing differ in 95 of 100 cases, as a logarithm.

    The scatter of round medians, within A and within B, says how well a run's median is known; with
    few rounds Student's t makes up for that scatter being a guess.
    """
    freedom = len(a) + len(b) - 2
    if freedom == 0:
        return least
    centres = [np.log([np.median(each) for each in rounds]) for rounds in (a, b)]
    squares = sum(float(np.sum((each - each.mean()) ** 2)) for each in centres)
    error = math.sqrt(squares / freedom * (1 / len(a) + 1 / len(b)))
    return math.hypot(least, error * float(stats.t.ppf(1 - LEVEL / 2, freedom)))


def _rank_test(a: Array, b: Array) -> float:
    if np.ptp(np.concatenate([a, b])) == 0:
        return 1.0  # all ranks are tied, and scipy's p is not a number
    return float(stats.mannwhitneyu(a, b).pvalue)
