"""The speed of each block and of whole networks: ``pytest --benchmark-only``."""

import pytest

from tests.speed.cases import CASES
from tests.speed.timing import batch_size, clock, facts, prepare

# The clock waits for the device. A round is one repetition but for the quickest on a GPU.
pytestmark = pytest.mark.benchmark(timer=clock, min_rounds=7, max_time=0.6, disable_gc=True)


def measure(benchmark, case, direction):
    images = batch_size(case) if benchmark.enabled else 2
    benchmark.extra_info = facts(case, direction, images)
    benchmark.group = f"{case.words['stage']}: {direction}"
    repetition = prepare(case, direction, images)
    repetition()  # memory is allocated and kernels are chosen: not what a round takes
    result = benchmark(repetition)
    if direction == "forward":
        assert result.shape[1:] == case.layers[-1].output_shape
        assert result.isfinite().all()


def test_block(benchmark, block, direction):
    measure(benchmark, CASES[block], direction)


def test_network(benchmark, network, direction):
    measure(benchmark, CASES[network], direction)
