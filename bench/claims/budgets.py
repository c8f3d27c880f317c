"""How a cell must have been trained to speak about a claim. No torch here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

from bench.analysis import labels
from bench.claims.measures import Observed
from bench.config import recipe_files, recipes
from bench.config.profiles import PROJECT2022_SMALL, project2022
from bench.config.recipe import Recipe
from bench.records.schema import Record
from bench.reference.loader import load_project2022
from resnet_models import MODELS

NOTEBOOK: Final = "notebook:"
"""Before the name of a notebook of the 2022 project: trained as there, its accident included."""


RECIPE: Final = "recipe:"
"""Before the path of a recipe file of a user's own."""


class UnknownBudgetError(ValueError):
    """No such budget; the message names those that there are."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a claim asks of a training: all of a recipe, or no step where that is None.

    Attributes:
        is_start: of the recipe's first iterations alone, which a longer run by it holds too.
    """

    recipe: Recipe | None
    is_start: bool = False

    def accepts(self, observed: Observed) -> bool:
        return (
            observed.completed
            and self.fits(observed.record.recipe)
            and (self.recipe is None or _norm_batch_is_whole(observed.record))
        )

    def fits(self, found: Recipe) -> bool:
        """Whether a run by ``found`` holds what is asked; the whole of a recipe holds its start."""
        if self.recipe is None:
            return found.initialization == "he" and not found.zero_init_residual
        if self.is_start and (found.iterations or 0) > (self.recipe.iterations or 0):
            found = found.model_copy(
                update={"name": self.recipe.name, "iterations": self.recipe.iterations}
            )
        return found == self.recipe

    def complaint(self, observed: Observed) -> str:
        """Why ``observed`` does not count: ``needs 64,000 iterations, had 160``."""
        if not observed.completed:
            return f"failed with seed {observed.record.cell.seed}: {observed.record.reason}"
        found = observed.record.recipe
        if self.recipe is None:
            return "needs He's initialisation with no BatchNorm weight at 0, had another"
        if self.recipe.iterations and self.recipe.iterations != observed.steps:
            return f"needs {self.recipe.iterations:,} iterations, had {observed.steps:,}"
        needed, had = labels.budget(self.recipe), labels.budget(found)
        if needed != had:
            return f"needs {needed}, had {had}"
        theirs = found.model_dump()
        differing = [
            name.replace("_", " ")
            for name, value in self.recipe.model_dump().items()
            if name != "name" and value != theirs[name]
        ]
        if not differing and not _norm_batch_is_whole(observed.record):
            return (
                f"needs BatchNorm to see at least half of the {self.recipe.batch_size} images of a "
                f"batch at a time, and it saw {observed.record.engine.micro_batch_size}"
            )
        differs = f"differs in {', '.join(differing)}" if differing else f"is {found.name}"
        return f"needs the recipe {self.recipe.name}, and what was run {differs}"

    def __str__(self) -> str:
        if self.recipe is None:
            return "He's initialisation, no training"
        return f"{labels.budget(self.recipe)} of {self.recipe.name}"


def _norm_batch_is_whole(record: Record) -> bool:
    """Whether BatchNorm saw half a batch at a time, as in the paper, or more.

    Where memory runs out, the gradients of smaller micro-batches still add up to those of the
    batch, but BatchNorm's statistics do not. The paper divides each batch between two GPUs (section
    4.2), so that half of it is as published.
    """
    return 2 * record.engine.micro_batch_size >= record.recipe.batch_size


@cache
def budget_for(name: str, model: str, dataset: str) -> Budget:
    """The budget ``name`` for this network and data set.

    Raises:
        UnknownBudgetError: there is none of this name, or it knows nothing of them.
    """
    if name.startswith(NOTEBOOK):
        return Budget(_notebook(name.removeprefix(NOTEBOOK), model, dataset))
    if name.startswith(RECIPE):
        return Budget(recipe_files.read(Path(name.removeprefix(RECIPE))).recipe(dataset))
    if name not in BUDGETS:
        known = ", ".join(BUDGETS)
        raise UnknownBudgetError(
            f"no budget {name!r}; there are {known}, {NOTEBOOK}NAME and {RECIPE}FILE"
        )
    return Budget(BUDGETS[name](model, dataset), is_start=name in STARTS)


def _is_deep(model: str) -> bool:
    return model in MODELS and MODELS[model].depth >= 110


def _tripled(model: str, dataset: str) -> Recipe:
    """Footnote 3."""
    recipe = _paper(model, dataset)
    assert recipe.iterations is not None
    return recipes.shorten(recipe, iterations=3 * recipe.iterations)


def _tenth(model: str, dataset: str) -> Recipe:
    """Six and a half passes over the training set, with both drops."""
    return recipes.shorten(_paper(model, dataset), fraction=0.1)


def _start(model: str, dataset: str, *, iterations: int, warmup: bool) -> Recipe:
    """As far as a claim about the first iterations needs it."""
    return recipes.begin(_paper(model, dataset, warmup=warmup), iterations)


def _paper(_model: str, dataset: str, *, warmup: bool = False) -> Recipe:
    """Section 4.2."""
    recipe = recipes.paper_cifar(warmup=warmup)
    if dataset != "cifar10":
        raise UnknownBudgetError(f"the recipe {recipe.name} is for cifar10, not for {dataset}")
    return recipe


def _project2022(model: str, dataset: str, *, frozen: bool, small: bool = False) -> Recipe:
    for plan in project2022().plans:
        same = (plan.cell.model, plan.cell.dataset) == (model, dataset)
        if same and (plan.recipe.freeze_weights_after_epoch is not None) == frozen:
            return PROJECT2022_SMALL.apply(plan.recipe, dataset) if small else plan.recipe
    raise UnknownBudgetError(f"the profile project2022 has no such {model} on {dataset}")


def _notebook(notebook: str, model: str, dataset: str) -> Recipe:
    for run in load_project2022().runs:
        if run.notebook == notebook:
            if (model, dataset) != (f"resnet{run.trained_depth}", run.dataset):
                raise UnknownBudgetError(
                    f"{notebook} trains resnet{run.trained_depth} on {run.dataset}, not {model} "
                    f"on {dataset}"
                )
            variant = run.recipe
            assert variant in ("base", "normalize", "normalize_batch32")
            return recipes.project2022(
                dataset,
                variant=variant,
                epochs=run.epochs,
                freeze_weights_after_epoch=run.frozen_after_epoch,
            )
    raise UnknownBudgetError(f"the 2022 project has no notebook {notebook!r}")


STARTS: Final = ("paper_start", "paper_start_without_warmup")

BUDGETS: Final[dict[str, Callable[[str, str], Recipe | None]]] = {
    "none": lambda _model, _dataset: None,
    # Networks of 110 layers and more are warmed up.
    "paper": lambda model, dataset: _paper(model, dataset, warmup=_is_deep(model)),
    "paper_without_warmup": _paper,
    "paper_tripled": _tripled,
    "paper_tenth": _tenth,
    # Until the warm-up of 110 layers must long have ended, and three epochs without one.
    "paper_start": partial(_start, iterations=1000, warmup=True),
    "paper_start_without_warmup": partial(_start, iterations=1173, warmup=False),
    "project2022_equal": partial(_project2022, frozen=False),
    "project2022_frozen": partial(_project2022, frozen=True),
    "project2022_small_equal": partial(_project2022, frozen=False, small=True),
    "project2022_small_frozen": partial(_project2022, frozen=True, small=True),
}
