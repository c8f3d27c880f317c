"""How long a recipe trains, and the learning rate of each step: pure functions. No torch here."""

import math
from dataclasses import dataclass

from bench.config.recipe import LinearSchedule, Recipe, StepSchedule


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a recipe trains on a training set of a given size."""

    images: int  # in an epoch
    steps: int  # in a whole epoch
    total: int  # steps of the run

    @property
    def epochs(self) -> int:
        """Epochs of the run; the last one may be cut short."""
        return math.ceil(self.total / self.steps)

    def steps_of(self, epoch: int) -> int:
        return min(self.steps, self.total - (epoch - 1) * self.steps)


def budget(recipe: Recipe, train_images: int) -> Budget:
    """On a training set of ``train_images``, held-out ones included."""
    images = recipe.images_per_epoch or train_images - recipe.held_out_images
    steps = math.ceil(images / recipe.batch_size)
    return Budget(images, steps, recipe.iterations or steps * (recipe.epochs or 0))


def learning_rate(
    recipe: Recipe, step: int, steps: int, *, epoch: int, warmup_end: int | None = 0
) -> float:
    """Rate of ``step`` (from 0) of ``steps``, which lies in ``epoch`` (from 1).

    Steps are counted over all epochs. ``warmup_end`` is the first step after an ``ErrorWarmup``;
    None while that lasts.
    """
    assert 0 <= step < steps
    if isinstance(recipe.schedule, LinearSchedule):
        return recipe.learning_rate * _linear(recipe.schedule, step, steps)
    if recipe.schedule.warmup and (warmup_end is None or step < warmup_end):
        return recipe.schedule.warmup.learning_rate
    schedule: StepSchedule = recipe.schedule
    position = step if schedule.unit == "iteration" else epoch - 1
    passed = sum(position >= milestone for milestone in schedule.milestones)
    return float(recipe.learning_rate * schedule.factor**passed)


def _linear(schedule: LinearSchedule, step: int, steps: int) -> float:
    """Up to 1 in ``round(steps * warmup_fraction)`` steps, the last of which has it, then down.

    The step after the last would have rate 0, so no step is wasted on it.
    """
    warmup = round(steps * schedule.warmup_fraction)
    return (step + 1) / warmup if step < warmup else (steps - step) / (steps - warmup)
