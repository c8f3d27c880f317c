"""The experiments that claims about training wait for, as data: experiments.toml. No torch here."""

import tomllib
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from pydantic import Field

from bench.config.names import unknown
from bench.config.plan import Changes
from bench.config.profiles import RunConfig, make
from bench.config.recipe import Frozen
from bench.errors import UsageError

PRECISION: Final = "bfloat16"
COMPILE: Final = "off"
"""Of every experiment: cells that are compared must have been computed alike."""

SPEED_SAMPLES: Final = 2
"""They are about accuracy; what is about speed is measured by itself."""


class Experiment(Frozen):
    """Cells of a profile, with the seeds and the budget that were fixed before the first run.

    Attributes:
        question: what it is to answer.
        models: only these of the profile, as with ``datasets``; all where empty.
        cells: only these, by the names of their folders without the seed.
        changes: fields of ``Changes``.
    """

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    question: str
    profile: str
    models: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    seeds: tuple[int, ...] = Field(min_length=1)
    changes: dict[
        Literal["epochs", "images_per_epoch", "fraction", "start"], int | float
    ] = Field(default_factory=dict)  # fmt: skip

    def config(self, *, models: tuple[str, ...] = (), seed: int | None = None) -> RunConfig:
        """Its cells, seed by seed; only ``models`` or ``seed`` of it where they are given.

        Raises:
            UsageError: it has no such model or seed.
        """
        if seed is not None and seed not in self.seeds:
            planned = ", ".join(map(str, self.seeds))
            raise UsageError(f"--seed {seed}: the experiment {self.name} plans {planned}")
        for model in models:
            if self.models and model not in self.models:
                raise UsageError(unknown("model", model, self.models))
        seeds = self.seeds if seed is None else (seed,)
        changes: Any = self.changes
        config = make(
            self.profile,
            has_gpu=False,
            models=models or self.models,
            datasets=self.datasets,
            cells=[f"{cell}-seed{number}" for number in seeds for cell in self.cells],
            seeds=seeds,
            changes=Changes(**changes),
        )
        return replace(config, speed_samples=SPEED_SAMPLES)


@cache
def load_experiments() -> dict[str, Experiment]:
    """By name, in the order in which they are to be run: what takes less comes first."""
    text = files("bench.config").joinpath("experiments.toml").read_text(encoding="utf-8")
    each = (Experiment.model_validate(entry) for entry in tomllib.loads(text)["experiment"])
    return {experiment.name: experiment for experiment in each}


def find(name: str) -> Experiment:
    """The experiment ``name``.

    Raises:
        UsageError: there is none; the message says which there are.
    """
    known = load_experiments()
    if name not in known:
        raise UsageError(unknown("experiment", name, list(known)))
    return known[name]
