"""The training loop: one network, its optimizer, its data, step by step."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from bench.config.schedule import budget, learning_rate
from bench.data.batches import DeviceData, EpochPlan, epoch_plan
from bench.data.datasets import Dataset, DatasetSpec
from bench.errors import BenchError
from bench.records.schema import CleanTraining, Course, EpochRecord
from bench.training.checkpoint import Checkpoints, Loaded, Position
from bench.training.evaluation import Evaluator
from bench.training.stop import StopRequest
from bench.training.trainer import Trainer

# During an ErrorWarmup the training error is looked at every so many steps, over those steps.
WARMUP_WINDOW = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What a cell is trained and tested on, on the device.

    Attributes:
        train: the whole training set; the last ``recipe.held_out_images`` are not trained on.
        test: looked at after each epoch and never selected on.
    """

    train: DeviceData
    test: DeviceData

    @classmethod
    def on(cls, device: torch.device, dataset: Dataset, spec: DatasetSpec | None = None) -> Self:
        """``dataset`` on ``device``, normalised as ``spec`` says; None: by its own."""
        spec = spec or dataset.spec
        train, test = (DeviceData(s, spec, device) for s in (dataset.train, dataset.test))
        return cls(train=train, test=test)


class Training:
    """One run of a trainer's recipe, from where it stands to its end.

    Args:
        trainer: the network and its optimizer.
        data: what they see.
        seed: with the epoch's number it decides permutation, crops and flips.
        checkpoints: where they are written; None: nowhere.
        loaded: the checkpoint to go on from; its tensors are let go.
        stop: asked after every step.
        on_step: called with the number of images of each step, for progress.
    """

    def __init__(
        self,
        trainer: Trainer,
        data: Data,
        seed: int,
        *,
        checkpoints: Checkpoints | None = None,
        loaded: Loaded | None = None,
        stop: StopRequest | None = None,
        on_step: Callable[[int], None] = lambda _images: None,
    ) -> None:
        self.trainer = trainer
        self.data = data
        self.seed = seed
        self.checkpoints = checkpoints
        self.stop = stop or StopRequest()
        self.on_step = on_step
        self.budget = budget(trainer.recipe, len(data.train))
        self.position = Position()
        # Once training has ended:
        self.predicted: Tensor | None = None  # of the test images
        self.clean: CleanTraining | None = None
        if loaded:
            self.position = loaded.position
            trainer.load_state_dict(loaded.state)
            loaded.state.clear()
        precision = trainer.engine.precision
        self._test, self._train = (
            Evaluator(trainer.model, split, precision, trainer.graphs)
            for split in (data.test, data.train)
        )

    def epochs(self) -> Iterator[EpochRecord]:
        """Train to the end and yield the record of each epoch, those before a resume included.

        Raises:
            BenchError: the loss is no longer a finite number, or a checkpoint cannot be written.
            KeyboardInterrupt: a stop was asked for; a checkpoint is written.
        """
        yield from list(self.position.epochs)
        while self.position.epoch <= self.budget.epochs:
            self._train_epoch()
            try:
                record = self._look_back()
            except KeyboardInterrupt:
                self._save()
                raise
            self.position.epochs.append(record)
            self.position.epoch += 1
            self.position.step, self.position.train_seconds = 0, 0.0
            self.trainer.metrics.reset()
            if self.position.epoch <= self.budget.epochs and self._due(epoch_ends=True):
                self._save()
            yield record

    def _train_epoch(self) -> None:
        position, trainer = self.position, self.trainer
        trainer.frozen = position.epoch > (trainer.recipe.freeze_weights_after_epoch or math.inf)
        plan = self._plan(position.epoch)
        start = time.perf_counter()
        with self.stop.deferred():
            for number in range(position.step, self.budget.steps_of(position.epoch)):
                batch = plan.batch(number, trainer.recipe.batch_size)
                trainer.step(self.data.train, batch, self._rate(self.steps_done))
                position.step += 1
                self._end_warmup()
                self.on_step(len(batch))
                wanted = self.stop.wanted  # once: a signal may come between two looks
                if wanted or self._due(epoch_ends=False):
                    trainer.synchronize()
                    position.train_seconds += time.perf_counter() - start
                    self._save()
                    start = time.perf_counter()
                if wanted:
                    raise KeyboardInterrupt
            trainer.synchronize()
            position.train_seconds += time.perf_counter() - start
            self._refuse_divergence()
            if self.stop.wanted:
                self._save()
                raise KeyboardInterrupt

    def _plan(self, epoch: int) -> EpochPlan:
        recipe = self.trainer.recipe
        size = len(self.data.train) - recipe.held_out_images
        plan = epoch_plan(self.seed, epoch, size, self.budget.images, recipe.augmentation)
        return plan.to(self.trainer.device)

    @property
    def steps_done(self) -> int:
        """Over all epochs."""
        return (self.position.epoch - 1) * self.budget.steps + self.position.step

    def course(self) -> Course:
        """What happened on the way."""
        position = self.position
        return Course(
            resumes=position.resumes,
            checkpoints=position.checkpoints,
            checkpoint_seconds=position.checkpoint_seconds,
            warmup_steps=position.warmup_end,
            uncaptured=self.trainer.graphs.problem if self.trainer.graphs else None,
        )

    def _rate(self, step: int) -> float:
        """Learning rate of ``step`` (over all epochs, from 0), which lies in this epoch."""
        return learning_rate(
            self.trainer.recipe,
            step,
            self.budget.total,
            epoch=self.position.epoch,
            warmup_end=self.position.warmup_end,
        )

    def _end_warmup(self) -> None:
        """End an ErrorWarmup where the last window of steps had few enough errors.

        Windows are counted over epochs: with 391 steps an epoch, the first ends after 100, 200, 300
        and 400. Reading the count of one is the one wait for the device within an epoch, and only
        until the warm-up has ended.
        """
        warmup = getattr(self.trainer.recipe.schedule, "warmup", None)
        if warmup is None or self.position.warmup_end is not None:
            return
        if self.steps_done % WARMUP_WINDOW == 0:
            error = self.trainer.metrics.window_error()
            if error < warmup.until_train_error:
                self.position.warmup_end = self.steps_done

    def _refuse_divergence(self) -> None:
        good = self.trainer.metrics.good_steps()
        if good < self.steps_done:
            raise BenchError(
                f"training diverged: the loss is no longer a finite number at step {good + 1} "
                f"(epoch {self.position.epoch}, learning rate {self._rate(good):.3g})"
            )

    def _look_back(self) -> EpochRecord:
        recipe, position, trainer = self.trainer.recipe, self.position, self.trainer
        last = position.epoch == self.budget.epochs
        start = time.perf_counter()
        test = self._test.look(recipe.final_test_images if last else recipe.test_images)
        seconds = time.perf_counter() - start
        if not math.isfinite(test.loss):  # the last step may have spoilt the weights
            raise BenchError(
                f"training diverged: the test loss after epoch {position.epoch} is not a finite "
                f"number (learning rate {self._rate(self.steps_done - 1):.3g})"
            )
        correct, loss, images = trainer.metrics.read()
        if last:
            self.predicted = test.predicted
            self.clean = self._look_at_trained(images)
        held_out = None
        if recipe.held_out_images:
            held_out = self._train.look(first=len(self.data.train) - recipe.held_out_images)
        return EpochRecord(
            epoch=position.epoch,
            steps=position.step,
            learning_rate=self._rate(self.steps_done - 1),
            train_images=images,
            train_correct=correct,
            train_loss=loss,
            train_seconds=position.train_seconds,
            test_images=test.images,
            test_correct=test.correct,
            test_loss=test.loss,
            test_seconds=seconds,
            validation_images=held_out.images if held_out else 0,
            validation_correct=held_out.correct if held_out else 0,
            validation_loss=held_out.loss if held_out else None,
        )

    def _look_at_trained(self, images: int) -> CleanTraining:
        """The weights as they stand, on the ``images`` that this epoch trained on."""
        seen = self._train.look_at(self._plan(self.position.epoch).indices[:images])
        return CleanTraining(images=seen.images, correct=seen.correct, loss=seen.loss)

    def _due(self, *, epoch_ends: bool) -> bool:
        if self.checkpoints is None:
            return False
        return self.checkpoints.due(self.trainer.state_bytes, epoch_ends=epoch_ends)

    def _save(self) -> None:
        """Write a checkpoint, but none of a network that has diverged."""
        if self.checkpoints is not None:
            self._refuse_divergence()
            self.checkpoints.save(self.trainer.state_dict(), self.position, self.trainer.engine)
