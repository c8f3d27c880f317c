"""The whole learning-rate trace, not samples of it."""

import json
from importlib.resources import files
from itertools import pairwise
from math import ceil

import numpy as np
import pytest

from bench.config import recipes
from bench.config.profiles import PROFILES
from bench.config.recipe import LinearSchedule
from bench.config.schedule import learning_rate
from tests.support.factories import make_recipe

pytestmark = pytest.mark.heavy

PAPER = json.loads(files("bench.reference").joinpath("paper.json").read_text())["cifar_section"]
PROJECT = json.loads(files("bench.reference").joinpath("project2022.json").read_text())
LINEAR = {
    f"{plan.recipe.name}-{plan.cell.dataset}": plan.recipe
    for profile in PROFILES.values()
    for plan in profile().plans
    if isinstance(plan.recipe.schedule, LinearSchedule)
}


def trace(recipe, steps, *, epoch_steps=1, warmup_end=0):
    return [
        learning_rate(recipe, step, steps, epoch=1 + step // epoch_steps, warmup_end=warmup_end)
        for step in range(steps)
    ]


def test_traces_of_short_runs_with_and_without_warmup():
    recipe = make_recipe(learning_rate=1.0, schedule=LinearSchedule(warmup_fraction=0.4))
    assert trace(recipe, 10) == pytest.approx(
        [1 / 4, 2 / 4, 3 / 4, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]
    )
    recipe = make_recipe(learning_rate=0.5, schedule=LinearSchedule(warmup_fraction=0.0))
    assert trace(recipe, 2) == [0.5, 0.25]


@pytest.mark.parametrize("recipe", LINEAR.values(), ids=LINEAR)
@pytest.mark.parametrize("steps", [1, 2, 7, 100, 11_730])
def test_linear_recipes_warm_up_once_and_decay_to_nearly_zero(recipe, steps):
    rates = trace(recipe, steps)
    peak = rates.index(max(rates))
    assert max(rates) == recipe.learning_rate
    assert all(a < b for a, b in pairwise(rates[: peak + 1]))
    after = rates[peak:]
    assert all(a >= b > 0 for a, b in pairwise(after))
    warmup = round(steps * recipe.schedule.warmup_fraction)
    assert rates[-1] <= 1.001 * recipe.learning_rate / (steps - warmup)


def paper_rates():
    """64k iterations as section 4.2 says."""
    paper = PAPER["hyperparameters"]
    first, second = paper["lr_drops_at_iterations"]
    rate, drop = paper["lr_initial"], paper["lr_drop_factor"]
    return [
        *[rate] * first,
        *[rate / drop] * (second - first),
        *[rate / drop**2] * (paper["stop_iteration"] - second),
    ]


def test_trace_of_the_paper():
    rates = trace(recipes.paper_cifar(warmup=False), 64_000)
    np.testing.assert_allclose(rates, paper_rates(), rtol=1e-12)


@pytest.mark.parametrize("end", [100, 391, 40_000])
def test_trace_of_the_paper_after_a_warmup_of_any_length(end):
    """Afterwards the schedule is as it would have been."""
    rates = trace(recipes.paper_cifar(warmup=True), 64_000, warmup_end=end)
    expected = [PAPER["resnet110_warmup"]["lr"]] * end + paper_rates()[end:]
    np.testing.assert_allclose(rates, expected, rtol=1e-12)


def test_only_a_warmup_that_does_not_end_keeps_its_rate():
    rates = trace(recipes.paper_cifar(warmup=True), 64_000, warmup_end=None)
    assert set(rates) == {PAPER["resnet110_warmup"]["lr"]}
    assert trace(recipes.paper_cifar(warmup=False), 10, warmup_end=None) == [0.1] * 10


@pytest.mark.parametrize("run", PROJECT["runs"], ids=lambda run: run["notebook"])
def test_trace_of_the_2022_project(run):
    """Over 200 epochs, so that both of its milestones show; its own runs end before them."""
    images = PROJECT["meta"]["datasets"][run["dataset"]]["train_images"]
    per_epoch = ceil(images / run["train_batch_size"])
    recipe = recipes.project2022(run["dataset"], variant=run["recipe"], epochs=200)
    rates = trace(recipe, 200 * per_epoch, epoch_steps=per_epoch)
    first, second = run["lr_decay_epochs"]
    expected = np.repeat(
        [run["lr"], run["lr"] / 10, run["lr"] / 100],
        [first * per_epoch, (second - first) * per_epoch, (200 - second) * per_epoch],
    )
    np.testing.assert_allclose(rates, expected, rtol=1e-12)
