"""Do accuracies rise or fall along a row of networks, as far as test sets can tell? No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from scipy import special

from bench.stats import LEVEL, holm

Order = Literal["rises", "falls", "none", "noise", "unclear"]


@dataclass(frozen=True, slots=True)
class Share:
    """An accuracy in percent, and the images that it was counted on."""

    accuracy: float
    images: float


def order(shares: Sequence[Share]) -> Order:
    """How accuracies change along a row of networks, by tests of all their pairs.

    Two-sided tests of two shares as if of different images, adjusted by Holm's method: they know
    the noise of the test set, not that of seeds. ``unclear``: some pairs differ, but the first and
    the last network do not, or only one way.
    """
    if len(shares) < 2:
        return "unclear"
    pairs = list(combinations(range(len(shares)), 2))
    adjusted = holm([_p(shares[one], shares[other]) for one, other in pairs])
    steps = {
        pair: shares[pair[1]].accuracy - shares[pair[0]].accuracy
        for pair, p in zip(pairs, adjusted, strict=True)
        if p < LEVEL
    }
    if not steps:
        return "noise"
    up, down = (any(step * sign > 0 for step in steps.values()) for sign in (1, -1))
    if up and down:
        return "none"
    if (0, len(shares) - 1) not in steps:
        return "unclear"
    return "rises" if up else "falls"


def _p(one: Share, other: Share) -> float:
    """Two-sided, of equal shares: the normal approximation with the pooled share."""
    total = one.images + other.images
    pooled = (one.accuracy * one.images + other.accuracy * other.images) / 100 / total
    variance = pooled * (1 - pooled) * (1 / one.images + 1 / other.images)
    if variance <= 0:
        return 1.0
    return float(2 * special.ndtr(-abs(one.accuracy - other.accuracy) / 100 / variance**0.5))
