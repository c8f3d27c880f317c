"""Whether torch.compile pays for a cell: tried on a network that is thrown away, and timed."""

import statistics
from collections.abc import Callable

from bench.data.batches import DeviceData
from bench.records.schema import Engine
from bench.speed.cell import sample_steps
from bench.training.trainer import Trainer

# A shorter run is not worth the trial, which takes a minute or more itself.
LEAST_SECONDS = {"cpu": 900.0, "cuda": 180.0}
# The compiled step must be this much faster, or its rounding differs for nothing.
LEAST_GAIN = 1.05
TRIAL_STEPS = 5
# Of this trial, of the timing and of the training: each begins with a network of its own.
COMPILATIONS = 3


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
        first, after = _try(make_trainer(compiled), data)
    except Exception as error:  # whatever the compiler's tool chain raises
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        say(f"torch.compile does not work here ({reason}); training goes on without it")
        return engine
    chosen = pays(step_seconds, after, COMPILATIONS * first, steps)
    say(
        f"torch.compile: {step_seconds:.3g} s a step without it, {after:.3g} s with it after "
        f"{first:.0f} s of compiling; {'taken' if chosen else 'not taken'}"
    )
    return compiled if chosen else engine


def _try(trainer: Trainer, data: DeviceData) -> tuple[float, float]:
    """Seconds of the first step, which compiles, and of one of those after it."""
    first, *_ = sample_steps(trainer, data, 1, warmup=0)
    return first, statistics.median(sample_steps(trainer, data, TRIAL_STEPS))
