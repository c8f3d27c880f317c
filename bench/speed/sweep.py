"""Which batch size comes next when throughput is looked for. No torch here."""

import statistics
from collections.abc import Sequence
from typing import Final

from bench.records.speed import Workload

# Twice the batch must be this much faster, or it is not worth its memory.
LEAST_GAIN: Final = 1.03


def throughput(batch_size: int, seconds: Sequence[float]) -> float:
    """Images a second, of the median."""
    return batch_size / statistics.median(seconds)


def next_point(workload: Workload, rate: float, rate_before: float | None) -> Workload | None:
    """Twice the batch of ``workload``, or None where throughput has stopped growing.

    Args:
        workload: what was measured last.
        rate: its images a second.
        rate_before: that of half its batch; None at the first point.
    """
    if rate_before is not None and rate < LEAST_GAIN * rate_before:
        return None
    return workload.model_copy(update={"batch_size": 2 * workload.batch_size})
