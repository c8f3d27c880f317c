"""Warm-up and samples: how a repetition is timed, and how often."""

import math
import statistics
import time
from collections.abc import Callable
from typing import Final

import torch

from bench.training.engine import synchronize

Clock = Callable[[], float]
Repetition = Callable[[], object]
Stopwatch = Callable[[Repetition], float]
"""Does a repetition and says how many seconds it took."""

# A warm-up ends when the median of its last WINDOW repetitions is within TOLERANCE of that of the
# WINDOW before, but not before LEAST_WARMUP_SECONDS: clocks rise and caches fill in that time.
WINDOW: Final = 3
TOLERANCE: Final = 0.05
LEAST_WARMUP: Final = 2
LEAST_WARMUP_SECONDS: Final = 0.2
MOST_WARMUP_SECONDS: Final = 0.7
# Of a round. Slow repetitions take longer: the least number is always taken.
SAMPLE_SECONDS: Final = 1.5
LEAST_SAMPLES: Final = 3
MOST_SAMPLES: Final = 1000
# On a GPU a sample is a burst of repetitions, so that asking for the first one and learning of the
# end of the last are no part of them: as many as take BURST_SECONDS.
MOST_IN_BURST: Final = 20
BURST_SECONDS: Final = 0.02


def wall(device: torch.device, clock: Clock = time.perf_counter) -> Stopwatch:
    """A stopwatch by a monotonic ``clock``, with the device idle before and after."""

    def seconds(repetition: Repetition) -> float:
        synchronize(device)
        start = clock()
        repetition()
        synchronize(device)
        return clock() - start

    return seconds


def cuda_events(device: torch.device) -> Stopwatch:
    """A stopwatch by CUDA events: the GPU notes when it begins and ends, launches included."""

    def seconds(repetition: Repetition) -> float:
        synchronize(device)
        start, end = _event(), _event()
        start.record()
        repetition()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) / 1000  # from milliseconds

    return seconds


def _event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch's gap


def best_stopwatch(device: torch.device) -> Stopwatch:
    """The most exact one for ``device``."""
    return cuda_events(device) if device.type == "cuda" else wall(device)


def burst_size(device: torch.device, seconds: float) -> int:
    """How many repetitions of about ``seconds`` make a sample on ``device``."""
    if device.type == "cpu":
        return 1
    return max(1, min(MOST_IN_BURST, math.ceil(BURST_SECONDS / seconds)))


def in_bursts(stopwatch: Stopwatch, size: int) -> Stopwatch:
    """A stopwatch that does a repetition ``size`` times and gives the mean of one."""

    def seconds(repetition: Repetition) -> float:
        def burst() -> None:
            for _ in range(size):
                repetition()

        return stopwatch(burst) / size

    return seconds


def warm_up(
    repetition: Repetition,
    stopwatch: Stopwatch,
    *,
    least: int = LEAST_WARMUP,
    least_seconds: float = LEAST_WARMUP_SECONDS,
    most_seconds: float = MOST_WARMUP_SECONDS,
) -> tuple[float, ...]:
    """Repeat until the time of a repetition is stable; at least ``least`` times in any case.

    Returns:
        Seconds of each repetition. Without ``least`` they take ``most_seconds`` and one more
        repetition at most.
    """
    seconds: list[float] = []
    while True:
        seconds.append(stopwatch(repetition))
        total = sum(seconds)
        if len(seconds) >= least and (
            total >= most_seconds or (total >= least_seconds and is_stable(seconds))
        ):
            return tuple(seconds)


def is_stable(seconds: list[float]) -> bool:
    """Whether the last WINDOW repetitions took as long as the WINDOW before them."""
    if len(seconds) < 2 * WINDOW:
        return False
    before = statistics.median(seconds[-2 * WINDOW : -WINDOW])
    return abs(statistics.median(seconds[-WINDOW:]) - before) <= TOLERANCE * before


def sample(
    repetition: Repetition,
    stopwatch: Stopwatch,
    *,
    seconds: float = SAMPLE_SECONDS,
    least: int = LEAST_SAMPLES,
    most: int = MOST_SAMPLES,
) -> tuple[float, ...]:
    """Seconds of each sample: as many as make ``seconds`` together, from ``least`` to ``most``."""
    samples: list[float] = []
    while len(samples) < least or (sum(samples) < seconds and len(samples) < most):
        samples.append(stopwatch(repetition))
    return tuple(samples)
