"""The whole learning-rate trace, not samples of it."""

from itertools import pairwise

import pytest

from bench.config import PROFILES
from bench.schedule import learning_rate
from tests.bench.factories import make_recipe


def test_trace_of_a_short_run():
    recipe = make_recipe(learning_rate=1.0, warmup_fraction=0.4)
    trace = [learning_rate(recipe, step, 10) for step in range(10)]
    assert trace == pytest.approx([1 / 4, 2 / 4, 3 / 4, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])


def test_without_warmup_it_starts_at_the_peak():
    recipe = make_recipe(learning_rate=0.5, warmup_fraction=0.0)
    assert [learning_rate(recipe, step, 2) for step in range(2)] == [0.5, 0.25]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("steps", [1, 2, 7, 100, 11_730])
def test_every_profile_warms_up_once_and_decays_to_nearly_zero(profile, steps):
    for recipe in PROFILES[profile]().recipes.values():
        trace = [learning_rate(recipe, step, steps) for step in range(steps)]
        peak = trace.index(max(trace))
        assert max(trace) == recipe.learning_rate
        assert all(a < b for a, b in pairwise(trace[: peak + 1]))
        after = trace[peak:]
        assert all(a >= b > 0 for a, b in pairwise(after))
        assert trace[-1] <= 1.001 * recipe.learning_rate / (
            steps - round(steps * recipe.warmup_fraction)
        )
