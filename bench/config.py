"""What a run does: a profile is a function that returns a complete, frozen list of cells.

No torch here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bench import recipes
from bench.errors import UsageError
from bench.recipes import Recipe
from bench.records import Cell
from resnet_models import MODELS, define
from resnet_models.spec import Lineage, Shortcut, Stem

DEPTHS: Final = (18, 34, 50, 101, 152)
TABLE1: Final = tuple(f"resnet{depth}" for depth in DEPTHS)
DATASETS: Final = ("cifar10", "mnist")


@dataclass(frozen=True, slots=True)
class Plan:
    """A cell that is to be run, and how it is trained."""

    cell: Cell
    recipe: Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """A profile made concrete.

    Attributes:
        profile: its name.
        plans: every cell, in the order in which they are run.
        speed_samples: timed repetitions per measurement.
    """

    profile: str
    plans: tuple[Plan, ...]
    speed_samples: int


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
    """One cell; what is left out is as published."""
    definition = define(model, lineage=lineage, stem=stem, shortcut=shortcut)
    cell = Cell(
        model=model,
        lineage=definition.lineage,
        stem=definition.stem,
        shortcut=definition.shortcut,
        dataset=dataset,
        recipe=recipe.name,
        seed=seed,
    )
    return Plan(cell, recipe)


def smoke() -> RunConfig:
    """Proof that everything runs, in about a minute."""
    plans = _ten_cells(recipes.smoke)
    return RunConfig(profile="smoke", plans=plans, speed_samples=2)


def quick() -> RunConfig:
    """Every network learns, without a GPU, in minutes."""
    plans = _ten_cells(recipes.quick)
    return RunConfig(profile="quick", plans=plans, speed_samples=5)


def full() -> RunConfig:
    """Thirty passes over each training set, on CIFAR-10 with both stems; for a GPU."""
    small_stem = tuple(
        plan(model, "cifar10", recipes.full("cifar10"), stem="cifar") for model in TABLE1
    )
    return RunConfig(profile="full", plans=_ten_cells(recipes.full) + small_stem, speed_samples=20)


def table6() -> RunConfig:
    """The networks of Table 6 and Figure 6 as the paper trains them; for a GPU."""
    residual = [f"cifar_resnet{depth}" for depth in (20, 32, 44, 56, 110)]
    plain = [f"cifar_plain{depth}" for depth in (20, 32, 44, 56)]
    plans = tuple(
        plan(model, "cifar10", recipes.paper_cifar(warmup=MODELS[model].depth >= 110))
        for model in residual + plain
    )
    return RunConfig(profile="table6", plans=plans, speed_samples=20)


def project2022() -> RunConfig:
    """The 2022 project's recipe at equal budgets, with and without its accident; for a GPU.

    Its own CIFAR-10 budgets are 100 epochs for 18 and 34, 60 for the others, and 20 on MNIST.
    """
    plans = []
    for dataset, epochs in (("cifar10", 60), ("mnist", 20)):
        for model in TABLE1:
            recipe = recipes.project2022(dataset, epochs=epochs)
            plans.append(plan(model, dataset, recipe, lineage="project2022"))
    for model in TABLE1:
        recipe = recipes.project2022("cifar10", epochs=60, freeze_weights_after_epoch=20)
        plans.append(plan(model, "cifar10", recipe, lineage="project2022"))
    return RunConfig(profile="project2022", plans=tuple(plans), speed_samples=20)


PROFILES: dict[str, Callable[[], RunConfig]] = {
    "smoke": smoke,
    "quick": quick,
    "full": full,
    "table6": table6,
    "project2022": project2022,
}


def make(
    profile: str,
    *,
    has_gpu: bool,
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
    seeds: int = 1,
    held_out: int | None = None,
) -> RunConfig:
    """The profile by name, limited to ``models`` and ``datasets`` where any are given.

    ``auto`` is ``full`` with a GPU and ``quick`` without. ``held_out`` images of each training set
    are kept for validation.

    Raises:
        UsageError: a name is unknown, there is no seed, or no cell is left; it says what there is.
    """
    if profile == "auto":
        profile = "full" if has_gpu else "quick"
    if profile not in PROFILES:
        raise UsageError(f"no profile named {profile!r}; there are auto, {', '.join(PROFILES)}")
    if seeds < 1:
        raise UsageError(f"--seeds {seeds}: at least one seed is needed")
    config = PROFILES[profile]()
    kept_models = _choose("model", models, [each.cell.model for each in config.plans])
    kept_datasets = _choose("dataset", datasets, [each.cell.dataset for each in config.plans])
    plans = [
        _vary(each, seed, held_out)
        for seed in range(seeds)
        for each in config.plans
        if each.cell.model in kept_models and each.cell.dataset in kept_datasets
    ]
    if not plans:
        raise UsageError(
            f"profile {profile} has no cell of {', '.join(models)} on {', '.join(datasets)}"
        )
    return replace(config, plans=tuple(plans))


def _vary(plan: Plan, seed: int, held_out: int | None) -> Plan:
    recipe = recipes.hold_out(plan.recipe, held_out) if held_out else plan.recipe
    return Plan(plan.cell.model_copy(update={"seed": seed, "recipe": recipe.name}), recipe)


def _choose(kind: str, wanted: Sequence[str], known: Iterable[str]) -> set[str]:
    names = list(dict.fromkeys(known))
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise UsageError(f"no {kind} named {unknown[0]!r}; there are {', '.join(names)}")
    return set(wanted or names)


def _ten_cells(recipe: Callable[[str], Recipe]) -> tuple[Plan, ...]:
    """All five depths on both data sets, shallow before deep."""
    return tuple(plan(model, dataset, recipe(dataset)) for dataset in DATASETS for model in TABLE1)
