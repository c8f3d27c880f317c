"""One cell with the recipe that trains it, and what a user changes about both. No torch here."""

import shlex
from dataclasses import dataclass, replace

from pydantic import ValidationError

from bench.config import recipes
from bench.config.cell import Cell
from bench.config.recipe import Recipe
from bench.config.recipe_files import RecipeFile
from bench.data.datasets import find
from bench.errors import UsageError
from resnet_models import Definition, define
from resnet_models.custom import CustomDefinition, Factory
from resnet_models.spec import Lineage, Shortcut, Stem


@dataclass(frozen=True, slots=True)
class Plan:
    cell: Cell
    recipe: Recipe
    factory: Factory | None = None  # of a custom network

    def define(self, *, in_channels: int, num_classes: int) -> Definition | CustomDefinition:
        if self.factory is None:
            return self.cell.define(in_channels=in_channels, num_classes=num_classes)
        return CustomDefinition(
            factory=self.factory, in_channels=in_channels, num_classes=num_classes
        )


def plan(
    model: str,
    dataset: str,
    recipe: Recipe,
    *,
    seed: int = 0,
    lineage: Lineage = "paper",
    stem: Stem | None = None,
    shortcut: Shortcut | None = None,
) -> Plan:
    found = define(model, lineage=lineage, stem=stem, shortcut=shortcut)
    cell = Cell(
        model=model, lineage=lineage, stem=found.stem, shortcut=found.shortcut,
        dataset=dataset, recipe=recipe.name, seed=seed,
    )  # fmt: skip
    return Plan(cell, recipe)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a user changes about the networks and recipes of a profile; None: nothing."""

    network: Factory | None = None  # trained as the first network of the profile is
    lineage: Lineage | None = None
    stem: Stem | None = None
    shortcut: Shortcut | None = None
    recipe: RecipeFile | None = None  # instead of the profile's
    batch_size: int | None = None
    learning_rate: float | None = None  # the schedule's highest
    epochs: int | None = None
    iterations: int | None = None
    fraction: float | None = None  # of the iterations
    start: int | None = None  # iterations, the first ones of a recipe whose drops stay
    images_per_epoch: int | None = None
    held_out: int | None = None  # images of each training set that are kept for validation
    norm_batch: int | None = None  # images that BatchNorm sees at a time

    @property
    def words(self) -> tuple[str, ...]:
        options = {
            "--network": self.network and self.network.path,
            "--lineage": self.lineage,
            "--stem": self.stem,
            "--shortcut": self.shortcut,
            "--recipe": self.recipe and shlex.quote(str(self.recipe.path)),
            "--batch-size": self.batch_size,
            "--learning-rate": self.learning_rate,
            "--epochs": self.epochs,
            "--iterations": self.iterations,
            "--fraction": self.fraction,
            "--start": self.start,
            "--images-per-epoch": self.images_per_epoch,
            "--held-out": self.held_out,
            "--norm-batch": self.norm_batch,
        }
        return tuple(f"{option} {value}" for option, value in options.items() if value is not None)

    def apply(self, recipe: Recipe, dataset: str) -> Recipe:
        """``recipe`` changed so, with another name.

        Raises:
            UsageError: its budget is told in another unit, no iteration is left of it, or there
                are not that many images, in the training set or in a batch.
        """
        if self.recipe:
            recipe = self.recipe.recipe(dataset)
        if self.batch_size or self.learning_rate:
            recipe = recipes.tune(recipe, batch_size=self.batch_size, rate=self.learning_rate)
        there = find(dataset).arrays["train_labels"].shape[0] - (self.held_out or 0)
        if (self.images_per_epoch or 0) > there:
            raise UsageError(
                f"--images-per-epoch {self.images_per_epoch}: {dataset} has {there} to train on"
            )
        try:
            recipe = self._with_budget(recipe)
        except ValueError as error:
            raise UsageError(f"{' '.join(self.words)}: {error}") from None
        if (self.norm_batch or 0) > recipe.batch_size:
            raise UsageError(
                f"--norm-batch {self.norm_batch}: a batch of {recipe.name} has {recipe.batch_size} "
                "images, and BatchNorm cannot see more of them at a time"
            )
        if self.held_out:
            recipe = recipes.hold_out(recipe, self.held_out)
        return recipes.group_norm_batches(recipe, self.norm_batch) if self.norm_batch else recipe

    def _with_budget(self, recipe: Recipe) -> Recipe:
        if self.epochs or self.images_per_epoch:
            recipe = recipes.limit(recipe, epochs=self.epochs, images=self.images_per_epoch)
        if self.iterations is not None or self.fraction is not None:
            recipe = recipes.shorten(recipe, iterations=self.iterations, fraction=self.fraction)
        return recipe if self.start is None else recipes.begin(recipe, self.start)

    def change(self, planned: Plan) -> Plan:
        """``planned`` changed so.

        Raises:
            UsageError: as ``apply``; or the network has no such variant.
        """
        cell, recipe = planned.cell, self.apply(planned.recipe, planned.cell.dataset)
        variant = {"lineage": self.lineage, "stem": self.stem, "shortcut": self.shortcut}
        wanted = {name: value for name, value in variant.items() if value is not None}
        if not wanted or planned.factory:
            return replace(
                planned, cell=cell.model_copy(update={"recipe": recipe.name}), recipe=recipe
            )
        try:
            changed = Cell.model_validate(cell.model_dump() | wanted | {"recipe": recipe.name})
        except ValidationError as error:
            why = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise UsageError(f"{' '.join(self.words)}: {why}; --models chooses others") from None
        return Plan(changed, recipe)
