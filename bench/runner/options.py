"""What the cells of a run share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from bench.config.profiles import Plan
from bench.data.transforms import Normalisation
from bench.records.schema import Engine, Environment
from bench.runner.progress import GridProgress
from bench.training.checkpoint import Checkpoints
from bench.training.engine import EngineOptions
from bench.training.loop import Data
from bench.training.stop import StopRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How cells are run, the same for all of them."""

    device: torch.device
    engine: EngineOptions = field(default_factory=EngineOptions)
    checkpoint_seconds: float = 60.0
    stop: StopRequest = field(default_factory=StopRequest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the cells of a run share.

    Attributes:
        profile: its name.
        speed_samples: timed repetitions per measurement.
        words: what changes the profile's recipes on the command line.
        options: device, engine, checkpoints.
        environment: of this machine.
        engine: chosen once, so that noise in its probe cannot divide the cells.
        put: from a data set's name and a normalisation to its splits on the device.
        progress: shows what happens.
    """

    profile: str
    speed_samples: int
    words: tuple[str, ...]
    options: RunOptions
    environment: Environment
    engine: Engine
    put: Callable[[str, Normalisation], Data]
    progress: GridProgress

    def checkpoints(self, folder: Path, plan: Plan) -> Checkpoints:
        """Those of ``plan``, in its cell's folder."""
        return Checkpoints(
            folder,
            {
                **plan.recipe.model_dump(mode="json"),
                "device": self.options.device.type,
                "asked precision": self.options.engine.precision,
                "asked compile": self.options.engine.compile,
                "deterministic": self.options.engine.deterministic,
            },
            every_seconds=self.options.checkpoint_seconds,
            warn=self.progress.say,
        )


def command(plan: Plan, context: Context) -> str:
    """What makes the record of ``plan`` again, and no other."""
    options = context.options
    words = [
        f"python -m bench run --profile {context.profile} --cells {plan.cell.id}",
        *context.words,
        f"--device {options.device.type}",
    ]
    if options.engine.precision != "auto":
        words.append(f"--precision {options.engine.precision}")
    if options.engine.compile != "auto":
        words.append(f"--compile {options.engine.compile}")
    if options.engine.deterministic:
        words.append("--deterministic")
    return " ".join([*words, "--fresh"])
