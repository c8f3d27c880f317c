"""Recipes are those of the paper, of the 2022 project and of the records that are stored."""

import json
import math
from importlib.resources import files

import pytest
from pydantic import ValidationError

from bench.config import recipes
from bench.config.recipe import ErrorWarmup, LinearSchedule, Recipe, StepSchedule
from tests.support.factories import make_recipe

REFERENCE = files("bench.reference")
PAPER = json.loads(REFERENCE.joinpath("paper.json").read_text())["cifar_section"]
PROJECT = json.loads(REFERENCE.joinpath("project2022.json").read_text())


def test_paper_cifar_is_section_4_2():
    """All images, the whole test set, and nothing selected on it."""
    paper = PAPER["hyperparameters"]
    drops, factor = paper["lr_drops_at_iterations"], 1 / paper["lr_drop_factor"]
    assert "pad 4" in paper["augmentation"]
    assert "He et al." in paper["init"]
    assert recipes.paper_cifar(warmup=False) == Recipe(
        name="paper_cifar",
        optimizer="sgd",
        learning_rate=paper["lr_initial"],
        schedule=StepSchedule(unit="iteration", milestones=drops, factor=factor),
        momentum=paper["momentum"],
        weight_decay=paper["weight_decay"],
        batch_size=paper["batch_size"],
        iterations=paper["stop_iteration"],
        augmentation="crop_flip",
        initialization="he",
        zero_init_residual=False,
    )


def test_a_shorter_budget_keeps_the_shares_of_the_drops():
    paper = recipes.paper_cifar(warmup=True)
    tenth = recipes.shorten(paper, fraction=0.1)
    assert tenth == recipes.shorten(paper, iterations=6400)
    assert (tenth.name, tenth.iterations) == ("paper_cifar_warmup_iterations6400", 6400)
    assert tenth.schedule == paper.schedule.model_copy(update={"milestones": (3200, 4800)})
    # No drop comes before the first iteration, and the whole budget changes nothing.
    assert recipes.shorten(paper, iterations=1).schedule.milestones == (1, 1)
    assert recipes.shorten(paper, fraction=1) == paper


@pytest.mark.parametrize(
    ("recipe", "budget", "message"),
    [
        (recipes.quick("mnist"), {"iterations": 5}, "quick is told in epochs.* --epochs"),
        (recipes.lecture(), {"fraction": 0}, "above 0 and up to 1"),
        (recipes.lecture(), {"fraction": 1.01}, "above 0 and up to 1"),
        (recipes.lecture(), {"fraction": math.nan}, "above 0 and up to 1"),
        (recipes.lecture(), {"fraction": 0.0003}, "no iteration is left of the 1,400 of lecture"),
        (recipes.lecture(), {"fraction": 0.5, "iterations": 5}, "two budgets"),
    ],
)
def test_a_budget_that_is_none_is_refused(recipe, budget, message):
    with pytest.raises(ValueError, match=message):
        recipes.shorten(recipe, **budget)


def test_the_lecture_is_the_paper_but_for_its_length():
    recipe, paper = recipes.lecture(), recipes.paper_cifar(warmup=False)
    changed = {name for name, value in recipe if value != getattr(paper, name)}
    assert changed == {"name", "schedule", "iterations", "images_per_epoch", "test_images"}
    assert recipe.schedule.milestones == (700, 1050)
    assert recipe.iterations == 1400


def test_its_warmup_is_that_of_110_layers():
    paper, without = PAPER["resnet110_warmup"], recipes.paper_cifar(warmup=False)
    fraction = paper["until_train_error_below"] / 100
    warmup = ErrorWarmup(learning_rate=paper["lr"], until_train_error=fraction)
    schedule = without.schedule.model_copy(update={"warmup": warmup})
    changes = {"name": "paper_cifar_warmup", "schedule": schedule}
    assert recipes.paper_cifar(warmup=True) == without.model_copy(update=changes)
    assert without.learning_rate == paper["then_lr"]


@pytest.mark.parametrize("run", PROJECT["runs"], ids=lambda run: run["notebook"])
def test_project2022_is_what_each_notebook_does(run):
    recipe = recipes.project2022(run["dataset"], variant=run["recipe"], epochs=run["epochs"])
    assert recipe == Recipe(
        name=f"project2022_{run['recipe']}",
        optimizer="sgd",
        learning_rate=run["lr"],
        schedule=StepSchedule(unit="epoch", milestones=run["lr_decay_epochs"], factor=0.1),
        momentum=run["momentum"],
        weight_decay=run["weight_decay"],
        batch_size=run["train_batch_size"],
        epochs=run["epochs"],
        augmentation="crop_flip" if run["augmentation"] else "none",
        normalisation="imagenet" if run["normalize"] else "none",
        initialization="torch",
        zero_init_residual=False,
    )


def test_the_accident_is_all_that_differs():
    without = recipes.project2022("cifar10", epochs=60)
    frozen = recipes.project2022("cifar10", epochs=60, freeze_weights_after_epoch=20)
    changes = {"name": "project2022_base_frozen20", "freeze_weights_after_epoch": 20}
    assert frozen == without.model_copy(update=changes)


def test_quick_is_still_what_was_chosen():
    """Stored records are reused only if their recipe is the profile's."""
    chosen = {
        "name": "quick",
        "learning_rate": 2e-3,
        "schedule": LinearSchedule(warmup_fraction=0.1),
        "momentum": 0.8,
        "epochs": 4,
        "images_per_epoch": 1600,
        "augmentation": "none",
        "test_images": 500,
        "final_test_images": None,
    }
    assert recipes.quick("cifar10") == recipes.smoke("cifar10").model_copy(update=chosen)
    chosen |= {
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "weight_decay": 1e-4,
        "batch_size": 64,
        "images_per_epoch": 2560,
    }
    assert recipes.quick("mnist") == recipes.smoke("mnist").model_copy(update=chosen)


@pytest.mark.parametrize("dataset", ["cifar10", "mnist"])
def test_smoke_and_full_are_still_what_they_were(dataset):
    """Stored records are reused only if their recipe is the profile's."""
    assert recipes.smoke(dataset) == Recipe(
        name="smoke",
        optimizer="adamw",
        learning_rate=1e-3,
        schedule=LinearSchedule(warmup_fraction=0.25),
        weight_decay=0.05,
        momentum=0.9,
        batch_size=32,
        epochs=2,
        images_per_epoch=64,
        augmentation="crop_flip" if dataset == "cifar10" else "none",
        normalisation="dataset",
        initialization="he",
        zero_init_residual=True,
        test_images=100,
        final_test_images=100,
    )
    changes = {
        "name": "full",
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "schedule": LinearSchedule(warmup_fraction=0.1),
        "weight_decay": 5e-4,
        "batch_size": 128,
        "epochs": 30,
        "images_per_epoch": None,
        "test_images": None,
        "final_test_images": None,
    }
    assert recipes.full(dataset) == recipes.smoke(dataset).model_copy(update=changes)


def change(**values):
    return Recipe(**{**make_recipe().model_dump(), **values})


STEP = {"kind": "step", "unit": "iteration", "milestones": (1,), "factor": 0.1}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"iterations": 100}, "in epochs or in iterations, one of the two"),
        ({"epochs": None}, "in epochs or in iterations, one of the two"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": None, "iterations": 0}, "iterations"),
        ({"learning_rate": -1}, "learning_rate"),
        ({"optimizer": "lion"}, "optimizer"),
        ({"batch_size": 0}, "batch_size"),
        ({"norm_batch_size": 0}, "norm_batch_size"),
        ({"held_out_images": -1}, "held_out_images"),
        ({"freeze_weights_after_epoch": 0}, "freeze_weights_after_epoch"),
        ({"normalisation": "cifar100"}, "normalisation"),
        ({"name": "two words"}, "name"),
        ({"warmup_fraction": 0.1}, "warmup_fraction\n.*Extra inputs"),
        ({"schedule": {"kind": "cosine"}}, "schedule\n.*'linear', 'step'"),
        ({"schedule": {"kind": "linear", "warmup_fraction": 1.0}}, "warmup_fraction"),
        ({"schedule": STEP | {"factor": 1.0}}, "factor"),
        ({"schedule": STEP | {"unit": "second"}}, "unit"),
        ({"schedule": STEP | {"warmup": {"learning_rate": 1, "until_train_error": 80}}}, "until"),
    ],
)
def test_a_recipe_is_validated_on_construction(values, message):
    with pytest.raises(ValidationError, match=message):
        change(**values)


@pytest.mark.parametrize("values", [{}, {"epochs": None, "iterations": 100}, {"schedule": STEP}])
def test_a_recipe_survives_json(values):
    recipe = change(**values)
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
