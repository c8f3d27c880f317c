"""Steps in a series: the levels between which results jumped, found as asv finds them. No torch.

The levels are medians. How many there are is decided by the sum of absolute deviations from them:
its logarithm must fall by more than each further step costs.
"""

import math
from collections.abc import Sequence
from statistics import median
from typing import Final

SHORTEST: Final = 2
"""Results that a level has at least: one alone, which nothing confirms, is no level."""

PENALTY: Final = 4.0
"""Times log n, for each step, as in asv. docs/methodology.md has how often that errs."""


def level_starts(values: Sequence[float], least: float) -> list[int]:
    """Where each level begins, in order; always 0 first, and alone without a step.

    Args:
        values: in the order of time.
        least: mean absolute deviation that is there in any case, in their unit: smaller ones, as
            a few values show by chance, are not believed.
    """
    count = len(values)
    found = [0]
    lowest = math.inf
    for starts, cost in _fits(values):
        score = count * math.log(max(cost / count, least)) + PENALTY * math.log(count) * len(starts)
        if score < lowest:
            found, lowest = starts, score
    return found


def _fits(values: Sequence[float]) -> list[tuple[list[int], float]]:
    """For 1, 2, 3 ... levels where they begin at best, with the sum of absolute deviations."""
    count = len(values)
    # Costs of one level from ``start`` up to ``end``; series of results are short.
    cost = {
        (start, end): _deviation(values[start:end])
        for start in range(count)
        for end in range(start + SHORTEST, count + 1)
    }
    best: dict[int, tuple[float, list[int]]] = {
        end: (cost[0, end], [0]) for end in range(SHORTEST, count + 1)
    }
    fits = []
    while count in best:
        fits.append((best[count][1], best[count][0]))
        best = {
            end: min(
                (best[start][0] + cost[start, end], [*best[start][1], start])
                for start in best
                if start + SHORTEST <= end
            )
            for end in range(SHORTEST, count + 1)
            if any(start + SHORTEST <= end for start in best)
        }
    return fits


def _deviation(values: Sequence[float]) -> float:
    middle = median(values)
    return sum(abs(value - middle) for value in values)
