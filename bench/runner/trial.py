"""Short trainings on synthetic images: what ``bench.runner.selftest`` looks at, and their speed."""

import gc
import math
from collections.abc import Iterator
from itertools import count, islice, product
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from bench.config import recipes
from bench.config.recipe import Recipe
from bench.data.batches import DeviceData, epoch_plan
from bench.data.datasets import SPECS, Dataset, Split
from bench.records.schema import Engine, EpochRecord, Speed, Stored
from bench.speed import cell as speed
from bench.speed.limits import native_precisions
from bench.training.checkpoint import Checkpoints
from bench.training.engine import EngineOptions, applied, choose_engine
from bench.training.loop import Data, Training
from bench.training.stop import StopRequest
from bench.training.trainer import Trainer
from resnet_models import build
from resnet_models.spec import Stem

BATCH_SIZE: Final = 16
TRAIN_IMAGES: Final = 8 * BATCH_SIZE
# A power of two: exact in float32, in which a captured graph keeps the rate.
RATE: Final = 1 / 32
RECIPE: Final = recipes.full("cifar10").model_copy(
    update={"name": "selftest", "learning_rate": RATE, "batch_size": BATCH_SIZE, "epochs": 2}
)

NETWORKS: Final[tuple[tuple[str, Stem], ...]] = (
    ("cifar_resnet20", "cifar"),
    ("resnet18", "imagenet"),
    ("resnet18", "cifar"),
    ("resnet50", "imagenet"),
    ("resnet50", "cifar"),
)
# Of the speeds: images of a step of training, of inference at once, and repetitions.
SPEED_BATCH_SIZE: Final = {"cpu": 16, "cuda": 128}
SPEED_IMAGES: Final = {"cpu": 16, "cuda": 2000}
SPEED_SAMPLES: Final = {"cpu": 2, "cuda": 20}


def exact_engine(device: torch.device, **changes: Any) -> Engine:
    """Float32, the same sums every time; on a GPU without TF32 and as a captured graph."""
    options = EngineOptions(precision="float32", deterministic=device.type == "cuda")
    return choose_engine(device, options, BATCH_SIZE).model_copy(update=changes)


def synthetic_dataset(
    name: str = "cifar10", train: int = TRAIN_IMAGES, test: int = TRAIN_IMAGES // 2
) -> Dataset:
    """In the shape of ``name``, noise with a bright row whose place tells the class."""
    spec, random = SPECS[name], np.random.default_rng(0)

    def split(size: int) -> Split:
        labels = np.arange(size, dtype=np.uint8) % 10
        shape = (size, spec.resolution, spec.resolution, spec.channels)
        images = random.integers(0, 40, shape, dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[2 + 2 * label : 4 + 2 * label] = 255
        return Split(images, labels)

    return Dataset(spec, split(train), split(test))


def make_trainer(
    device: torch.device,
    engine: Engine,
    *,
    recipe: Recipe = RECIPE,
    model: str = "cifar_resnet20",
    stem: Stem | None = None,
    seed: int = 0,
) -> Trainer:
    """A fresh network for the synthetic images, and its optimizer."""
    torch.manual_seed(seed)
    return Trainer(build(model, stem=stem, num_classes=10), recipe, device, engine)


def train(
    device: torch.device,
    engine: Engine,
    *,
    seed: int = 0,
    folder: Path | None = None,
    stop_after: int | None = None,
    **network: Any,
) -> tuple[Trainer, list[EpochRecord]]:
    """A whole training; from the checkpoint in ``folder``, asked to stop after so many steps."""
    stop, steps = StopRequest(), count(1)

    def note(_images: int) -> None:
        stop.wanted = next(steps) == stop_after

    checkpoints = Checkpoints(folder, {}, every_seconds=math.inf, warn=print) if folder else None
    with applied(engine):
        training = Training(
            make_trainer(device, engine, seed=seed, **network),
            Data.on(device, synthetic_dataset()),
            seed,
            checkpoints=checkpoints,
            loaded=checkpoints.load() if checkpoints else None,
            stop=stop,
            on_step=note,
        )
        return training.trainer, list(training.epochs())


def endless(trainer: Trainer, data: DeviceData, rate: float) -> Iterator[Trainer]:
    """Train on whole batches without end, one at each ``next``; gives the trainer after it."""
    size = trainer.recipe.batch_size
    images = len(data) - len(data) % size
    for epoch in count(1):
        plan = epoch_plan(0, epoch, len(data), images, trainer.recipe.augmentation)
        for batch in plan.to(trainer.device).batches(size):
            trainer.step(data, batch, rate)
            yield trainer


def make_steps(device: torch.device, engine: Engine) -> Iterator[Trainer]:
    data = Data.on(device, synthetic_dataset()).train
    return endless(make_trainer(device, engine), data, RATE)


def do(steps: Iterator[Trainer], number: int) -> None:
    for _ in islice(steps, number):
        pass


def losses(device: torch.device, engine: Engine, steps: int = 8) -> list[float]:
    found = []
    with applied(engine):
        for trainer in islice(make_steps(device, engine), steps):
            found.append(trainer.metrics.read()[1])
            trainer.metrics.reset()
    return found


def gradient(device: torch.device, engine: Engine, batch_size: int) -> Tensor:
    """Of all parameters of a network without BatchNorm on one batch, by one step of plain SGD."""
    changes = {"batch_size": batch_size, "momentum": 0.0, "weight_decay": 0.0}
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)
    )

    def weights() -> Tensor:
        return torch.cat([weight.detach().flatten() for weight in trainer.model.parameters()])

    with applied(engine):
        trainer = Trainer(model, RECIPE.model_copy(update=changes), device, engine)
        data = Data.on(device, synthetic_dataset()).train
        plan = epoch_plan(0, 1, len(data), batch_size, "crop_flip").to(device)
        before = weights()
        # A large one: what is left of the weights' own rounding is then small.
        rate = 1024.0
        trainer.step(data, plan, rate)
    return (before - weights()) / rate


def gap_between(some: list[float], others: list[float]) -> float:
    """Largest relative difference; infinite where a loss is not a number."""
    gaps = [abs(one / other - 1) for one, other in zip(some, others, strict=True)]
    return max(math.inf if math.isnan(gap) else gap for gap in gaps)


def differences(one: Trainer, other: Trainer) -> list[str]:
    """Names of the tensors of two trainers that are not equal bit for bit."""
    pairs = zip(_tensors(one.state_dict()), _tensors(other.state_dict()), strict=True)
    return [name for (name, tensor), (_, twin) in pairs if not torch.equal(tensor, twin)]


def _tensors(value: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _tensors(part, f"{name}.{key}" if name else str(key))


class Row(Stored):
    """One network, trained and tried in one way. Raw samples."""

    model: str
    stem: Stem
    engine: Engine
    speed: Speed | None
    problem: str | None = Field(description="why there is no speed")


def measure_speeds(device: torch.device) -> Iterator[Row]:
    """Every network with every engine; one that fails keeps no other from being measured."""
    for (model, stem), engine in product(NETWORKS, engines(device)):
        found, problem = None, None
        try:
            found = _speed(device, model, stem, engine)
        except Exception as error:  # out of memory, no such kernel: the row says so
            problem = f"{type(error).__name__}: {error}"
        yield Row(model=model, stem=stem, engine=engine, speed=found, problem=problem)
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()


def engines(device: torch.device) -> Iterator[Engine]:
    """Every way in which ``device`` can train, but in a precision that it emulates."""
    for precision in native_precisions(device):
        options = EngineOptions(precision=precision)
        engine = choose_engine(device, options, SPEED_BATCH_SIZE[device.type])
        yield engine
        if engine.cuda_graph:
            yield engine.model_copy(update={"cuda_graph": False})


def _speed(device: torch.device, model: str, stem: Stem, engine: Engine) -> Speed:
    data = Data.on(device, synthetic_dataset(train=SPEED_IMAGES[device.type])).train
    recipe = RECIPE.model_copy(update={"batch_size": engine.micro_batch_size})
    with applied(engine):
        trainer = make_trainer(device, engine, recipe=recipe, model=model, stem=stem)
        return speed.measure(trainer, data, SPEED_SAMPLES[device.type])
