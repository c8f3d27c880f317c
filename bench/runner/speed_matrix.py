"""How fast a few networks train and infer here, by precision and, on a GPU, captured or not."""

import gc
from collections.abc import Callable, Iterator
from itertools import product
from typing import Final

import torch
from pydantic import Field

from bench.data.batches import DeviceData, epoch_plan
from bench.records.schema import Engine, Precision, Speed, Stored
from bench.runner.trial import RECIPE, synthetic_dataset
from bench.speed import cell
from bench.training.engine import applied, native_bfloat16
from bench.training.trainer import STEPS_BEFORE_CAPTURE, Trainer
from resnet_models import build
from resnet_models.spec import Stem

NETWORKS: Final[tuple[tuple[str, Stem], ...]] = (
    ("cifar_resnet20", "cifar"),
    ("resnet18", "imagenet"),
    ("resnet18", "cifar"),
    ("resnet50", "imagenet"),
    ("resnet50", "cifar"),
)
# Of training; inference takes all images at once.
BATCH_SIZE: Final = {"cpu": 16, "cuda": 128}
IMAGES: Final = {"cpu": 16, "cuda": 2000}
SAMPLES: Final = {"cpu": 2, "cuda": 20}


class Row(Stored):
    """One network, trained and tried in one way. Raw samples."""

    model: str
    stem: Stem
    engine: Engine
    speed: Speed | None
    problem: str | None = Field(description="why there is no speed")


def engines(device: torch.device) -> Iterator[Engine]:
    """Every way in which ``device`` can train, but in a precision that it emulates."""
    cuda = device.type == "cuda"
    precisions: list[Precision] = ["float32"]
    if native_bfloat16(device):
        precisions.append("bfloat16")
    if cuda:
        precisions.append("float16")
    for precision in precisions:
        for graph in (True, False) if cuda and precision != "float16" else (False,):
            yield Engine(
                precision=precision,
                micro_batch_size=BATCH_SIZE[device.type],
                cuda_graph=graph,
                tf32=True if cuda else None,
            )


def measure(device: torch.device, on_row: Callable[[Row], None]) -> list[Row]:
    """Every network with every engine; one that fails keeps no other from being measured."""
    rows = []
    for (model, stem), engine in product(NETWORKS, engines(device)):
        found, problem = None, None
        try:
            found = _speed(device, model, stem, engine)
        except Exception as error:  # out of memory, no such kernel: the row says so
            problem = f"{type(error).__name__}: {error}"
        rows.append(Row(model=model, stem=stem, engine=engine, speed=found, problem=problem))
        on_row(rows[-1])
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
    return rows


def _speed(device: torch.device, model: str, stem: Stem, engine: Engine) -> Speed:
    """Timings of a fresh network."""
    dataset = synthetic_dataset(train=IMAGES[device.type])
    data = DeviceData(dataset.train, dataset.spec, device)
    recipe = RECIPE.model_copy(update={"batch_size": engine.micro_batch_size})
    with applied(engine):
        trainer = Trainer(build(model, stem=stem, num_classes=10), recipe, device, engine)
        if engine.cuda_graph:
            plan = epoch_plan(0, 0, len(data), recipe.batch_size, recipe.augmentation).to(device)
            for _ in range(STEPS_BEFORE_CAPTURE + 1):
                trainer.step(data, plan, recipe.learning_rate)
        return cell.measure(trainer, data, SAMPLES[device.type])
