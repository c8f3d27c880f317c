"""Learning rate of each step. A pure function, so that a whole trace can be tested."""

from bench.config import Recipe


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Rate of ``step`` (from 0) of ``steps``: linear warm-up to the peak, then linear decay to 0.

    The warm-up takes ``round(steps * recipe.warmup_fraction)`` steps and its last one has the peak
    rate. The step after the last would have rate 0, so no step is wasted on it.
    """
    assert 0 <= step < steps
    warmup = round(steps * recipe.warmup_fraction)
    if step < warmup:
        return recipe.learning_rate * ((step + 1) / warmup)
    return recipe.learning_rate * ((steps - step) / (steps - warmup))
