"""Two networks on the same test images: who is right where the other is wrong. No torch.

One run of each says nothing about other seeds. But two networks that saw the same images can be
told apart by fewer of them than two that did not, which McNemar's test makes use of.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bench.config.cell import Cell
from bench.records.classes import Classes
from bench.records.schema import Record
from bench.stats import LEVEL, Estimate, Interval, holm

EXACT_BELOW: Final = 25
"""Images on which exactly one is right; from there the approximation is good."""

Predictions = NDArray[np.integer]
"""(2, N): the predicted classes, and below them the true ones."""
Load = Callable[[Record], Classes | None]


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Of two accuracies on the same images.

    Attributes:
        points: accuracy of the candidate minus the baseline's, in points, with Agresti and Min's
            95 % interval (Statistics in Medicine 24, 2005).
        p: two-sided.
        only_baseline: images on which it alone is right.
        only_candidate: the same.
    """

    points: Estimate
    p: float
    only_baseline: int
    only_candidate: int


def compare_predictions(baseline: Predictions, candidate: Predictions) -> PairedDifference:
    """McNemar's test of two sets of predictions, each (2, N).

    Raises:
        ValueError: they are of another shape or of other images, so that there are no pairs.
    """
    for each in (baseline, candidate):
        if each.ndim != 2 or len(each) != 2 or each.shape[1] == 0:
            raise ValueError(f"predictions have the shape {each.shape} instead of (2, images)")
    if not np.array_equal(baseline[1], candidate[1]):
        raise ValueError("predictions are of other images, or in another order")
    right, other_right = (each[0] == each[1] for each in (baseline, candidate))
    only_baseline = int(np.sum(right & ~other_right))
    only_candidate = int(np.sum(other_right & ~right))
    points = _points(only_baseline, only_candidate, baseline.shape[1])
    p = _mcnemar(only_baseline, only_candidate)
    return PairedDifference(points, p, only_baseline, only_candidate)


def _mcnemar(only_baseline: int, only_candidate: int) -> float:
    """Two-sided: exactly, or by chi-square with Edwards's correction where images are many."""
    total = only_baseline + only_candidate
    if total == 0:
        return 1.0
    if total < EXACT_BELOW:
        return float(stats.binomtest(only_baseline, total).pvalue)
    apart = abs(only_baseline - only_candidate) - 1
    return float(stats.chi2.sf(apart**2 / total, df=1))


def _points(only_baseline: int, only_candidate: int, images: int) -> Estimate:
    """Wald's interval with half an image more in each of the four cells of the table."""
    total, apart = images + 2, only_candidate - only_baseline
    error = math.sqrt(only_baseline + only_candidate + 1 - apart**2 / total) / total
    half = float(stats.norm.ppf(1 - LEVEL / 2)) * error
    interval = Interval(100 * (apart / total - half), 100 * (apart / total + half))
    return Estimate(100 * apart / images, interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two completed records of one data set and seed; ``p_holm`` covers all pairs of the page."""

    baseline: Record
    candidate: Record
    found: PairedDifference
    p_holm: float


def compare_pairs(records: Sequence[Record], load: Load) -> list[Pair]:
    """Neighbouring depths, then cells of one depth that differ in one other thing; lowest seed.

    ``load`` gives a record's predicted and true classes, (2, images); None where it has none.
    """
    shown = _of_lowest_seed(records)
    loaded = {record.cell.id: load(record) for record in shown}
    found = []
    for baseline, candidate in _neighbours(shown):
        before, after = loaded[baseline.cell.id], loaded[candidate.cell.id]
        if before is not None and after is not None and before.shape == after.shape:
            found.append((baseline, candidate, compare_predictions(before, after)))
    adjusted = holm([difference.p for _, _, difference in found])
    return [
        Pair(baseline=baseline, candidate=candidate, found=difference, p_holm=p)
        for (baseline, candidate, difference), p in zip(found, adjusted, strict=True)
    ]


def _of_lowest_seed(records: Sequence[Record]) -> list[Record]:
    known = [record for record in records if record.final and record.predictions]
    lowest = min((record.cell.seed for record in known), default=0)
    chosen = [record for record in known if record.cell.seed == lowest]
    return sorted(chosen, key=lambda record: (_series(record.cell), record.cell.depth))


def _neighbours(records: Sequence[Record]) -> list[tuple[Record, Record]]:
    pairs: list[tuple[Record, Record]] = []
    for _, members in groupby(records, lambda record: _series(record.cell)):
        pairs += pairwise(members)
    pairs += [
        (baseline, candidate)
        for baseline, candidate in combinations(records, 2)
        if baseline.cell.depth == candidate.cell.depth
        and _differ_in_one(_series(baseline.cell), _series(candidate.cell))
    ]
    return pairs


def _series(cell: Cell) -> tuple[str, ...]:
    """What cells that differ in depth and seed alone have in common."""
    shortcut = "" if cell.shortcut == "none" else cell.shortcut  # plain: told by the network
    return (cell.dataset, cell.network, cell.lineage, cell.stem, cell.recipe, shortcut)


def _differ_in_one(baseline: tuple[str, ...], candidate: tuple[str, ...]) -> bool:
    differing = [n for n, each in enumerate(baseline) if each != candidate[n]]
    # A plain net and a residual one differ in network and shortcut, which is one thing.
    return differing in ([2], [3], [4], [5], [1, 5])
