"""The sentences above figures of speed, as ``findings`` has those of the others.

Each returns an empty string where quartiles do not lie apart.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.analysis.labels import model_title
from bench.formats import listed, significant
from bench.report.figures.findings import span


@dataclass(frozen=True, slots=True)
class Timing:
    """A median with its quartiles, of one network."""

    network: str
    depth: int
    low: float
    median: float
    high: float

    @property
    def title(self) -> str:
        return model_title(self.network, self.depth)


def throughput(training: Sequence[Timing], inference: Sequence[Timing]) -> str:
    """How many times as fast the fastest network trains, and what training costs."""
    told = []
    fast, slow = _ends(training)
    if fast and slow:
        factor = significant(fast.median / slow.median, 2)
        told.append(f"{fast.title} trains {factor} times as fast as {slow.title}")
    ratios = [two.median / one.median for one, two in zip(training, inference, strict=True)]
    apart = all(two.low > one.high for one, two in zip(training, inference, strict=True))
    if ratios and apart:
        told.append(f"inference is {span(ratios)} times as fast as training")
    sentence = "; ".join(told)
    return sentence[:1].upper() + sentence[1:]


def latency(timings: Sequence[Timing]) -> str:
    """How many times as long one image takes in the slowest network."""
    slow, fast = _ends(timings)
    if not fast or not slow:
        return ""
    factor = significant(slow.median / fast.median, 2)
    return f"One image takes {slow.title} {factor} times as long as {fast.title}"


def _ends(timings: Sequence[Timing]) -> tuple[Timing, Timing] | tuple[None, None]:
    """Those with the largest and the smallest median, if their quartiles lie apart."""
    if len(timings) < 2:
        return None, None
    most = max(timings, key=lambda each: each.median)
    least = min(timings, key=lambda each: each.median)
    return (most, least) if most.low > least.high else (None, None)


def limit(shares: Mapping[str, Sequence[float]]) -> str:
    """What part of the machine's limit each direction reaches.

    Args:
        shares: from 0 to 1, by ``training`` and ``inference``.
    """
    told = [
        f"{name} reaches {span([100 * share for share in each])} % of the limit"
        for name, each in shares.items()
        if each
    ]
    sentence = ", ".join(told).replace(" of the limit,", " of the limit, and")
    return sentence[:1].upper() + sentence[1:]


def speedups(verdicts: Sequence[str]) -> str:
    """How many of the compared speeds changed, and which way."""
    told = [f"{count} {word}" for word, count in Counter(verdicts).most_common()]
    return f"Of {len(verdicts)} speeds: {listed(told)}" if told else ""
