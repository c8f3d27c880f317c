"""Checks of how runs were trained: budgets, moving weights, schedules, repetitions. No torch here.

Each takes all logs and yields what it finds.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from bench.analysis.freezing import JUMP, Freeze, find_freeze
from bench.analysis.logs import RunLog, tables
from bench.audit.finding import Finding, between, columns, p_value
from bench.audit.ranking import fair_in_words, in_words, rankings
from bench.formats import listed, number
from bench.reference.loader import dataset_title

LAST: Final = 10
"""Epochs at the end of a run, to see how far a last epoch is from its neighbours."""


def unequal_epochs(logs: Sequence[RunLog]) -> Iterator[Finding]:
    """Columns of one table that were trained for different numbers of epochs."""
    every = rankings(logs)
    for ranking in every:
        runs = [column.log for column in ranking.columns]
        if _equally_long(runs):
            continue
        by_length: dict[int, list[RunLog]] = defaultdict(list)
        for log in runs:
            by_length[log.epochs].append(log)
        lengths = listed(
            f"{epochs} epochs ({number(same[0].images / 1e6, 1)} million images) of {columns(same)}"
            for epochs, same in sorted(by_length.items(), reverse=True)
        )
        yield Finding(
            check="unequal-epochs",
            title=f"Unequal epochs: {dataset_title(ranking.dataset)}, recipe {ranking.recipe}",
            severity="conclusion",
            runs=tuple(runs),
            evidence=f"Side by side stand {lengths}.",
            consequence=f"Depth and length of training cannot be told apart. {in_words(ranking)}"
            + fair_in_words(every, ranking.dataset),
            numbers={log.name: {"epochs": log.epochs, "images": log.images} for log in runs},
        )


def frozen_training(logs: Sequence[RunLog]) -> Iterator[Finding]:
    """Runs whose weights stop moving long before their last epoch."""
    by_table = {(ranking.dataset, ranking.recipe): ranking for ranking in rankings(logs)}
    for key, runs in tables(logs).items():
        frozen = [(log, freeze) for log in runs if (freeze := find_freeze(log))]
        if not frozen:
            continue
        ranking = by_table.get(key)
        yield Finding(
            check="frozen",
            title=f"Training stops moving in {len(frozen)} of {len(runs)} columns: "
            f"{dataset_title(key[0])}, recipe {key[1]}",
            severity="conclusion",
            runs=tuple(log for log, _ in frozen),
            evidence=_stillness(frozen),
            consequence=_of_stillness(frozen)
            # Unequal epochs have a finding of their own, which says so.
            + (f" {in_words(ranking)}" if ranking and _equally_long(runs) else ""),
            numbers={log.name: _freeze_numbers(freeze) for log, freeze in frozen},
        )


def unreached_milestones(logs: Sequence[RunLog]) -> Iterator[Finding]:
    """Drops of the learning rate that come after the last epoch of every run of a data set."""
    for dataset in sorted({log.dataset for log in logs}):
        runs = [log for log in logs if log.dataset == dataset and log.milestones]
        # Counted from 0, the last epoch of a run has the number epochs - 1.
        longest = max((log.epochs for log in runs), default=0)
        planned = sorted({drop for log in runs for drop in log.milestones})
        if not planned or planned[0] < longest:
            continue
        moved = [log for log in runs if find_freeze(log) is None]
        best = max(log.train_accuracy[-1] for log in moved or runs)
        rates = listed(f"{rate:g}" for rate in sorted({log.learning_rate for log in runs}))
        yield Finding(
            check="unreached-milestones",
            title=f"The learning rate does not fall as planned: {dataset_title(dataset)}",
            severity="conclusion",
            runs=tuple(runs),
            evidence=f"It is to drop at epochs {listed(map(str, planned))}, counted from 0; the "
            f"longest of {len(runs)} runs has {longest}.",
            consequence=f"Every accuracy is one of training that began at a rate of {rates}, "
            f"which never fell; train accuracy comes to {number(best, 1)} % at most where weights "
            "moved to the end. Which depth is ahead after the drops, where the paper compares, "
            "these runs cannot say.",
            numbers={
                log.name: {"epochs": log.epochs, "first drop missed": planned[0]} for log in runs
            },
        )


def single_runs(logs: Sequence[RunLog]) -> Iterator[Finding]:
    """Columns that rest on one run, so that nothing says how far a second would be from it."""
    repeated: dict[tuple[str, str, str], list[RunLog]] = defaultdict(list)
    for log in logs:
        repeated[log.dataset, log.recipe, log.model].append(log)
    alone = [runs[0] for runs in repeated.values() if len(runs) == 1]
    if not alone:
        return
    ends = {log: np.array(log.test_accuracy[-LAST:]) for log in alone if find_freeze(log) is None}
    spreads = {log: float(end.std(ddof=1)) for log, end in ends.items() if len(end) > 1}
    seedless = sum(log.seed is None for log in alone)
    yield Finding(
        check="single-runs",
        title="Single runs",
        severity="comparison",
        runs=tuple(alone),
        evidence=f"{len(alone)} of {len(repeated)} columns are single runs, {seedless} of them "
        "without a recorded seed."
        + (_wandering(max(spreads, key=lambda log: spreads[log])) if spreads else ""),
        consequence="There is no spread from run to run to test a difference of depths against, "
        "and a run without a seed cannot be repeated. Differences of the size of that wandering "
        "show nothing.",
        numbers={
            log.name: {f"standard deviation of its last {len(ends[log])} epochs, points": spread}
            for log, spread in spreads.items()
        },
    )


def _wandering(log: RunLog) -> str:
    end = log.test_accuracy[-LAST:]
    return (
        f" How much one epoch decides shows inside the runs: in the last {len(end)} epochs of "
        f"{log.title} ({dataset_title(log.dataset)}, recipe {log.recipe}) test accuracy goes from "
        f"{number(min(end))} to {number(max(end))} %, and {number(end[-1])} % is reported."
    )


def _equally_long(logs: Sequence[RunLog]) -> bool:
    return len({log.epochs for log in logs}) == 1


def _stillness(frozen: Sequence[tuple[RunLog, Freeze]]) -> str:
    by_epoch: dict[int, list[RunLog]] = defaultdict(list)
    for log, freeze in frozen:
        by_epoch[freeze.after_epoch].append(log)
    where = listed(
        f"{columns(runs)} after epoch {epoch}" for epoch, runs in sorted(by_epoch.items())
    )
    freezes = [freeze for _, freeze in frozen]
    resumed = sum(log.resumed_after == freeze.after_epoch for log, freeze in frozen)
    return (
        f"{where}: from there train accuracy and train loss have no trend (Kendall's tau, p ≥ "
        f"{p_value(min(f.trend_p for f in freezes))}) at "
        f"{between(f.level for f in freezes)} % of the training images. Train accuracy scatters by "
        f"{between((f.scatter for f in freezes), 2)} points, no more than one network does when "
        f"its right answers are counted ({between((f.counting_scatter for f in freezes), 2)}). "
        f"Test accuracy is {between(f.moving_wander / f.still_wander for f in freezes)} times "
        "closer to its middle than it was to its course before (Mann-Whitney, p ≤ "
        f"{p_value(max(f.wander_p for f in freezes))}). The code of {resumed} of them resumes at "
        "exactly that epoch."
    )


def _of_stillness(frozen: Sequence[tuple[RunLog, Freeze]]) -> str:
    jumps = between((freeze.test_jump for _, freeze in frozen), 1)
    return (
        "The runs look as if no weight changed any more and only BatchNorm's statistics followed "
        "the batches. Their last epoch reports a network trained no longer than to that point, "
        f"whatever the number of epochs beside it. Test accuracy there is {jumps} points above the "
        f"mean of the {JUMP} epochs before, perhaps as statistics settle once weights stand still: "
        "columns that moved to the end are reported without that advantage."
    )


def _freeze_numbers(freeze: Freeze) -> dict[str, float]:
    return {
        "last moving epoch": freeze.after_epoch,
        "train accuracy after it, %": freeze.level,
        "its scatter, points": freeze.scatter,
        "scatter of counting, points": freeze.counting_scatter,
        "trend, p": freeze.trend_p,
        "test accuracy wanders before, points": freeze.moving_wander,
        "and after, points": freeze.still_wander,
        "difference, p": freeze.wander_p,
        "test accuracy rises at the change, points": freeze.test_jump,
    }
