"""The named recipes, each a function, and how one becomes another. No torch here."""

import math
from typing import Literal

from bench.config.recipe import (
    FROZEN,
    START,
    WARMUP,
    ErrorWarmup,
    LinearSchedule,
    Recipe,
    StepSchedule,
)
from bench.data.datasets import Augmentation


def smoke(dataset: str) -> Recipe:
    """Proof that everything runs: no accuracy is meant by it."""
    return Recipe(
        name="smoke",
        optimizer="adamw",
        learning_rate=1e-3,
        schedule=LinearSchedule(warmup_fraction=0.25),
        weight_decay=0.05,
        batch_size=32,
        epochs=2,
        images_per_epoch=64,
        augmentation=_crop_flip_on_cifar10(dataset),
        zero_init_residual=True,
        test_images=100,
        final_test_images=100,
    )


def quick(dataset: str) -> Recipe:
    """Every network learns, without a GPU, in minutes: a fraction of one pass over the data.

    Chosen on images held out from the training set: docs/methodology.md.
    """
    mnist = dataset == "mnist"
    return Recipe(
        name="quick",
        optimizer="sgd" if mnist else "adamw",
        learning_rate=0.1 if mnist else 2e-3,
        schedule=LinearSchedule(warmup_fraction=0.1),
        weight_decay=1e-4 if mnist else 0.05,
        momentum=0.8,
        batch_size=64 if mnist else 32,
        epochs=4,
        images_per_epoch=2560 if mnist else 1600,
        augmentation="none",
        zero_init_residual=True,
        test_images=500,
    )


def full(dataset: str) -> Recipe:
    """Thirty passes over the training set, for a GPU: what the networks can do."""
    return Recipe(
        name="full",
        optimizer="sgd",
        learning_rate=0.1,
        schedule=LinearSchedule(warmup_fraction=0.1),
        weight_decay=5e-4,
        batch_size=128,
        epochs=30,
        augmentation=_crop_flip_on_cifar10(dataset),
        zero_init_residual=True,
    )


def paper_cifar(*, warmup: bool) -> Recipe:
    """Section 4.2 of the paper: 64k iterations of SGD, a tenth of the rate at 32k and at 48k.

    With ``warmup`` it starts at 0.01 until the training error is below 80 %, which the paper needs
    for 110 layers and more.
    """
    return Recipe(
        name="paper_cifar" + (WARMUP if warmup else ""),
        optimizer="sgd",
        learning_rate=0.1,
        schedule=StepSchedule(
            unit="iteration",
            milestones=(32_000, 48_000),
            factor=0.1,
            warmup=ErrorWarmup(learning_rate=0.01, until_train_error=0.8) if warmup else None,
        ),
        weight_decay=1e-4,
        batch_size=128,
        iterations=64_000,
        augmentation="crop_flip",
        zero_init_residual=False,
    )


def lecture() -> Recipe:
    """``paper_cifar`` in a lecture's time: 1,400 iterations, 3.6 passes, with both drops.

    As short as two CPU cores need it to train plain and residual networks of 20 and 56 layers in
    three quarters of an hour. Fifty iterations are an epoch, so that curves have 28 points.
    """
    short = shorten(paper_cifar(warmup=False), iterations=1400)
    changes = {"name": "lecture", "images_per_epoch": 50 * short.batch_size, "test_images": 500}
    return short.model_copy(update=changes)


def hold_out(recipe: Recipe, images: int) -> Recipe:
    """``recipe`` with the last images kept for validation: in section 4.2, 5,000 of CIFAR-10."""
    name = f"{recipe.name}_heldout{images}"
    return recipe.model_copy(update={"name": name, "held_out_images": images})


def group_norm_batches(recipe: Recipe, images: int) -> Recipe:
    """``recipe`` whose BatchNorm sees ``images`` at a time: in section 4.2, 64, half a batch."""
    name = f"{recipe.name}_norm{images}"
    return recipe.model_copy(update={"name": name, "norm_batch_size": images})


def tune(recipe: Recipe, *, batch_size: int | None = None, rate: float | None = None) -> Recipe:
    """``recipe`` with another batch or highest learning rate, named so: ``full_rate0p05``."""
    changes: dict[str, object] = {}
    name = recipe.name
    if batch_size not in (None, recipe.batch_size):
        changes["batch_size"] = batch_size
        name += f"_batch{batch_size}"
    if rate not in (None, recipe.learning_rate):
        changes["learning_rate"] = rate
        name += "_rate" + str(rate).replace(".", "p").replace("-", "m").replace("+", "")
    return recipe.model_copy(update=changes | {"name": name})


def limit(recipe: Recipe, *, epochs: int | None = None, images: int | None = None) -> Recipe:
    """``recipe`` with another budget, named so: epochs, training images in each, or both.

    Weights that are to freeze do so after the same share of the epochs. With fewer images, fewer
    test images are looked at after every epoch but the last: a fifth as many, as in CIFAR-10.

    Raises:
        ValueError: its budget is in iterations.
    """
    if recipe.epochs is None:
        raise ValueError(
            f"the recipe {recipe.name} is told in iterations, not in epochs; --iterations or "
            "--fraction shortens it"
        )
    changes: dict[str, object] = {}
    name, frozen = recipe.name, recipe.freeze_weights_after_epoch
    if epochs not in (None, recipe.epochs):
        changes["epochs"] = epochs
        if frozen:
            share = max(1, round(frozen * epochs / recipe.epochs))
            changes["freeze_weights_after_epoch"] = share
            name = name.replace(f"{FROZEN}{frozen}", f"{FROZEN}{share}")
        name += f"_epochs{epochs}"
    if images not in (None, recipe.images_per_epoch):
        changes |= {"images_per_epoch": images, "test_images": max(1, images // 5)}
        name += f"_images{images}"
    return recipe.model_copy(update=changes | {"name": name})


def shorten(
    recipe: Recipe, *, iterations: int | None = None, fraction: float | None = None
) -> Recipe:
    """``recipe`` with another budget, named so; its drops come after the same shares of it.

    The budget is ``iterations``, or a ``fraction`` of those that it has.

    Raises:
        ValueError: its budget is in epochs, or the new one is none.
    """
    if recipe.iterations is None:
        raise ValueError(
            f"the recipe {recipe.name} is told in epochs, not in iterations; --epochs changes it"
        )
    if fraction is not None:
        if iterations is not None:
            raise ValueError("these are two budgets; give one of them")
        if not 0 < fraction <= 1:
            raise ValueError("a fraction above 0 and up to 1 is needed")
        iterations = round(fraction * recipe.iterations)
    if not iterations:
        raise ValueError(f"no iteration is left of the {recipe.iterations:,} of {recipe.name}")
    if iterations == recipe.iterations:
        return recipe
    schedule = recipe.schedule
    if isinstance(schedule, StepSchedule) and schedule.unit == "iteration":
        # Rounded up: no drop falls on the first iteration.
        places = (
            math.ceil(place * iterations / recipe.iterations) for place in schedule.milestones
        )
        schedule = schedule.model_copy(update={"milestones": tuple(places)})
    name = f"{recipe.name}_iterations{iterations}"
    changes = {"name": name, "iterations": iterations, "schedule": schedule}
    return recipe.model_copy(update=changes)


def begin(recipe: Recipe, iterations: int) -> Recipe:
    """The first ``iterations`` of ``recipe`` alone, named so; its drops stay where they are.

    Raises:
        ValueError: its budget is in epochs, or has no more iterations.
    """
    if recipe.iterations is None:
        raise ValueError(f"the recipe {recipe.name} is told in epochs, and has no start to train")
    if iterations >= recipe.iterations:
        raise ValueError(f"{recipe.name} has {recipe.iterations:,} iterations, its start has fewer")
    name = f"{recipe.name}{START}{iterations}"
    return recipe.model_copy(update={"name": name, "iterations": iterations})


def project2022(
    dataset: str,
    *,
    variant: Literal["base", "normalize", "normalize_batch32"] = "base",
    epochs: int,
    freeze_weights_after_epoch: int | None = None,
) -> Recipe:
    """What the notebooks of the 2022 project do, on request with their accident.

    Their milestones lie at epochs 100 and 150, which no run of theirs reaches. "normalize" adds
    ImageNet's mean and deviation, "normalize_batch32" batches of 32 as well.
    """
    frozen = freeze_weights_after_epoch
    return Recipe(
        name=f"project2022_{variant}" + (f"{FROZEN}{frozen}" if frozen else ""),
        optimizer="sgd",
        learning_rate=0.1,
        schedule=StepSchedule(unit="epoch", milestones=(100, 150), factor=0.1),
        weight_decay=2e-4,
        batch_size=32 if variant == "normalize_batch32" else 128,
        epochs=epochs,
        augmentation=_crop_flip_on_cifar10(dataset),
        normalisation="none" if variant == "base" else "imagenet",
        initialization="torch",
        zero_init_residual=False,
        freeze_weights_after_epoch=frozen,
    )


def _crop_flip_on_cifar10(dataset: str) -> Augmentation:
    """A mirrored digit is another sign, so digits stay as they are."""
    return "crop_flip" if dataset == "cifar10" else "none"
