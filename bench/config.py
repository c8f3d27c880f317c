"""What a run does: recipes (how to train) and profiles (which cells, with what budget).

A profile is a function that returns a complete, frozen RunConfig. No torch here.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bench.errors import UsageError

DEPTHS = (18, 34, 50, 101, 152)
MODELS = tuple(f"resnet{depth}" for depth in DEPTHS)
DATASETS = ("cifar10", "mnist")

Lineage = Literal["paper", "torchvision", "project2022"]
Stem = Literal["imagenet", "cifar"]


class Recipe(BaseModel):
    """Everything that decides a training run but the model, the data and the seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    optimizer: Literal["sgd", "adamw"]
    learning_rate: float = Field(gt=0, description="peak, reached at the end of the warm-up")
    weight_decay: float = Field(ge=0)
    momentum: float = Field(default=0.9, ge=0, lt=1, description="SGD momentum, AdamW beta1")
    warmup_fraction: float = Field(ge=0, lt=1, description="share of the steps, linear from 0")
    batch_size: int = Field(gt=0)
    epochs: int = Field(gt=0)
    images_per_epoch: int | None = Field(
        gt=0, description="drawn anew each epoch without replacement; None: the whole training set"
    )
    augmentation: Literal["none", "crop_flip"]
    zero_init_residual: bool = Field(description="last BN gamma of each block starts at 0")
    test_images: int | None = Field(
        gt=0, description="first n test images after every epoch but the last; None: all"
    )
    final_test_images: int | None = Field(
        gt=0, description="first n test images after the last epoch; None: all"
    )


class RunConfig(BaseModel):
    """A profile made concrete: the cells are models x datasets x seeds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: str
    models: tuple[str, ...]
    datasets: tuple[str, ...]
    seeds: tuple[int, ...]
    lineage: Lineage
    stem: Stem
    recipes: dict[str, Recipe] = Field(description="one per dataset, the same for every depth")
    speed_samples: int = Field(gt=0, description="timed repetitions per measurement")
