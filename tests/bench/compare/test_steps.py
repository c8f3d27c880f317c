"""Levels of a series: a step is found where it is, and noise shows hardly any."""

import numpy as np
import pytest

from bench.compare.steps import level_starts

NOISE = 0.02
LEAST = 0.009


def starts(values):
    return level_starts(list(map(float, values)), LEAST)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], [0]),
        ([5], [0]),
        ([5, 9, 5], [0]),  # three cannot have two levels
        ([5, 5, 9, 9], [0, 2]),
        ([5, 5, 5, 9], [0]),  # one alone is confirmed by nothing
        ([5, 5, 5, 9, 5, 5], [0]),
        ([5] * 10, [0]),
        ([5] * 4 + [6] * 3 + [4] * 3, [0, 4, 7]),
        ([5] * 4 + [6] * 3 + [5] * 3, [0, 4, 7]),
    ],
)
def test_levels_begin_where_values_jump(values, expected):
    assert starts(values) == expected


def test_what_is_smaller_than_noise_in_any_case_is_no_step():
    values = [5, 5, 5, 5.003, 5.003, 5.003]
    assert starts(values) == [0]
    assert level_starts(values, 1e-6) == [0, 3]


def simulated(count, step=0.0, outliers=0.0, series=200):
    """Series of logarithms with noise of 2 %, and a step in the middle."""
    rng = np.random.default_rng(count)
    for _ in range(series):
        values = rng.normal(0, NOISE, count) + step * (np.arange(count) >= count // 2)
        yield values + np.where(rng.random(count) < outliers, rng.uniform(0.1, 0.4, count), 0)


@pytest.mark.parametrize("count", [4, 6, 10])
@pytest.mark.parametrize("outliers", [0, 0.1])
def test_noise_shows_a_step_in_few_series(count, outliers):
    wrong = sum(starts(values) != [0] for values in simulated(count, outliers=outliers))
    assert wrong <= 200 * 0.04


@pytest.mark.parametrize(("count", "step", "least"), [(4, 0.2, 0.95), (10, 0.1, 0.85)])
def test_a_step_that_stands_out_is_found_at_its_place(count, step, least):
    hits = sum(starts(values) == [0, count // 2] for values in simulated(count, step))
    assert hits >= 200 * least
