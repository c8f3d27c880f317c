"""Recipes of a user's own: a TOML file with a base and what differs, or with everything."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from bench.config import recipes
from bench.config.recipe import Recipe
from bench.data.datasets import find
from bench.errors import UsageError
from resnet_models.text import readable

BASES: Final[dict[str, Callable[[str], Recipe]]] = {
    "smoke": recipes.smoke,
    "quick": recipes.quick,
    "full": recipes.full,
    "paper_cifar": lambda _dataset: recipes.paper_cifar(warmup=False),
    "paper_cifar_warmup": lambda _dataset: recipes.paper_cifar(warmup=True),
    "project2022": lambda dataset: recipes.project2022(
        dataset, epochs=60 if dataset == "cifar10" else 20
    ),
}
"""Recipes that a file may start from."""


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """A file that was read; what it says may depend on the data set, as its base does."""

    path: Path
    content: dict[str, Any]

    def recipe(self, dataset: str) -> Recipe:
        """Its recipe for ``dataset``, named as the file says or else as the file is.

        Raises:
            UsageError: a setting is unknown, missing or wrong; the message names it.
        """
        given = {key: value for key, value in self.content.items() if key != "base"}
        unknown = [key for key in given if key not in Recipe.model_fields]
        if unknown:
            there = ", ".join(["base", *Recipe.model_fields])
            raise self._wrong(f"no setting {readable(unknown[0])}; there are {there}")
        settings = {"name": self.path.stem, **self._base(dataset), **given}
        schedule = given.get("schedule")
        if isinstance(schedule, dict) and "kind" not in schedule:  # a part of the base's
            settings["schedule"] = self._base(dataset).get("schedule", {}) | schedule
        try:
            recipe = Recipe.model_validate(settings)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            why = f"{readable(where)}: {first['msg']}" if where else first["msg"]
            if first["type"] == "missing" and "base" not in self.content:
                why += f"; a file without a base ({', '.join(BASES)}) needs every setting"
            raise self._wrong(why) from None
        return self._fitting(recipe, dataset)

    def _base(self, dataset: str) -> dict[str, Any]:
        """What is not given: the settings of its base, but for a budget in the other unit."""
        name = self.content.get("base")
        if name is None:
            return {}
        if not isinstance(name, str) or name not in BASES:
            raise self._wrong(f"no base {readable(str(name))}; there are {', '.join(BASES)}")
        base = BASES[name](dataset).model_dump(exclude={"name"})
        if {"epochs", "iterations"} & set(self.content):
            del base["epochs"], base["iterations"]
        return base

    def _fitting(self, recipe: Recipe, dataset: str) -> Recipe:
        """``recipe`` where the data set has as many images, and no profile has one of its name."""
        there = find(dataset).arrays["train_labels"].shape[0]
        if (recipe.images_per_epoch or 1) + recipe.held_out_images > there:
            raise self._wrong(f"{dataset} has {there} images to train on and to hold out")
        if (recipe.norm_batch_size or 0) > recipe.batch_size:
            raise self._wrong(f"BatchNorm cannot see more than a batch of {recipe.batch_size}")
        if recipe.name in BASES:
            raise self._wrong(f"{recipe.name} is a recipe of ours: give it a name of its own")
        return recipe

    def _wrong(self, why: str) -> UsageError:
        return UsageError(f"--recipe {self.path}: {why}")


def read(path: Path) -> RecipeFile:
    """The file at ``path``.

    Raises:
        UsageError: it cannot be read, or is no TOML.
    """
    try:
        return RecipeFile(path, tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"--recipe {path}: {error.strerror or error}") from None
    except ValueError as error:  # TOML or UTF-8
        raise UsageError(f"--recipe {path}: no valid TOML: {error}") from None
