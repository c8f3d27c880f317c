"""What a run was asked for, and what its cells share."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from bench.config.plan import Plan
from bench.config.profiles import RunConfig
from bench.records.schema import Environment
from bench.training.engine import EngineOptions
from bench.training.environment import device_option, threads_option
from bench.training.stop import StopRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How the cells of a run are run, the same for all of them.

    Attributes:
        config: the cells, and what the profile says of them.
        folder: where records and checkpoints go, one folder a cell.
        device: where to train.
        environment: of this machine, with ``device``.
        engine: what was asked for.
        checkpoint_seconds: least time between two checkpoints within an epoch.
        fresh: start over what was finished or interrupted.
        weights: whether those of finished cells are to be kept.
        stop: asks the run to end after a step.
    """

    config: RunConfig
    folder: Path
    device: torch.device
    environment: Environment
    engine: EngineOptions = field(default_factory=EngineOptions)
    checkpoint_seconds: float = 60.0
    fresh: bool = False
    weights: bool = True
    stop: StopRequest = field(default_factory=StopRequest)

    @property
    def keeps_weights(self) -> bool:
        """Of every cell that is completed; those of smoke have learnt nothing."""
        return self.weights and self.config.profile != "smoke"

    def checkpoint_settings(self, plan: Plan) -> dict[str, Any]:
        """What a checkpoint of ``plan`` must have been made with, to go on from it."""
        custom = plan.cell.custom
        return {
            **plan.recipe.model_dump(mode="json"),
            **({"network": custom.model_dump()} if custom else {}),
            "format": 2,  # of the tensors of ``bench.training.trainer``
            "device": self.device.type,
            "asked precision": self.engine.precision,
            "asked compile": self.engine.compile,
            "deterministic": self.engine.deterministic,
        }

    def command(self, plan: Plan) -> str:
        """What makes the record of ``plan`` again, and no other; a comment where nothing does."""
        if self.config.words is None:
            return f"# made by a program, as {self.config.profile}: no command line makes it again"
        words = [
            f"python -m bench run --profile {self.config.profile} --cells {plan.cell.id}",
            *self.config.words,
            f"--device {device_option(self.device)}{threads_option()}",
        ]
        if self.engine.precision != "auto":
            words.append(f"--precision {self.engine.precision}")
        if self.engine.compile != "auto":
            words.append(f"--compile {self.engine.compile}")
        if self.engine.deterministic:
            words.append("--deterministic")
        if not self.weights:
            words.append("--no-weights")
        return " ".join([*words, "--fresh"])
