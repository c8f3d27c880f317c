"""Whether torch.compile pays for a cell: tried on a network that is thrown away, and timed."""

import statistics
from collections.abc import Callable

from bench.data.batches import DeviceData, epoch_plan
from bench.records.schema import Engine
from bench.speed.timing import wall
from bench.training.trainer import Trainer

# A shorter run is not worth the trial, which takes a minute or more itself.
LEAST_SECONDS = {"cpu": 900.0, "cuda": 180.0}
# The compiled step must be this much faster, or its rounding differs for nothing.
LEAST_GAIN = 1.05
TRIAL_STEPS = 5


def pays(eager_seconds: float, compiled_seconds: float, compile_seconds: float, steps: int) -> bool:
    """Whether compiling makes a run of ``steps`` steps shorter, all in all and clearly."""
    faster = eager_seconds >= LEAST_GAIN * compiled_seconds
    return faster and compile_seconds + compiled_seconds * steps < eager_seconds * steps


def decide(
    make_trainer: Callable[[Engine], Trainer],
    data: DeviceData,
    engine: Engine,
    *,
    step_seconds: float,
    steps: int,
    say: Callable[[str], None],
) -> Engine:
    """``engine``, compiled if that pays for ``steps`` steps that take ``step_seconds`` without.

    A machine on which compiling fails, for want of a compiler perhaps, trains without it.
    """
    if step_seconds * steps < LEAST_SECONDS[data.labels.device.type]:
        return engine
    compiled = engine.model_copy(update={"compiled": True})
    try:
        trainer = make_trainer(compiled)
        first, *later = _step_seconds(trainer, data, 1 + TRIAL_STEPS)
    except Exception as error:  # whatever the compiler's tool chain raises
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        say(f"torch.compile does not work here ({reason}); training goes on without it")
        return engine
    after = statistics.median(later)
    chosen = pays(step_seconds, after, first, steps)
    say(
        f"torch.compile: {step_seconds:.3f} s a step without it, {after:.3f} s with it after "
        f"{first:.0f} s of compiling; {'taken' if chosen else 'not taken'}"
    )
    return compiled if chosen else engine


def _step_seconds(trainer: Trainer, data: DeviceData, samples: int) -> list[float]:
    recipe = trainer.recipe
    plan = epoch_plan(0, 0, len(data), recipe.batch_size, recipe.augmentation).to(trainer.device)
    stopwatch = wall(trainer.device)
    return [
        stopwatch(lambda: trainer.step(data, plan, recipe.learning_rate)) for _ in range(samples)
    ]
