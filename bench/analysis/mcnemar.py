"""McNemar's test: two networks that saw the same images, image by image."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from bench.stats import LEVEL, Estimate, Interval

EXACT_BELOW: Final = 25
"""Images on which exactly one is right; from there the approximation is good."""

Predictions = NDArray[np.integer]
"""(2, N): the predicted classes, and below them the true ones."""


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Of two accuracies on the same images.

    Attributes:
        points: accuracy of B minus that of A, in points, with Agresti and Min's 95 % interval
            (Statistics in Medicine 24, 2005).
        p: two-sided.
        only_a: images on which A alone is right.
        only_b: images on which B alone is right.
    """

    points: Estimate
    p: float
    only_a: int
    only_b: int


def compare(a: Predictions, b: Predictions) -> PairedDifference:
    """Compare two sets of predictions, each (2, N).

    Raises:
        ValueError: they are of another shape or of other images, so that there are no pairs.
    """
    for each in (a, b):
        if each.ndim != 2 or len(each) != 2 or each.shape[1] == 0:
            raise ValueError(f"predictions have the shape {each.shape} instead of (2, images)")
    if not np.array_equal(a[1], b[1]):
        raise ValueError("predictions are of other images, or in another order")
    right_a, right_b = a[0] == a[1], b[0] == b[1]
    only_a, only_b = int(np.sum(right_a & ~right_b)), int(np.sum(right_b & ~right_a))
    table = [[int(np.sum(right_a & right_b)), only_a], [only_b, int(np.sum(~right_a & ~right_b))]]
    tested = mcnemar(table, exact=only_a + only_b < EXACT_BELOW)
    return PairedDifference(
        _points(only_a, only_b, a.shape[1]), float(tested.pvalue), only_a, only_b
    )


def _points(only_a: int, only_b: int, images: int) -> Estimate:
    """Wald's interval with half an image more in each of the four cells of the table."""
    total, apart = images + 2, only_b - only_a
    error = math.sqrt(only_a + only_b + 1 - apart**2 / total) / total
    half = float(stats.norm.ppf(1 - LEVEL / 2)) * error
    interval = Interval(100 * (apart / total - half), 100 * (apart / total + half))
    return Estimate(100 * apart / images, interval)
