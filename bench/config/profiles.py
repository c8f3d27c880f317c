"""What a run does: a profile is a function that returns a complete, frozen list of cells.

No torch here.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from bench.config import recipes
from bench.config.cell import Cell, custom_cell
from bench.config.names import unknown
from bench.config.plan import Changes, Plan, plan
from bench.config.recipe import Recipe
from bench.errors import UsageError
from resnet_models import MODELS

DEPTHS: Final = (18, 34, 50, 101, 152)
TABLE1: Final = tuple(f"resnet{depth}" for depth in DEPTHS)
PAIR: Final = ("cifar_resnet20", "cifar_plain20")
DEEP: Final = ("cifar_resnet56", "cifar_plain56")
DATASETS: Final = ("cifar10", "mnist")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    profile: str
    plans: tuple[Plan, ...]  # in the order in which they are run
    speed_samples: int  # timed repetitions per measurement
    # what changes its cells on the command line; None: a program made them, and no command does
    words: tuple[str, ...] | None = None


def smoke() -> RunConfig:
    """Proof that everything runs, in about a minute."""
    return RunConfig(profile="smoke", plans=_ten_cells(recipes.smoke), speed_samples=2)


SHARES: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Of the paper's 64,000 iterations, that ``quick`` gives two of its own networks at most."""


def quick(shares: Sequence[float] = SHARES[:1]) -> RunConfig:
    """Every network learns, without a GPU, in minutes; after them two of the paper's own.

    ResNet-20 and plain-20 train by its recipe, shortened to each of ``shares``.
    """
    short = [recipes.shorten(recipes.paper_cifar(warmup=False), fraction=each) for each in shares]
    pairs = tuple(plan(model, "cifar10", recipe) for recipe in short for model in PAIR)
    return RunConfig(profile="quick", plans=(*_ten_cells(recipes.quick), *pairs), speed_samples=5)


def lecture() -> RunConfig:
    """What section 4.2 teaches, in half an hour on two cores: what depth does without shortcuts."""
    recipe = recipes.lecture()
    plans = tuple(plan(model, "cifar10", recipe) for model in (*PAIR, *DEEP))
    return RunConfig(profile="lecture", plans=plans, speed_samples=5)


def full() -> RunConfig:
    """Thirty passes over each training set, on CIFAR-10 with both stems; for a GPU.

    After them four of the paper's own networks as it trains them.
    """
    recipe = recipes.full("cifar10")
    small_stem = [plan(model, "cifar10", recipe, stem="cifar") for model in TABLE1]
    paper = [plan(model, "cifar10", recipes.paper_cifar(warmup=False)) for model in (*PAIR, *DEEP)]
    plans = (*_ten_cells(recipes.full), *small_stem, *paper)
    return RunConfig(profile="full", plans=plans, speed_samples=20)


def table6() -> RunConfig:
    """The networks of Table 6 and Figure 6 as the paper trains them; for a GPU."""
    models = [f"cifar_resnet{depth}" for depth in (20, 32, 44, 56, 110)]
    models += [f"cifar_plain{depth}" for depth in (20, 32, 44, 56)]
    plans = tuple(
        plan(model, "cifar10", recipes.paper_cifar(warmup=MODELS[model].depth >= 110))
        for model in models
    )
    return RunConfig(profile="table6", plans=plans, speed_samples=20)


def table6_more() -> RunConfig:
    """What the paper says of other networks: 1202 layers, plain-110, a start without warm-up.

    Plain ones with three times the iterations, which footnote 3 says of ImageNet.

    And option B, to set beside option A; for a GPU.
    """
    warm, cold = (recipes.paper_cifar(warmup=warmup) for warmup in (True, False))
    tripled = recipes.shorten(cold, iterations=192_000)
    plans = (
        plan("cifar_plain110", "cifar10", warm),
        plan("cifar_resnet110", "cifar10", cold),
        plan("cifar_resnet20", "cifar10", cold, shortcut="B"),
        plan("cifar_resnet56", "cifar10", cold, shortcut="B"),
        plan("cifar_resnet110", "cifar10", warm, shortcut="B"),
        plan("cifar_resnet1202", "cifar10", warm),
        *(plan(f"cifar_plain{depth}", "cifar10", tripled) for depth in (20, 56)),
    )
    return RunConfig(profile="table6_more", plans=plans, speed_samples=20)


def project2022() -> RunConfig:
    """The 2022 project's recipe at equal budgets, with and without its accident; for a GPU.

    Its own CIFAR-10 budgets are 100 epochs for 18 and 34, 60 for the others, and 20 on MNIST.
    """
    plans = []
    for dataset, epochs, frozen in (
        ("cifar10", 60, None),
        ("mnist", 20, None),
        ("cifar10", 60, 20),
    ):
        recipe = recipes.project2022(dataset, epochs=epochs, freeze_weights_after_epoch=frozen)
        plans += [plan(model, dataset, recipe, lineage="project2022") for model in TABLE1]
    return RunConfig(profile="project2022", plans=tuple(plans), speed_samples=20)


PROJECT2022_SMALL: Final = Changes(epochs=24, images_per_epoch=3200)
"""The profile project2022 made small enough for a CPU, and yet with enough epochs to be audited."""

PROFILES: dict[str, Callable[[], RunConfig]] = {
    profile.__name__: profile
    for profile in (smoke, quick, lecture, full, table6, table6_more, project2022)
}


def make(
    profile: str,
    *,
    has_gpu: bool,
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
    cells: Sequence[str] = (),
    seeds: Sequence[int] = (0,),
    changes: Changes | None = None,
    share: float = SHARES[0],
) -> RunConfig:
    """The profile by name, limited to ``models``, ``datasets`` or ``cells`` where any are given.

    ``auto`` is ``full`` with a GPU and ``quick`` without, whose own networks of the paper get
    ``share`` of its iterations. Ids of ``cells`` name their seeds, which are others than ``seeds``
    then. With ``changes``, ``quick`` and ``full`` are their cells of Table 1 alone.

    Raises:
        UsageError: a name is unknown, there is no seed, or no cell is left; it says what there is.
    """
    if profile == "auto":
        profile = "full" if has_gpu else "quick"
    if profile not in PROFILES:
        raise UsageError(unknown("profile", profile, ["auto", *PROFILES]))
    if not seeds:
        raise UsageError("at least one seed is needed")
    config, changes = PROFILES[profile](), changes or Changes()
    if profile == "quick":
        config = quick(SHARES if cells else (share,))
    if profile in ("quick", "full") and changes.words:
        config = replace(config, plans=tuple(p for p in config.plans if p.cell.model in TABLE1))
    kept_models = _choose("model", models, config.plans)
    kept_datasets = _choose("dataset", datasets, config.plans)
    base = [
        each
        for each in config.plans
        if each.cell.model in kept_models and each.cell.dataset in kept_datasets
    ]
    if changes.network:
        first = {each.cell.dataset: each.recipe for each in reversed(config.plans)}
        base = base if models or cells else []
        base += [
            Plan(custom_cell(changes.network, dataset, recipe), recipe, changes.network)
            for dataset, recipe in first.items()
            if dataset in kept_datasets
        ]
    numbers = _seeds(cells) if cells else seeds
    changed = {each.cell: each for each in map(changes.change, base)}  # some may be one cell now
    plans = [
        replace(each, cell=cell.model_copy(update={"seed": number}))
        for number, (cell, each) in product(numbers, changed.items())
    ]
    if cells:
        _choose("cell", cells, plans, numbers)
        plans = [each for each in plans if each.cell.id in cells]
    if not plans:
        raise UsageError(
            f"profile {profile} has no cell of {', '.join(models)} on {', '.join(datasets)}"
        )
    return replace(config, plans=tuple(plans), words=changes.words)


def _seeds(cells: Iterable[str]) -> list[int]:
    """Those that the ids of ``cells`` end with; without one, an id is of no cell of seed 0."""
    found = (re.search(r"-seed(\d+)$", name) for name in cells)
    return sorted({int(match[1]) if match else 0 for match in found})


def _choose(
    kind: str, wanted: Sequence[str], plans: Sequence[Plan], seeds: Sequence[int] = (0,)
) -> set[str]:
    names = list(dict.fromkeys(_name(kind, each.cell) for each in plans))
    for name in wanted:
        if name not in names:
            raise UsageError(unknown(kind, name, names, _profiles_with(kind, seeds)))
    return set(wanted or names)


def _profiles_with(kind: str, seeds: Sequence[int]) -> dict[str, list[str]]:
    """Every name of ``kind`` -> the profiles that have it; a cell of one of ``seeds``."""
    found: dict[str, list[str]] = {name: [] for name in (MODELS if kind == "model" else ())}
    for profile, seed in product(PROFILES, seeds):
        cells = (each.cell.model_copy(update={"seed": seed}) for each in PROFILES[profile]().plans)
        for name in dict.fromkeys(_name(kind, cell) for cell in cells):
            found.setdefault(name, []).append(profile)
    return found


def _name(kind: str, cell: Cell) -> str:
    return {"model": cell.model, "dataset": cell.dataset, "cell": cell.id}[kind]


def _ten_cells(recipe: Callable[[str], Recipe]) -> tuple[Plan, ...]:
    """All five depths on both data sets, shallow before deep."""
    return tuple(plan(model, dataset, recipe(dataset)) for dataset in DATASETS for model in TABLE1)
