"""Our training loop beside the one that everybody copies, interleaved in one process.

What is not equal favours theirs: it trains under the switches that we choose (TF32,
cudnn.benchmark), and at the start of a turn its workers have up to four batches ready.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

import torch
from pydantic import AwareDatetime, Field
from torch.utils.flop_counter import FlopCounterMode

from bench.config import recipes
from bench.data.batches import DeviceData, epoch_plan
from bench.data.datasets import Dataset
from bench.errors import UsageError
from bench.records.schema import Engine, Environment, Seconds, Stored
from bench.runner.usual_loop import RATE, WORKERS, Loop, their_loop, without_end
from bench.speed import cell
from bench.speed.limits import matrix_product
from bench.training.trainer import STEPS_BEFORE_CAPTURE, Trainer
from resnet_models import Definition
from resnet_models.blocks import skip_padding
from resnet_models.spec import Lineage, Stem

SCHEMA_VERSION: Final = 1

WARMUP_STEPS: Final = STEPS_BEFORE_CAPTURE + 2
# A turn takes about this long, the mean of both loops: much longer than the four batches that the
# DataLoader's workers prepare while it is not their turn.
TURN_SECONDS: Final = 5.0
TRIAL_SECONDS: Final = 1.0
# Before each turn, for the workers to fill their queue and fall asleep.
PAUSE_SECONDS: Final = 0.5
PEAK_SIZE: Final = {"cpu": 2048, "cuda": 8192}
PEAK_SAMPLES: Final = 3

Clock = Callable[[], float]
First = Literal["theirs", "ours"]


class Turn(Stored):
    """The same number of steps of both loops, one after the other."""

    first: First
    theirs_seconds: Seconds
    ours_seconds: Seconds
    peak_seconds: tuple[Seconds, ...] = Field(description="of one matrix product, before the turn")

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.theirs_seconds / self.ours_seconds


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
    def theirs_per_second(self) -> float:
        """Images a second, the median over the turns."""
        return self._rate([turn.theirs_seconds for turn in self.turns])

    @property
    def ours_per_second(self) -> float:
        """Images a second, the median over the turns."""
        return self._rate([turn.ours_seconds for turn in self.turns])

    def _rate(self, seconds: list[float]) -> float:
        return self.steps * self.batch_size / statistics.median(seconds)

    @property
    def ratios(self) -> list[float]:
        """How many times faster ours is, turn by turn."""
        return [turn.ratio for turn in self.turns]

    @property
    def peaks_per_second(self) -> list[float]:
        """Operations a second of the matrix product, turn by turn: each the best sample."""
        return [2 * self.peak_size**3 / min(turn.peak_seconds) for turn in self.turns]

    @property
    def shares_of_peak(self) -> list[float]:
        """How much of that our training reaches, turn by turn: both as busy as the machine is."""
        operations = self.steps * self.batch_size * self.operations
        return [
            operations / turn.ours_seconds / peak
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
    """Train ``definition`` with both loops on the same data, in turns of ``steps`` steps.

    Both start with the same weights and see batches of ``engine.micro_batch_size`` cropped and
    mirrored images. Which one goes first changes from turn to turn.

    Args:
        definition: the network.
        dataset: its training set is used.
        device: of both loops.
        engine: of our loop; its switches are set already.
        turns: how many are counted.
        steps: None: as many as take about TURN_SECONDS.
        on_turn: called after each, with the number of images of either loop.
        clock: seconds.

    Raises:
        UsageError: a batch larger than the training set.
    """
    if engine.micro_batch_size > len(dataset.train):
        raise UsageError(
            f"a batch of {engine.micro_batch_size:,} images, but the training set of "
            f"{dataset.spec.name} has {len(dataset.train):,}"
        )
    loops: dict[First, Loop] = {
        "theirs": their_loop(definition, dataset, device, engine.micro_batch_size),
        "ours": our_loop(definition, dataset, device, engine),
    }
    for loop in loops.values():
        loop(WARMUP_STEPS)
    if steps is None:
        trials = [_seconds_per_step(loop, device, clock) for loop in loops.values()]
        steps = max(1, round(TURN_SECONDS / statistics.mean(trials)))
    product = matrix_product(device, engine.precision, PEAK_SIZE[device.type])
    done = []
    for number in range(turns):
        order: tuple[First, First] = ("theirs", "ours") if number % 2 == 0 else ("ours", "theirs")
        peak_seconds = cell.sample(product, device, PEAK_SAMPLES, clock=clock)
        seconds = {name: _turn(loops[name], steps, device, clock) for name in order}
        done.append(
            Turn(
                first=order[0],
                theirs_seconds=seconds["theirs"],
                ours_seconds=seconds["ours"],
                peak_seconds=peak_seconds,
            )
        )
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


def _turn(loop: Loop, steps: int, device: torch.device, clock: Clock) -> float:
    """Seconds of ``steps`` steps, after a pause."""
    time.sleep(PAUSE_SECONDS)
    return _seconds(loop, steps, device, clock)


def _seconds_per_step(loop: Loop, device: torch.device, clock: Clock) -> float:
    """Measured over so many steps that they take TRIAL_SECONDS."""
    steps = 1
    while (seconds := _seconds(loop, steps, device, clock)) < TRIAL_SECONDS:
        steps *= 2
    return seconds / steps


def _seconds(loop: Loop, steps: int, device: torch.device, clock: Clock) -> float:
    """Of ``steps`` steps, the device having nothing else to do before and after."""
    (seconds,) = cell.sample(lambda: loop(steps), device, 1, warmup=0, clock=clock)
    return seconds


def our_loop(
    definition: Definition, dataset: Dataset, device: torch.device, engine: Engine
) -> Loop:
    """The loop of ``bench.training.loop``, without evaluation."""
    recipe = recipes.full("cifar10").model_copy(update={"batch_size": engine.micro_batch_size})
    torch.manual_seed(0)
    trainer = Trainer(definition.build(), recipe, device, engine)
    data = DeviceData(dataset.train, dataset.spec, device)
    images = len(data) - len(data) % recipe.batch_size  # whole batches only, as theirs

    def epoch_batches(epoch: int) -> Iterator[Any]:
        plan = epoch_plan(0, epoch, len(data), images, recipe.augmentation).to(device)
        return plan.batches(recipe.batch_size)

    batches = without_end(epoch_batches)

    def run(steps: int) -> None:
        for _ in range(steps):
            trainer.step(data, next(batches), RATE)

    return run


def training_operations(definition: Definition, resolution: int) -> int:
    """Additions and multiplications of an image's products, forward and backward, in our loop.

    Counted by torch in what really runs: without the taps that see only padding, and without the
    gradient of the image.
    """
    images = 2  # BatchNorm refuses a single pixel of a single image
    model = definition.build().train().to("meta")
    skip_padding(model)
    inputs = torch.empty(images, definition.in_channels, resolution, resolution, device="meta")
    with FlopCounterMode(display=False) as counter:
        model(inputs).sum().backward()
    return int(counter.get_total_flops()) // images
