"""A small learnable dataset and recipe, for tests of the loop that need no real images."""

from typing import Any

from bench.config.plan import plan
from bench.config.profiles import RunConfig
from bench.config.recipe import LinearSchedule, Recipe
from bench.data.datasets import Dataset
from bench.runner.trial import synthetic_dataset


def small_dataset(name: str = "mnist", train: int = 64, test: int = 32) -> Dataset:
    return synthetic_dataset(name, train, test)


def small_recipe(**changes: Any) -> Recipe:
    recipe = Recipe(
        name="small",
        optimizer="adamw",
        learning_rate=2e-3,
        weight_decay=0.01,
        schedule=LinearSchedule(warmup_fraction=0.25),
        batch_size=16,
        epochs=2,
        images_per_epoch=32,
        augmentation="none",
        zero_init_residual=True,
        test_images=16,
        final_test_images=None,
    )
    return recipe.model_copy(update=changes)


def small_config(
    *,
    models: tuple[str, ...] = ("cifar_resnet20", "cifar_plain20"),
    datasets: tuple[str, ...] = ("mnist",),
    seeds: tuple[int, ...] = (0,),
    recipe: Recipe | None = None,
    speed_samples: int = 1,
) -> RunConfig:
    recipe = recipe or small_recipe(batch_size=8, images_per_epoch=16)
    plans = tuple(
        plan(model, dataset, recipe, seed=seed)
        for seed in seeds
        for dataset in datasets
        for model in models
    )
    return RunConfig(profile="small", plans=plans, speed_samples=speed_samples, words=())
