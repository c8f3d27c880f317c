"""Our training loop beside the one that everybody copies, interleaved in one process.

Theirs is the loop of tutorials and of the CIFAR-10 repositories: torchvision's dataset, PIL
transforms image by image, a DataLoader with two workers, float32, loss.item() every step. Better
than most copies of it, the workers stay alive between epochs and images come from pinned memory on
a GPU. Where ours trains in a lower precision, a third loop is theirs in that precision, so that
what the loop gains stands apart from what the precision gains.

What differs besides. In favour of ours: multiplications with padding, which ours leaves out and
theirs does; in the default precision also that, where it is lower. In favour of theirs: it trains
under the switches that we choose (TF32, cudnn.benchmark), and at the start of a turn its workers
have up to four batches ready. Neither evaluates or writes checkpoints.
"""

import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from itertools import chain, repeat
from typing import Final, Literal

import torch
import torch.nn.functional as F
import torchvision
from pydantic import AwareDatetime, Field
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision import transforms

from bench.config import recipes
from bench.data.batches import PAD, DeviceData
from bench.data.datasets import Dataset
from bench.errors import UsageError
from bench.records.schema import Engine, Environment, Precision, Seconds, Stored
from bench.runner.trial import do, endless
from bench.speed import cell
from bench.speed.limits import matrix_product
from bench.speed.timing import Clock, Stopwatch, wall
from bench.training.cost import training_operations
from bench.training.engine import autocast
from bench.training.graphs import CALLS_TO_SETTLE
from bench.training.trainer import Trainer
from resnet_models import Definition
from resnet_models.spec import Lineage, Stem

SCHEMA_VERSION: Final = 1

WORKERS: Final = 2
RATE: Final = 0.01  # small, so that no loss diverges: not-a-numbers have speeds of their own

# A turn takes about this long, the mean of both loops: much longer than the four batches that the
# DataLoader's workers prepare while it is not their turn.
TURN_SECONDS: Final = 5.0
TRIAL_SECONDS: Final = 1.0
# Before each turn, for the workers to fill their queue and fall asleep.
PAUSE_SECONDS: Final = 0.5
PEAK_SIZE: Final = {"cpu": 2048, "cuda": 8192}
PEAK_SAMPLES: Final = 3

Name = Literal["theirs", "cast", "ours"]
Loop = Callable[[int], None]
"""Trains for a number of steps."""


class Turn(Stored):
    """The same number of steps of each loop, one after the other."""

    first: Name
    theirs_seconds: Seconds
    cast_seconds: Seconds | None = None  # of theirs in our precision
    ours_seconds: Seconds
    peak_seconds: tuple[Seconds, ...] = Field(description="of one matrix product, before the turn")

    @property
    def ratio(self) -> float:
        return self.theirs_seconds / self.ours_seconds

    @property
    def cast_ratio(self) -> float:
        """Against theirs in our precision."""
        return (self.cast_seconds or self.theirs_seconds) / self.ours_seconds


class Comparison(Stored):
    """One network, trained by both loops in turns. Raw samples; the properties derive from them."""

    model: str
    lineage: Lineage
    stem: Stem
    dataset: str
    batch_size: int = Field(gt=0)
    steps: int = Field(gt=0, description="of each loop in a turn")
    engine: Engine = Field(description="of our loop; theirs is plain float32")
    workers: int = WORKERS
    operations: int = Field(gt=0, description="of products, in training our network on an image")
    peak_size: int = Field(gt=0, description="rows and columns of the matrix product")
    turns: tuple[Turn, ...] = Field(min_length=1)

    @property
    def images(self) -> int:
        return self.steps * self.batch_size

    @property
    def images_per_second(self) -> tuple[float, float]:
        """Theirs and ours, the medians over the turns."""
        theirs = statistics.median(turn.theirs_seconds for turn in self.turns)
        ours = statistics.median(turn.ours_seconds for turn in self.turns)
        return self.images / theirs, self.images / ours

    @property
    def ratios(self) -> list[float]:
        return [turn.ratio for turn in self.turns]

    @property
    def cast_ratios(self) -> list[float]:
        return [turn.cast_ratio for turn in self.turns]

    @property
    def peaks_per_second(self) -> list[float]:
        """Operations a second of the matrix product, turn by turn: each the best sample."""
        return [2 * self.peak_size**3 / min(turn.peak_seconds) for turn in self.turns]

    @property
    def shares_of_peak(self) -> list[float]:
        """How much of that our training reaches, turn by turn: both as busy as the machine is."""
        return [
            self.images * self.operations / turn.ours_seconds / peak
            for turn, peak in zip(self.turns, self.peaks_per_second, strict=True)
        ]


class Comparisons(Stored):
    """What ``--json`` writes."""

    schema_version: Literal[1] = SCHEMA_VERSION
    started_at: AwareDatetime
    environment: Environment
    comparisons: tuple[Comparison, ...]


def compare(
    definition: Definition,
    dataset: Dataset,
    device: torch.device,
    engine: Engine,
    *,
    turns: int,
    steps: int | None = None,
    on_turn: Callable[[Turn, int], None] = lambda _turn, _images: None,
    clock: Clock = time.perf_counter,
) -> Comparison:
    """Train ``definition`` with the loops on the same data, in turns of ``steps`` steps.

    All start with the same weights and see batches of ``engine.micro_batch_size`` cropped and
    mirrored images. Which one goes first changes from turn to turn.

    ``engine`` is that of our loop, with its switches set already. Without ``steps`` a turn takes
    about TURN_SECONDS. ``on_turn`` is called after each, with the number of images of each loop.

    Raises:
        UsageError: a batch larger than the training set.
    """
    if engine.micro_batch_size > len(dataset.train):
        raise UsageError(
            f"a batch of {engine.micro_batch_size:,} images, but the training set of "
            f"{dataset.spec.name} has {len(dataset.train):,}"
        )
    stopwatch = wall(device, clock)
    loops = _make_loops(definition, dataset, device, engine)
    for loop in loops.values():
        loop(CALLS_TO_SETTLE)
    if steps is None:
        per_step = statistics.mean(_seconds_per_step(loop, stopwatch) for loop in loops.values())
        steps = max(1, round(TURN_SECONDS / per_step))
    product = matrix_product(device, engine.precision, PEAK_SIZE[device.type])
    done = []
    for number in range(turns):
        peak_seconds = cell.sample(product, device, PEAK_SAMPLES, clock=clock)
        order = list(loops)[:: -1 if number % 2 else 1]
        seconds = {}
        for name in order:
            time.sleep(PAUSE_SECONDS)
            seconds[f"{name}_seconds"] = stopwatch(partial(loops[name], steps))
        done.append(Turn(first=order[0], peak_seconds=peak_seconds, **seconds))
        on_turn(done[-1], steps * engine.micro_batch_size)
    return Comparison(
        model=definition.model,
        lineage=definition.lineage,
        stem=definition.stem,
        dataset=dataset.spec.name,
        batch_size=engine.micro_batch_size,
        steps=steps,
        engine=engine,
        operations=training_operations(definition, dataset.spec.resolution),
        peak_size=PEAK_SIZE[device.type],
        turns=tuple(done),
    )


def _make_loops(
    definition: Definition, dataset: Dataset, device: torch.device, engine: Engine
) -> dict[Name, Loop]:
    usual = definition, dataset, device, engine.micro_batch_size
    loops: dict[Name, Loop] = {
        "theirs": their_loop(*usual, "float32"),
        "ours": our_loop(definition, dataset, device, engine),
    }
    if engine.precision == "float32":
        return loops
    return {"cast": their_loop(*usual, engine.precision), **loops}


def _seconds_per_step(loop: Loop, stopwatch: Stopwatch) -> float:
    steps = 1
    while (seconds := stopwatch(partial(loop, steps))) < TRIAL_SECONDS:
        steps *= 2
    return seconds / steps


def our_loop(
    definition: Definition, dataset: Dataset, device: torch.device, engine: Engine
) -> Loop:
    """The loop of ``bench.training.loop``, without evaluation."""
    recipe = recipes.full("cifar10").model_copy(update={"batch_size": engine.micro_batch_size})
    torch.manual_seed(0)
    trainer = Trainer(definition.build(), recipe, device, engine)
    data = DeviceData(dataset.train, dataset.spec, device)
    return partial(do, endless(trainer, data, RATE))


def their_loop(
    definition: Definition,
    dataset: Dataset,
    device: torch.device,
    batch_size: int,
    precision: Precision,
) -> Loop:
    """The loop that everybody copies, in a lower precision by autocast and with a scaled loss.

    Its workers end when nothing refers to it any more.
    """
    recipe = recipes.full("cifar10")
    torch.manual_seed(0)
    model = definition.build().to(device).train()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=RATE, momentum=recipe.momentum, weight_decay=recipe.weight_decay
    )
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "float16")
    with warnings.catch_warnings():
        # That there are fewer than two CPUs, or that a process with threads should not fork: both
        # are as everybody has it.
        warnings.simplefilter("ignore")
        loader = DataLoader(
            as_torchvision(dataset),
            batch_size=batch_size,
            shuffle=True,
            num_workers=WORKERS,
            pin_memory=device.type == "cuda",
            drop_last=True,
            persistent_workers=True,
        )
        batches = chain.from_iterable(repeat(loader))
        next(batches)  # starts the workers

    def run(steps: int) -> None:
        loss_sum, correct = 0.0, 0
        for _ in range(steps):
            images, labels = (part.to(device) for part in next(batches))
            optimizer.zero_grad()
            with autocast(device, precision):
                logits: Tensor = model(images)
                loss = F.cross_entropy(logits, labels)
            scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch's gap
            scaler.step(optimizer)
            scaler.update()
            loss_sum += loss.item()
            correct += int(logits.argmax(1).eq(labels).sum().item())

    return run


def as_torchvision(dataset: Dataset) -> torchvision.datasets.CIFAR10:
    """The training set as torchvision's own dataset, which makes a PIL image of each sample."""
    spec = dataset.spec
    # Its constructor reads files; the images are at hand, verified.
    made = torchvision.datasets.CIFAR10.__new__(torchvision.datasets.CIFAR10)
    made.data, made.targets = dataset.train.images, dataset.train.labels.tolist()
    made.target_transform = None
    made.transform = transforms.Compose(
        [
            transforms.RandomCrop(spec.resolution, padding=PAD),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(spec.channel_mean, spec.channel_std),
        ]
    )
    return made
