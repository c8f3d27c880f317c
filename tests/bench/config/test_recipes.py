"""Recipes are those of the paper, of the 2022 project and of the records that are published."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import ValidationError

from bench.config import recipes
from bench.config.recipes import LinearSchedule, Recipe
from bench.records import store
from tests.support.factories import make_recipe

REFERENCE = files("bench.reference")
PAPER = json.loads(REFERENCE.joinpath("paper.json").read_text())["cifar_section"]
PROJECT = json.loads(REFERENCE.joinpath("project2022.json").read_text())
PUBLISHED = Path(__file__).parents[3] / "reports" / "published" / "cpu-2-cores-2026-11-24" / "runs"


def test_paper_cifar_is_section_4_2():
    paper, recipe = PAPER["hyperparameters"], recipes.paper_cifar(warmup=False)
    assert (recipe.optimizer, recipe.momentum) == ("sgd", paper["momentum"])
    assert recipe.weight_decay == paper["weight_decay"]
    assert recipe.batch_size == paper["batch_size"]
    assert recipe.learning_rate == paper["lr_initial"]
    assert (recipe.iterations, recipe.epochs) == (paper["stop_iteration"], None)
    schedule = recipe.schedule
    assert schedule.unit == "iteration"
    assert list(schedule.milestones) == paper["lr_drops_at_iterations"]
    assert schedule.factor == pytest.approx(1 / paper["lr_drop_factor"])
    assert schedule.warmup is None
    assert "pad 4" in paper["augmentation"]
    assert recipe.augmentation == "crop_flip"
    assert "He et al." in paper["init"]
    assert (recipe.initialization, recipe.zero_init_residual) == ("he", False)
    # All images, the whole test set, and nothing selected on it.
    assert (recipe.images_per_epoch, recipe.held_out_images) == (None, 0)
    assert (recipe.test_images, recipe.final_test_images) == (None, None)


def test_its_warmup_is_that_of_110_layers():
    paper, recipe = PAPER["resnet110_warmup"], recipes.paper_cifar(warmup=True)
    assert recipe.schedule.warmup.learning_rate == paper["lr"]
    fraction = paper["until_train_error_below"] / 100
    assert recipe.schedule.warmup.until_train_error == pytest.approx(fraction)
    assert recipe.learning_rate == paper["then_lr"]
    without = recipes.paper_cifar(warmup=False)  # and nothing else differs
    schedule = recipe.schedule.model_copy(update={"warmup": None})
    assert recipe.model_copy(update={"name": without.name, "schedule": schedule}) == without


@pytest.mark.parametrize("run", PROJECT["runs"], ids=lambda run: run["notebook"])
def test_project2022_is_what_each_notebook_does(run):
    recipe = recipes.project2022(run["dataset"], variant=run["recipe"], epochs=run["epochs"])
    assert recipe.name == f"project2022_{run['recipe']}"
    assert recipe.optimizer == "sgd"
    assert recipe.learning_rate == run["lr"]
    assert recipe.momentum == run["momentum"]
    assert recipe.weight_decay == run["weight_decay"]
    assert recipe.batch_size == run["train_batch_size"]
    assert (recipe.schedule.unit, recipe.schedule.factor) == ("epoch", 0.1)
    assert list(recipe.schedule.milestones) == run["lr_decay_epochs"]
    assert (recipe.augmentation == "crop_flip") == bool(run["augmentation"])
    assert (recipe.normalisation == "imagenet") == bool(run["normalize"])
    assert recipe.normalisation in ("imagenet", "none")
    assert (recipe.epochs, recipe.iterations) == (run["epochs"], None)
    assert (recipe.initialization, recipe.zero_init_residual) == ("torch", False)


def test_the_accident_is_all_that_differs():
    without = recipes.project2022("cifar10", epochs=60)
    frozen = recipes.project2022("cifar10", epochs=60, freeze_weights_after_epoch=20)
    assert frozen.name == "project2022_base_frozen20"
    assert frozen.freeze_weights_after_epoch == 20
    back = frozen.model_copy(update={"name": without.name, "freeze_weights_after_epoch": None})
    assert back == without


@pytest.mark.parametrize("dataset", ["cifar10", "mnist"])
def test_quick_is_still_the_recipe_of_the_published_records(dataset):
    records = [r for r in store.load_all(PUBLISHED)[0] if r.cell.dataset == dataset]
    assert len(records) == 5
    assert {record.recipe for record in records} == {recipes.quick(dataset)}


@pytest.mark.parametrize("dataset", ["cifar10", "mnist"])
def test_smoke_and_full_are_still_what_they_were(dataset):
    """Stored records are reused only if their recipe is the profile's."""
    augmentation = "crop_flip" if dataset == "cifar10" else "none"
    assert recipes.smoke(dataset) == Recipe(
        name="smoke",
        optimizer="adamw",
        learning_rate=1e-3,
        schedule=LinearSchedule(warmup_fraction=0.25),
        weight_decay=0.05,
        momentum=0.9,
        batch_size=32,
        epochs=2,
        iterations=None,
        images_per_epoch=64,
        held_out_images=0,
        augmentation=augmentation,
        normalisation="dataset",
        initialization="he",
        zero_init_residual=True,
        freeze_weights_after_epoch=None,
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
