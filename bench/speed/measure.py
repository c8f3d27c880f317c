"""A workload on a device, ready to be repeated; and where the time of a training step goes."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
import torch
from torch import nn

from bench.config import recipes
from bench.data.batches import DeviceData, epoch_plan
from bench.data.datasets import SPECS, Split
from bench.records.schema import Engine
from bench.records.speed import StepSplit, Workload, definition
from bench.speed import timing
from bench.speed.timing import Stopwatch
from bench.training.engine import applied
from bench.training.evaluation import predict
from bench.training.graphs import CALLS_TO_SETTLE
from bench.training.trainer import Trainer

# So small that random labels never make the weights diverge, in thousands of steps.
RATE: Final = 1e-4
SPLIT_SAMPLES: Final = 3
MEMORY_FORMATS: Final = {
    "channels_last": torch.channels_last,
    "contiguous": torch.contiguous_format,
}


def engine_of(workload: Workload, device: torch.device) -> Engine:
    """How the machine is used for ``workload``."""
    return Engine(
        precision=workload.precision,
        micro_batch_size=workload.batch_size,
        compiled=workload.compiled,
        cuda_graph=workload.cuda_graph,
        tf32=True if device.type == "cuda" else None,
    )


def synthetic_data(workload: Workload, device: torch.device) -> DeviceData:
    """One batch of noise; what is in the images does not change how long they take."""
    random, size, side = np.random.default_rng(0), workload.batch_size, workload.resolution
    images = random.integers(0, 256, (size, side, side, workload.in_channels), dtype=np.uint8)
    labels = (np.arange(size) % min(workload.classes, 256)).astype(np.uint8)
    spec = SPECS["cifar10"].model_copy(
        update={
            "name": "synthetic",
            "resolution": side,
            "channels": workload.in_channels,
            "classes": workload.classes,
            "channel_mean": (0.5,) * workload.in_channels,
            "channel_std": (0.25,) * workload.in_channels,
        }
    )
    return DeviceData(Split(images, labels), spec, device)


class TrainingStep:
    """Whole steps: make the augmented batch, forward, backward, update the weights."""

    def __init__(self, workload: Workload, device: torch.device) -> None:
        recipe = recipes.full("cifar10").model_copy(update={"batch_size": workload.batch_size})
        self.trainer = Trainer(
            definition(workload).build(),
            recipe,
            device,
            engine_of(workload, device),
            memory_format=MEMORY_FORMATS[workload.memory_format],
        )
        self.data = synthetic_data(workload, device)
        plan = epoch_plan(0, 0, len(self.data), None, recipe.augmentation)
        self.batch = plan.to(device)

    def __call__(self) -> None:
        """Take one."""
        self.trainer.step(self.data, self.batch, RATE)

    def refuse_uncaptured(self) -> None:
        """Raises RuntimeError where a step that was to be captured could not be."""
        if self.trainer.graphs and self.trainer.graphs.problem:
            raise RuntimeError(f"no CUDA graph: {self.trainer.graphs.problem}")

    def phases(self, stopwatch: Stopwatch) -> tuple[float, float, float, float]:
        """Seconds of making the batch, forward, backward and update in one step of kernels."""
        trainer = self.trainer

        def make_batch() -> None:
            self.images, self.labels = trainer.make_batch(self.data, self.batch)

        def forward() -> None:
            self.loss, _ = trainer.forward(self.images, self.labels)

        return (
            stopwatch(make_batch),
            stopwatch(forward),
            stopwatch(lambda: trainer.backward(self.loss)),
            stopwatch(trainer.update),
        )

    def split(self, stopwatch: Stopwatch, samples: int = SPLIT_SAMPLES) -> StepSplit:
        """The phases of ``samples`` steps, after one that is not counted.

        They need memory of their own: what fits once beside its graph may not fit twice.
        """
        self.trainer.release_graphs()
        counted = [self.phases(stopwatch) for _ in range(1 + samples)][1:]
        data, forward, backward, optimizer = zip(*counted, strict=True)
        return StepSplit(data=data, forward=forward, backward=backward, optimizer=optimizer)


class ForwardPass:
    """Inference on a batch that is there already."""

    def __init__(self, workload: Workload, device: torch.device) -> None:
        memory_format = MEMORY_FORMATS[workload.memory_format]
        network = definition(workload).build().to(device).to(memory_format=memory_format)
        self.network: nn.Module = network
        if workload.compiled:
            self.network = cast(nn.Module, torch.compile(network, dynamic=False))
        images, _ = synthetic_data(workload, device).batch(
            torch.arange(workload.batch_size, device=device)
        )
        self.images = images.contiguous(memory_format=memory_format)
        self.precision = workload.precision

    def __call__(self) -> None:
        """Look at it once."""
        predict(self.network, self.images, self.precision)


def prepare(workload: Workload, device: torch.device) -> TrainingStep | ForwardPass:
    """A fresh network, repeated by calling it. Call it within ``applied(engine_of(...))``."""
    if workload.compiled:
        torch.compiler.reset()  # what was compiled for other workloads counts against a limit
    torch.manual_seed(0)
    kind = TrainingStep if workload.direction == "training" else ForwardPass
    return kind(workload, device)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round of a workload gave, in seconds."""

    warmup: tuple[float, ...]
    samples: tuple[float, ...]
    split: StepSplit | None


def measure_round(
    workload: Workload,
    device: torch.device,
    *,
    with_split: bool = False,
    counting: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Round:
    """Warm up a fresh network, take samples and, of training ``with_split``, its phases.

    The context ``counting`` is entered around the samples.
    """
    with applied(engine_of(workload, device)):
        repetition = prepare(workload, device)
        stopwatch = timing.best_stopwatch(device)
        least = CALLS_TO_SETTLE if workload.cuda_graph else timing.LEAST_WARMUP
        warmup = timing.warm_up(
            repetition, stopwatch, least=least, most_seconds=timing.MOST_WARMUP_SECONDS
        )
        if isinstance(repetition, TrainingStep):
            repetition.refuse_uncaptured()
        burst = timing.burst_size(device, warmup[-1])
        with counting():
            samples = timing.sample(
                repetition,
                timing.in_bursts(stopwatch, burst),
                seconds=timing.SAMPLE_SECONDS / burst,
            )
        split = None
        if with_split and isinstance(repetition, TrainingStep):
            split = repetition.split(stopwatch)
    return Round(warmup=warmup, samples=samples, split=split)
