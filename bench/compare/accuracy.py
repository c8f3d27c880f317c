"""Test accuracies of both folders -> findings: over seeds, or image by image."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Final

import numpy as np
from scipy.stats import fisher_exact

from bench import stats
from bench.analysis import paired
from bench.analysis.baselines import difference_interval
from bench.compare.finding import Finding, Side
from bench.compare.pairing import Group, LeftOut, completed
from bench.errors import BenchError
from bench.records import store
from bench.records.schema import EpochRecord, Record

QUANTITY: Final = "test accuracy"
SAME: Final = 1.0
"""In points. An accuracy whose difference surely is smaller either way is the same."""
ONE_SEED: Final = (
    "One seed: the noise from seed to seed is not covered. These two networks are compared, and "
    "others of the same settings may differ the other way."
)


def accuracy_finding(
    name: str, baseline: Group, candidate: Group, folders: tuple[Path, Path]
) -> Finding | LeftOut:
    """How accurate the candidate's cells are; or why that cannot be said.

    Each group holds a completed cell, and all have the same recipe; ``folders`` hold the records.
    """
    images = {_final(record).test_images for record in completed(baseline) + completed(candidate)}
    if len(images) > 1:
        counts = " against ".join(f"{count:,}" for count in sorted(images))
        return LeftOut(f"{name}, {QUANTITY}", f"test images ({counts})")
    notes = [
        f"{side}: {len(group) - len(completed(group))} of {len(group)} seeds failed"
        for side, group in (("A", baseline), ("B", candidate))
        if len(completed(group)) < len(group)
    ]
    sides = _compared(completed(baseline), completed(candidate))
    if len(sides[0]) > 1:
        test, difference, p = _over_seeds(*sides)
    else:
        notes.append(ONE_SEED)
        try:
            test, difference, p = _between_two(sides[0][0], sides[1][0], folders)
        except (BenchError, ValueError) as error:
            return LeftOut(f"{name}, {QUANTITY}", str(error))
    return Finding(
        kind="accuracy",
        name=name,
        quantity=QUANTITY,
        baseline=_side(sides[0]),
        candidate=_side(sides[1]),
        effect=difference.value,
        interval=difference.interval,
        same=SAME,
        p=p,
        test=test,
        notes=tuple(notes),
    )


def _compared(baseline: Group, candidate: Group) -> tuple[Group, Group]:
    """Every seed, or one of each where a side has but one.

    Those are the first with a common seed, else the first of each.
    """
    if min(len(baseline), len(candidate)) > 1:
        return baseline, candidate
    by_seed = {record.cell.seed: record for record in candidate}
    for record in baseline:
        if record.cell.seed in by_seed:
            return [record], [by_seed[record.cell.seed]]
    return baseline[:1], candidate[:1]


def _over_seeds(baseline: Group, candidate: Group) -> tuple[str, stats.Estimate, float]:
    """Seed by seed where both have the same: such runs saw the same images in the same order."""
    unit = 100 / _final(baseline[0]).test_images
    before, after = _percents(baseline), _percents(candidate)
    if [each.cell.seed for each in baseline] == [each.cell.seed for each in candidate]:
        test = "paired t"
        pairs = zip(after, before, strict=True)
        difference = stats.mean([ours - theirs for ours, theirs in pairs], math.sqrt(2) * unit)
    else:
        test = "Welch"
        difference = stats.difference(after, before, unit)
    estimate = stats.Estimate(difference.value, difference.interval)
    return test, estimate, min(1.0, 2 * difference.p_beyond(0))


def _between_two(
    baseline: Record, candidate: Record, folders: tuple[Path, Path]
) -> tuple[str, stats.Estimate, float]:
    """McNemar's test where it is known what each predicted for every image, else Fisher's.

    Raises:
        BenchError: stored predictions cannot be read.
        ValueError: they are of other images.
    """
    before = store.load_predictions(folders[0], baseline)
    after = store.load_predictions(folders[1], candidate)
    percents = _percents([baseline, candidate])
    effect = percents[1] - percents[0]
    if before is not None and after is not None:
        found = paired.compare_predictions(before, after)
        return "McNemar", stats.Estimate(effect, found.points.interval), found.p
    last = [_final(baseline), _final(candidate)]
    # Two proportions, as if counted on different images: that errs towards the same.
    right = np.array([each.test_correct for each in last])
    images = np.array([each.test_images for each in last])
    p = float(fisher_exact(np.stack([right, images - right])).pvalue)
    interval = difference_interval(
        percents[1], last[1].test_images, percents[0], last[0].test_images
    )
    return "Fisher", stats.Estimate(effect, stats.Interval(*interval)), p


def _side(records: Group) -> Side:
    return Side(fmean(_percents(records)), len(records), records)


def _percents(records: Sequence[Record]) -> list[float]:
    return [100 * _final(record).test_accuracy for record in records]


def _final(record: Record) -> EpochRecord:
    assert record.final is not None  # only completed cells come here
    return record.final
