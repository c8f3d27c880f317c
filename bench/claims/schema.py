"""A claim as data, typed and checked. No torch here.

A claim holds no number of a reference: its test names where the number stands, and ``{printed}`` in
its sentence is replaced by it. ``each`` makes a row of claims out of one.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from bench.analysis.labels import model_title, network_title
from bench.claims.budgets import Budget, budget_for
from bench.claims.measures import MEASURES
from bench.claims.methods import (
    CostRatio,
    Data,
    Elsewhere,
    ExactCost,
    Margin,
    Path,
    Reaches,
    Test,
)
from bench.claims.quantities import QUANTITIES
from bench.config.profiles import DATASETS
from bench.formats import listed
from bench.reference.loader import reproductions_of
from bench.reference.printed import look_up
from bench.reference.reproductions import Reproduction
from resnet_models import MODELS, Definition, define
from resnet_models.custom import PREFIX
from resnet_models.spec import Lineage, Shortcut, Stem

Origin = Literal["paper", "carried", "project2022", "own"]
"""Printed in the paper; its statement about ImageNet, carried to CIFAR-10; of the 2022 project's
slides or notebooks; or a hypothesis of our own."""

Part = Literal["arithmetic", "paper", "carried", "project2022", "own"]
"""What is counted apart: a count by formula is no experiment, and no claim stands for another's."""

Kind = Literal[
    "cost", "accuracy", "ordering", "warm-up", "shortcuts", "responses", "gradients", "ImageNet",
    "2022 project",
]  # fmt: skip


_TOLD: Final = {
    "paper_without_warmup": "without warm-up",
    "paper_start_without_warmup": "without warm-up",
    "project2022_frozen": "with the accident",
    "project2022_small_frozen": "with the accident",
}
"""What a label says of a budget that stands beside another one of the same network."""


class Group(Data):
    """Cells that differ in their seed alone. What is left out is as published."""

    model: str
    lineage: Lineage = "paper"
    stem: Stem | None = None
    shortcut: Shortcut | None = None
    dataset: str = "cifar10"
    budget: str = "none"

    @property
    def definition(self) -> Definition:
        return define(self.model, lineage=self.lineage, stem=self.stem, shortcut=self.shortcut)

    @property
    def is_custom(self) -> bool:
        """Whether it is a network of a user's own, of which nothing is known by formula."""
        return self.model.startswith(PREFIX)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Model, lineage, stem and shortcut of its cells."""
        if self.is_custom:
            return self.model, "custom", "custom", "custom"
        made = self.definition
        return made.model, made.lineage, made.stem, made.shortcut

    @property
    def needed(self) -> Budget:
        return budget_for(self.budget, self.model, self.dataset)

    @property
    def label(self) -> str:
        """``ResNet-56``, with what is not as published."""
        if self.is_custom:
            return network_title(self.model)
        spec = MODELS[self.model]
        extras = [f"option {self.shortcut}"] if self.shortcut else []
        if self.lineage != "paper":
            extras.append(f"lineage {self.lineage}")
        if self.budget in _TOLD:
            extras.append(_TOLD[self.budget])
        title = model_title(spec.network, spec.depth)
        return f"{title} ({', '.join(extras)})" if extras else title

    @model_validator(mode="after")
    def _exists(self) -> Self:
        _ = self.key, self.needed
        if self.is_custom and (self.lineage, self.stem, self.shortcut) != ("paper", None, None):
            raise ValueError(f"{self.model} is a custom network and has no variants")
        if self.dataset not in DATASETS:
            raise ValueError(f"no data set {self.dataset!r}; there are {', '.join(DATASETS)}")
        return self


def _as_level(value: Any) -> Any:
    """A cell may stand for a level of one, and its model's name for a cell."""
    cells = value if isinstance(value, list | tuple) else [value]
    return [{"model": cell} if isinstance(cell, str) else cell for cell in cells]


def _split(value: Any) -> Any:
    """A row of ``each`` gives several numbers as one text."""
    return tuple(map(float, value.split())) if isinstance(value, str) else value


class Needs(Data):
    """What must have been run.

    Attributes:
        cells: in levels, as the test compares them.
        seeds: of each cell, fixed before the first was run: no more and no fewer are tested.
        first_seed: the lowest of them; those below had been looked at before the claim was made.
        spread: assumed standard deviation from seed to seed.
        means: assumed of each cell, in their order, or the share of runs in percent; of a claim
            about a printed number or about equal means, what is claimed is assumed.
    """

    cells: tuple[Annotated[tuple[Group, ...], BeforeValidator(_as_level)], ...] = ()
    seeds: int = Field(default=0, ge=0)
    first_seed: int = Field(default=0, ge=0)
    spread: float | None = Field(default=None, gt=0)
    means: Annotated[tuple[float | Path, ...], BeforeValidator(_split)] = ()

    @property
    def groups(self) -> tuple[Group, ...]:
        return tuple(dict.fromkeys(group for level in self.cells for group in level))

    def __str__(self) -> str:
        """``5 seeds of ResNet-110 (64,000 iterations of paper_cifar_warmup)``."""
        if not self.seeds:
            return "nothing trained" if self.cells else "what is not run here"
        budgets: dict[str, list[str]] = {}
        for group in self.groups:
            budgets.setdefault(str(group.needed), []).append(group.label)
        parts = [f"{listed(labels)} ({budget})" for budget, labels in budgets.items()]
        lowest = f" from {self.first_seed} on" if self.first_seed else ""
        return f"{self.seeds} seeds{lowest} of {'; of '.join(parts)}"


class Claim(Data):
    """One checkable statement of a reference.

    Attributes:
        source: table, section, slide or notebook.
        origin: who says so.
        margin: of its test, looked up; None where it has none.
    """

    id: str = Field(pattern=r"^[a-z0-9_.]+$")
    sentence: str
    source: str
    origin: Origin
    kind: Kind
    needs: Needs = Needs()
    test: Test
    note: str = ""
    margin: Margin | None = None

    @model_validator(mode="after")
    def _can_be_tested(self) -> Self:
        least, most = self.test.levels
        levels = len(self.needs.cells)
        if not least <= levels <= most:
            wanted = f"{least} to {most}" if least < most else f"{least}"
            raise ValueError(f"{self.test.name} needs {wanted} levels of cells, not {levels}")
        _known("measure", getattr(self.test, "measure", None), MEASURES)
        _known("quantity", getattr(self.test, "quantity", None), QUANTITIES)
        for path in (*self.references, *self.needs.means):
            if isinstance(path, str):
                look_up(path)
        if len(self.needs.means) not in (0, len(self.needs.groups)):
            raise ValueError(f"{len(self.needs.means)} means of {len(self.needs.groups)} cells")
        exact = isinstance(self.test, ExactCost | CostRatio | Elsewhere)
        if exact and any(group.is_custom for group in self.needs.groups):
            raise ValueError(f"{self.test.name} counts by formula, and a custom network has none")
        if not exact and self.needs.seeds < 2:
            raise ValueError("a claim about means needs at least 2 seeds")
        return self

    @property
    def measure(self) -> str:
        """What of its runs it is about; only a claim about seeds has one."""
        assert not isinstance(self.test, ExactCost | CostRatio | Elsewhere)
        return self.test.measure

    @property
    def power(self) -> tuple[float, float] | None:
        """Chance that it is reproduced if true as assumed: alone, and least beside all others.

        None for what needs no seeds, and where the references leave open how large an effect is.
        """
        return _load_power().get(self.id)

    @property
    def part(self) -> Part:
        return "arithmetic" if isinstance(self.test, ExactCost | CostRatio) else self.origin

    @property
    def text(self) -> str:
        """Its sentence, with the printed number."""
        if "{printed}" not in self.sentence:
            return self.sentence
        return self.sentence.replace("{printed}", self._printed())

    @property
    def others(self) -> tuple[Reproduction, ...]:
        """What others got with this network and about this recipe, where an error is printed."""
        return tuple(each for each in self._reruns if not each.other_recipe)

    @property
    def others_apart(self) -> tuple[Reproduction, ...]:
        """What others got with this network and a recipe that is far from the paper's."""
        return tuple(each for each in self._reruns if each.other_recipe)

    @property
    def _reruns(self) -> tuple[Reproduction, ...]:
        if isinstance(self.test, Elsewhere) and self.test.network:
            shortcut = define(self.test.network).shortcut
            return reproductions_of(self.test.network, "imagenet", shortcut, self.test.metric)
        if isinstance(self.test, Reaches) and self.test.measure == "test_error":
            (group,) = self.needs.groups
            return reproductions_of(group.model, group.dataset, group.definition.shortcut)
        return ()

    def _printed(self) -> str:
        printed, test = look_up(self.references[0]), self.test
        if isinstance(test, ExactCost | CostRatio):
            if getattr(test, "per", None):
                return f"{100 * printed.value:g} %"
            return QUANTITIES[test.quantity].text(printed.value)
        unit = test.unit if isinstance(test, Elsewhere) else MEASURES[test.measure].unit
        spread = f" ± {printed.std:g}" if printed.std else ""
        return f"{printed.value:g}{spread}{unit}"

    @property
    def references(self) -> tuple[Path, ...]:
        """Paths of the printed numbers that it is about."""
        single = (getattr(self.test, name, None) for name in ("reference", "per"))
        return (*(path for path in single if path), *getattr(self.test, "references", ()))


def _known(what: str, name: str | None, known: dict[str, Any]) -> None:
    if name is not None and name not in known:
        raise ValueError(f"no {what} {name!r}; there are {', '.join(known)}")


@cache
def _load_power() -> dict[str, tuple[float, float]]:
    text = files("bench.reference").joinpath("power.json").read_text(encoding="utf-8")
    return {name: (alone, least) for name, (alone, least) in json.loads(text).items()}
