"""Training that stops moving: a change point in a log after which no weight seems to change.

When training goes on without changing a weight (the optimizer holds the parameters of another
network, the learning rate is 0), BatchNorm's statistics still follow the batches, so that neither
accuracy stands quite still. What shows is this, all of it at one epoch:

- train accuracy and train loss have no trend any more, though train accuracy rose just before;
- train accuracy scatters no more than one network does when its right answers are counted;
- test accuracy, which wanders while weights move, hardly does.

A run that has converged, or whose learning rate has dropped, shows some of these, not all. Where
one could be taken for the other, ``find_freeze`` says nothing.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bench.analysis.logs import Curves, Series

# Epochs that must be seen before and after. With fewer, ranks cannot be as unlikely as LIKELY asks.
MOVING_EPOCHS: Final = 8
STILL_EPOCHS: Final = 10
STILL_SHARE: Final = 0.15
"""Of all epochs: a learning rate that falls smoothly to 0 leaves the last few almost still."""
WINDOW: Final = 20
"""Epochs before the change that it is compared with: further back, training was another one."""
SATURATED: Final = 99.0
"""Percent of training images: above, nothing is left to learn, and a network that is trained may
stand as still as one that is not."""
TREND: Final = 0.005
"""p-value below which there is a trend after the change; of two tests, so 1 % false ones."""
SCATTER: Final = 0.01
"""p-value below which the scatter is more than that of counting."""
RISE: Final = 0.05
"""p-value below which train accuracy rose before the change."""
LIKELY: Final = 0.001
"""p-value below which test accuracy wandered more before: strict, for a place that was picked."""
RATIO: Final = 2.5
"""And at least so many times more. The 2022 project's frozen runs have 4.8 to 26, and the moving
ones at most 2.1 where their train accuracy has no trend."""
JUMP: Final = 5
"""Epochs before the change whose mean test accuracy that after it is set against."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A change point after which a log looks as if no weight moved; scatters in points.

    Attributes:
        after_epoch: the last one, counted from 1, that moved.
        trend_p: the smaller p-value of Kendall's tau of train accuracy and of train loss after it.
        level: mean train accuracy after it, in percent.
        scatter: standard deviation of train accuracy after it.
        counting_scatter: that of counting the right answers of one network once per epoch.
        moving_wander: median distance of test accuracy from its line on train accuracy before it.
        still_wander: median distance of test accuracy from its median after it.
        wander_p: of the Mann-Whitney test of these distances.
        test_jump: that median of test accuracy, minus the mean of the last epochs before it.
    """

    after_epoch: int
    trend_p: float
    level: float
    scatter: float
    counting_scatter: float
    moving_wander: float
    still_wander: float
    wander_p: float
    test_jump: float


def can_freeze_be_seen(log: Curves) -> bool:
    long_enough = log.epochs >= MOVING_EPOCHS + _still_epochs(log)
    level = float(np.mean(log.train_accuracy[-STILL_EPOCHS:]))
    return long_enough and 0 < level < SATURATED


@lru_cache(maxsize=64)  # several checks ask; thousands of records pass by once
def find_freeze(log: Curves) -> Freeze | None:
    """Where ``log`` stops moving; None where it moves to the end, or where one cannot tell."""
    if not can_freeze_be_seen(log):
        return None
    change = _change_point(log)
    start = max(change - WINDOW, _last_drop(log, change))
    if change - start < MOVING_EPOCHS:
        return None
    train = np.array(log.train_accuracy)
    epochs = np.arange(log.epochs)
    before, after = slice(start, change), slice(change, log.epochs)
    rise = stats.kendalltau(epochs[before], train[before], alternative="greater").pvalue
    if not rise < RISE or train[after].mean() > SATURATED:
        return None
    freeze = _describe(log, before, after)
    within_counting = stats.chi2.sf(
        (log.epochs - change - 1) * (freeze.scatter / freeze.counting_scatter) ** 2,
        log.epochs - change - 1,
    )
    is_still = freeze.trend_p >= TREND and within_counting >= SCATTER
    wandered = freeze.moving_wander >= RATIO * freeze.still_wander and freeze.wander_p < LIKELY
    return freeze if is_still and wandered else None


def moving_epochs(log: Curves) -> int:
    freeze = find_freeze(log)
    return freeze.after_epoch if freeze else log.epochs


def _describe(log: Curves, before: slice, after: slice) -> Freeze:
    train, test = np.array(log.train_accuracy), np.array(log.test_accuracy)
    level = float(train[after].mean())
    line = stats.linregress(train[before], test[before])
    moving = np.abs(test[before] - line.intercept - line.slope * train[before])
    still = np.abs(test[after] - np.median(test[after]))
    return Freeze(
        after_epoch=after.start,
        # The smaller one, and NaN where a loss is not a number: then nothing can be said.
        trend_p=float(np.min([_trend(log.train_accuracy[after]), _trend(log.train_loss[after])])),
        level=level,
        scatter=float(train[after].std(ddof=1)),
        # Images that are always right or always wrong add nothing, so this is an upper bound.
        counting_scatter=float(np.sqrt(level * (100 - level) / log.train_images)),
        moving_wander=float(np.median(moving)),
        still_wander=float(np.median(still)),
        wander_p=float(stats.mannwhitneyu(moving, still, alternative="greater").pvalue),
        test_jump=float(np.median(test[after]) - np.mean(test[before][-JUMP:])),
    )


def _trend(values: Series) -> float:
    if min(values) == max(values):
        return 1.0
    return float(stats.kendalltau(range(len(values)), values).pvalue)


def _still_epochs(log: Curves) -> int:
    return max(STILL_EPOCHS, int(np.ceil(STILL_SHARE * log.epochs)))


def _last_drop(log: Curves, epoch: int) -> int:
    return max((drop for drop in log.milestones if drop <= epoch), default=0)


def _change_point(log: Curves) -> int:
    """The number of epochs before the most likely change of both accuracies' scatter.

    Before it a smooth curve with normal noise, after it a constant with other noise.
    """
    places = np.arange(MOVING_EPOCHS, log.epochs - _still_epochs(log) + 1)
    misfits = _misfits(log.train_accuracy, places, 100 / log.train_images)
    misfits += _misfits(log.test_accuracy, places, 100 / log.test_images)
    return int(places[np.argmin(misfits)])


def _misfits(accuracies: Series, places: NDArray[np.int_], step: float) -> Array:
    """Minus twice the log-likelihood of a change at each place, up to a constant.

    ``step`` is the accuracy of one image.
    """
    values = np.array(accuracies) - accuracies[-1]
    rounding = step**2 / 12  # no variance is smaller than that of counting whole images
    # A smooth curve has no bends, noise of variance 1 gives bends of variance 6.
    bends = np.cumsum(np.diff(values, 2) ** 2)[places - 3] / (places - 2) / 6
    left = len(values) - places
    means = np.cumsum(values[::-1])[left - 1] / left
    variances = np.cumsum(values[::-1] ** 2)[left - 1] / left - means**2
    before = places * np.log(bends + rounding)
    after = left * np.log(np.maximum(variances, 0) + rounding)
    return np.asarray(before + after, np.float64)
