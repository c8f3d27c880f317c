"""One cell to its record: cost, speed, training; what goes wrong in it becomes a failed record."""

import gc
import math
import statistics
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from bench.config.plan import Plan
from bench.config.schedule import budget
from bench.data.datasets import Normalisation
from bench.errors import BenchError, StorageError
from bench.records.classes import Classes
from bench.records.schema import (
    CleanTraining,
    Cost,
    Course,
    Engine,
    EpochRecord,
    Moment,
    PeakMemory,
    Record,
    Signals,
    Speed,
)
from bench.runner import compilation, kept
from bench.runner.options import RunOptions
from bench.runner.progress import GridProgress
from bench.speed import cell as speed
from bench.speed.guard import Watch
from bench.training import cost, signals
from bench.training.checkpoint import Checkpoints, Loaded
from bench.training.engine import applied, out_of_memory
from bench.training.loop import Data, Training
from bench.training.trainer import Trainer
from resnet_models import Definition
from resnet_models.custom import CustomDefinition

LEAST_MICRO_BATCH = 4

Buildable = Definition | CustomDefinition
Put = Callable[[str, Normalisation], Data]
"""From a data set's name and a normalisation to its splits on the device."""


class Outcome(NamedTuple):
    """What came of a cell.

    Attributes:
        classes: predicted and true ones of the test images, (2, images); None: it failed.
        weights: the file of the trained network's; None: it failed, or none are to be kept.
    """

    record: Record
    classes: Classes | None
    weights: bytes | None


class CellRun:
    """One cell on its way to a record. What has been found out is kept when it fails.

    Args:
        plan: the cell and its recipe.
        options: what it shares with the others.
        engine: that of ``loaded``, or to begin with: whole batches, not compiled unless asked for.
        put: gives its data.
        checkpoints: where they are written.
        loaded: the one to go on from.
        progress: shows what happens.
    """

    def __init__(
        self,
        plan: Plan,
        options: RunOptions,
        *,
        engine: Engine,
        put: Put,
        checkpoints: Checkpoints,
        loaded: Loaded | None,
        progress: GridProgress,
    ) -> None:
        self.plan = plan
        self.options = options
        self.engine = engine
        self.put = put
        self.checkpoints = checkpoints
        self.loaded = loaded
        self.progress = progress
        self._unmeasured = speed.measuring_images(
            options.config.speed_samples, plan.recipe.batch_size, options.device
        )
        self.cost: Cost | None = None
        self.speed: Speed | None = None
        self.peak_memory: PeakMemory | None = None
        self.epochs: tuple[EpochRecord, ...] = ()
        self.clean_training: CleanTraining | None = None
        self.course = Course()
        self.signals: tuple[Signals, ...] = ()
        self.classes: Classes | None = None
        self.network: nn.Module | None = None  # once it is trained

    def outcome(self) -> Outcome:
        """Measure and train the cell; whatever goes wrong in it becomes a failed record.

        Raises:
            StorageError: a checkpoint cannot be written; the one before it is whole.
            KeyboardInterrupt: a stop was asked for.
        """
        started_at, reason = datetime.now(UTC), None
        try:
            with applied(self.engine):
                self._measure()
        except StorageError:
            raise
        except BenchError as error:
            reason = str(error)
        except Exception as error:
            if not out_of_memory(error):
                # a bug: its place matters
                self.progress.say(traceback.format_exc().rstrip())
            reason = f"{type(error).__name__}: {error}"
        record = Record(
            cell=self.plan.cell,
            profile=self.options.config.profile,
            status="completed" if reason is None else "failed",
            reason=reason,
            command=self.options.command(self.plan),
            recipe=self.plan.recipe,
            engine=self.engine,
            course=self.course,
            started_at=started_at,
            finished_at=datetime.now(UTC),
            environment=self.options.environment,
            cost=self.cost,
            speed=self.speed,
            peak_memory=self.peak_memory,
            epochs=self.epochs,
            clean_training=self.clean_training,
            signals=self.signals,
        )
        return Outcome(record, self.classes, self._weights(record))

    def _weights(self, record: Record) -> bytes | None:
        if record.final is None or self.network is None or not self.options.keeps_weights:
            return None
        try:
            return kept.encode(self.network, record)
        except Exception as error:  # a trained network counts more than its file
            self.progress.say(f"{record.cell.id}: its weights are not kept: {error}")
            return None

    def _measure(self) -> None:
        """Cost, then speed and training with as many images at a time as memory allows."""
        cell, device = self.plan.cell, self.options.device
        speed.reset_peak_memory(device)  # what earlier cells left behind is given back
        data = self.put(cell.dataset, self.plan.recipe.normalisation)
        spec = data.train.spec
        definition = self.plan.define(in_channels=spec.channels, num_classes=spec.classes)
        self.cost = cost.measure(definition, spec.resolution)
        while True:
            try:
                self._measure_speed(definition, data)
                # What is timed is thrown away, and looking for the best kernels took memory too.
                memory_source = speed.reset_peak_memory(device)
                self._train(definition, data)
                break
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            # Outside of the handler, whose traceback keeps the tensors of the failed step alive.
            self._shrink(reason)
        self.peak_memory = speed.peak_memory(device, memory_source)

    def _measure_speed(self, definition: Buildable, data: Data) -> None:
        """Time a network that is thrown away, and choose what depends on how long it takes."""
        self.speed = self._time(definition, data)
        if self.options.engine.compile == "auto" and not self.loaded:
            self.engine = compilation.decide(
                lambda engine: self._trainer(definition, engine),
                data.train,
                self.engine,
                step_seconds=statistics.median(self.speed.train_step_seconds),
                steps=budget(self.plan.recipe, len(data.train)).total,
                say=self.progress.say,
            )
            if self.engine.compiled:
                self.speed = self._time(definition, data)
        self._step_measuring(self._unmeasured)

    def _time(self, definition: Buildable, data: Data) -> Speed:
        trainer = self._trainer(definition, self.engine)
        watch = Watch(self.options.environment, load_before=None, gpu=None)
        with watch.counting():
            found = speed.measure(
                trainer, data.train, self.options.config.speed_samples, self._step_measuring
            )
        if watch.disturbed:
            self.progress.say(f"warning: {watch.disturbed}")
        if trainer.graphs and trainer.graphs.problem:
            self.engine = self.engine.model_copy(update={"cuda_graph": False})
            self.progress.say(
                f"no CUDA graph here ({trainer.graphs.problem}); training is slower without"
            )
        return found

    def _step_measuring(self, images: int) -> None:
        """So many images further, but never beyond what measuring was said to take.

        It is done again where a network is compiled, or has too little memory.
        """
        images = min(images, self._unmeasured)
        self._unmeasured -= images
        self.progress.step(images)

    def _trainer(self, definition: Buildable, engine: Engine) -> Trainer:
        """A fresh network and its optimizer; the weights follow from the cell's seed."""
        if engine.compiled:
            torch.compiler.reset()  # what was compiled for other cells counts against a limit
        torch.manual_seed(self.plan.cell.seed)
        recipe = self.plan.recipe
        model = definition.build(
            zero_init_residual=recipe.zero_init_residual, initialization=recipe.initialization
        )
        return Trainer(model, recipe, self.options.device, engine)

    def _train(self, definition: Buildable, data: Data) -> None:
        cell, progress = self.plan.cell, self.progress
        trainer = self._trainer(definition, self.engine)
        self.signals = self._signals(trainer, data, "initial")  # before a checkpoint is loaded
        training = Training(
            trainer,
            data,
            cell.seed,
            checkpoints=self.checkpoints,
            loaded=self.loaded,
            stop=self.options.stop,
            on_step=progress.step,
        )
        if self.loaded:
            position = training.position
            progress.step(training.steps_done * self.plan.recipe.batch_size)
            progress.say(f"{cell.id} goes on from epoch {position.epoch}, step {position.step}")
        for epoch in training.epochs():
            self.epochs = (*self.epochs, epoch)
            self.course = training.course()
            progress.end_epoch(epoch, training.budget.epochs)
        self.clean_training = training.clean
        self.signals += self._signals(trainer, data, "final")
        assert training.predicted is not None
        labels = data.test.labels[: len(training.predicted)].to(torch.uint8)
        self.classes = np.stack([training.predicted.cpu().numpy(), labels.cpu().numpy()])
        self.network = trainer.model

    def _signals(self, trainer: Trainer, data: Data, moment: Moment) -> tuple[Signals, ...]:
        """None of a custom network, whose blocks nobody knows."""
        if self.plan.factory:
            return ()
        images = min(signals.images_for(self.engine.micro_batch_size), len(data.train))
        return (signals.measure(trainer.model, data.train, images, moment),)

    def _shrink(self, reason: str) -> None:
        """Halve the micro-batch after memory ran out, and start over with it.

        Raises:
            BenchError: it is as small as it may be, or a checkpoint was made with the larger one.
        """
        if self.loaded:
            raise BenchError(
                f"out of memory on going on from a checkpoint that was made with "
                f"{self.engine.micro_batch_size} images at a time ({reason}). Free some memory and "
                "run again: the checkpoint is kept. --fresh starts over with fewer at a time."
            )
        size = math.ceil(self.engine.micro_batch_size / 2)
        if size < LEAST_MICRO_BATCH:
            raise BenchError(
                f"out of memory even with {self.engine.micro_batch_size} images at a time "
                f"({reason}). Free some memory, or choose a smaller network."
            )
        gc.collect()
        if self.options.device.type == "cuda":
            torch.cuda.empty_cache()
        self.engine = self.engine.model_copy(update={"micro_batch_size": size})
        self.epochs, self.course, self.signals = (), Course(), ()
        self.checkpoints.clear()
        self.progress.say(
            f"{self.plan.cell.id}: out of memory; starting over with {size} images at a time, "
            f"whose gradients add up to those of the batch of {self.plan.recipe.batch_size}"
        )
