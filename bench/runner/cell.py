"""One cell to its record: cost, speed, training; what goes wrong in it becomes a failed record."""

import gc
import math
import statistics
import traceback
from datetime import UTC, datetime
from hashlib import sha256

import torch

from bench.config.profiles import Plan
from bench.config.schedule import budget
from bench.data.datasets import DatasetSpec
from bench.errors import BenchError, StorageError
from bench.records import predictions
from bench.records.schema import (
    Cost,
    Course,
    Engine,
    EpochRecord,
    Moment,
    PeakMemory,
    Predictions,
    Record,
    Signals,
    Speed,
)
from bench.runner import compilation
from bench.runner.options import Context, command
from bench.speed import cell as speed
from bench.training import cost, signals
from bench.training.checkpoint import Checkpoints
from bench.training.engine import applied, out_of_memory
from bench.training.loop import Data, Training
from bench.training.trainer import Trainer
from resnet_models import Definition, define

LEAST_MICRO_BATCH = 4


class CellRun:
    """One cell on its way to a record. What has been found out is kept when it fails.

    Args:
        plan: the cell and its recipe.
        context: what it shares with the others.
        checkpoints: where it goes on from, and what it writes.

    Raises:
        UsageError: the newest checkpoint was made with other settings.
    """

    def __init__(self, plan: Plan, context: Context, checkpoints: Checkpoints) -> None:
        self.plan = plan
        self.context = context
        self.checkpoints = checkpoints
        self.loaded = checkpoints.load(context.options.device)
        self.engine = (
            self.loaded.engine
            if self.loaded
            else context.engine.model_copy(update={"micro_batch_size": plan.recipe.batch_size})
        )
        self.cost: Cost | None = None
        self.speed: Speed | None = None
        self.peak_memory: PeakMemory | None = None
        self.epochs: tuple[EpochRecord, ...] = ()
        self.course = Course()
        self.signals: tuple[Signals, ...] = ()
        self.predictions: bytes | None = None  # the content of their file

    def record(self) -> Record:
        """Measure and train the cell; whatever goes wrong in it becomes a failed record.

        Raises:
            StorageError: a checkpoint cannot be written; the one before it is whole.
            KeyboardInterrupt: a stop was asked for.
        """
        started_at = datetime.now(UTC)
        reason = self._attempt()
        return Record(
            cell=self.plan.cell,
            profile=self.context.profile,
            status="completed" if reason is None else "failed",
            reason=reason,
            command=command(self.plan, self.context),
            recipe=self.plan.recipe,
            engine=self.engine,
            course=self.course,
            started_at=started_at,
            finished_at=datetime.now(UTC),
            environment=self.context.environment,
            cost=self.cost,
            speed=self.speed,
            peak_memory=self.peak_memory,
            epochs=self.epochs,
            signals=self.signals,
            predictions=self._named_predictions(),
        )

    def _named_predictions(self) -> Predictions | None:
        if self.predictions is None:
            return None
        images = self.epochs[-1].test_images
        return Predictions(images=images, sha256=sha256(self.predictions).hexdigest())

    def _attempt(self) -> str | None:
        """Do everything; returns why it failed."""
        try:
            with applied(self.engine):
                self._measure()
        except StorageError:
            raise
        except BenchError as error:
            return str(error)
        except Exception as error:
            if not out_of_memory(error):
                # a bug: its place matters
                self.context.progress.say(traceback.format_exc().rstrip())
            return f"{type(error).__name__}: {error}"
        return None

    def _measure(self) -> None:
        """Cost, then speed and training with as many images at a time as memory allows."""
        device = self.context.options.device
        memory_source = speed.reset_peak_memory(device)
        data = self.context.put(self.plan.cell.dataset, self.plan.recipe.normalisation)
        spec = data.train.spec
        definition = self._definition(spec)
        self.cost = cost.measure(definition, spec.resolution)
        while True:
            try:
                self._settle_engine(definition, data)
                self._train(definition, data)
                break
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            # Outside of the handler, whose traceback keeps the tensors of the failed step alive.
            self._shrink(reason)
        self.peak_memory = speed.peak_memory(device, memory_source)

    def _definition(self, spec: DatasetSpec) -> Definition:
        cell = self.plan.cell
        return define(
            cell.model,
            lineage=cell.lineage,
            stem=cell.stem,
            shortcut=cell.shortcut,
            in_channels=spec.channels,
            num_classes=spec.classes,
        )

    def _trainer(self, definition: Definition, engine: Engine) -> Trainer:
        """A fresh network and its optimizer; the weights follow from the cell's seed."""
        if engine.compiled:
            torch.compiler.reset()  # what was compiled for other cells counts against a limit
        torch.manual_seed(self.plan.cell.seed)
        recipe = self.plan.recipe
        model = definition.build(
            zero_init_residual=recipe.zero_init_residual, initialization=recipe.initialization
        )
        return Trainer(model, recipe, self.context.options.device, engine)

    def _settle_engine(self, definition: Definition, data: Data) -> None:
        """Time a network that is thrown away, and choose what depends on how long it takes."""
        options, progress = self.context.options, self.context.progress
        self._time(definition, data)
        assert self.speed is not None
        if options.engine.compile == "auto" and not self.loaded:
            self.engine = compilation.decide(
                lambda engine: self._trainer(definition, engine),
                data.train,
                self.engine,
                step_seconds=statistics.median(self.speed.train_step_seconds),
                steps=budget(self.plan.recipe, len(data.train)).total,
                say=progress.say,
            )
            if self.engine.compiled:
                self._time(definition, data)
        samples = self.context.speed_samples
        progress.step(speed.measuring_images(samples, self._batch_size, options.device))

    @property
    def _batch_size(self) -> int:
        return self.plan.recipe.batch_size

    def _time(self, definition: Definition, data: Data) -> None:
        """Measure speed; where a step cannot be captured, its kernels are launched one by one."""
        samples = self.context.speed_samples
        try:
            self.speed = speed.measure(self._trainer(definition, self.engine), data.train, samples)
        except RuntimeError as error:
            if out_of_memory(error) or not self.engine.cuda_graph:
                raise
            reason = str(error).splitlines()[0]
        else:
            return
        self.context.progress.say(f"no CUDA graph here ({reason}); training is slower without")
        self.engine = self.engine.model_copy(update={"cuda_graph": False})
        self.speed = speed.measure(self._trainer(definition, self.engine), data.train, samples)

    def _train(self, definition: Definition, data: Data) -> None:
        progress = self.context.progress
        gc.collect()  # what was timed is thrown away, before its successor needs the memory
        trainer = self._trainer(definition, self.engine)
        self.signals = (self._signals(trainer, data, "initial"),)  # before a checkpoint is loaded
        training = Training(
            trainer,
            data,
            self.plan.cell.seed,
            checkpoints=self.checkpoints,
            loaded=self.loaded,
            stop=self.context.options.stop,
            on_step=progress.step,
        )
        if self.loaded:
            progress.step(training.steps_done * self._batch_size)
            progress.say(
                f"{self.plan.cell.id} goes on from epoch {training.position.epoch}, "
                f"step {training.position.step}"
            )
        for epoch in training.epochs():
            self.epochs = (*self.epochs, epoch)
            self.course = training.course()
            progress.end_epoch(epoch, training.budget.epochs)
        self.signals = (*self.signals, self._signals(trainer, data, "final"))
        assert training.predicted is not None
        labels = data.test.labels[: len(training.predicted)].to(torch.uint8)
        self.predictions = predictions.encode(
            training.predicted.cpu().numpy(), labels.cpu().numpy()
        )

    def _signals(self, trainer: Trainer, data: Data, moment: Moment) -> Signals:
        images = min(signals.images_for(self.engine.micro_batch_size), len(data.train))
        return signals.measure(trainer.model, data.train, images, moment)

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
        if self.context.options.device.type == "cuda":
            torch.cuda.empty_cache()
        self.engine = self.engine.model_copy(update={"micro_batch_size": size})
        self.loaded, self.epochs, self.course, self.signals = None, (), Course(), ()
        self.checkpoints.clear()
        self.context.progress.say(
            f"{self.plan.cell.id}: out of memory; starting over with {size} images at a time, "
            f"whose gradients add up to those of the batch of {self._batch_size}"
        )
