"""Test accuracies of both folders -> findings: over seeds, or image by image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from scipy.stats import fisher_exact

from bench import stats
from bench.analysis import mcnemar
from bench.analysis.baselines import difference_interval
from bench.compare.finding import Finding
from bench.compare.pairing import Group, LeftOut, completed
from bench.errors import BenchError
from bench.records import store
from bench.records.schema import EpochRecord, Record

QUANTITY: Final = "test accuracy"
ONE_SEED: Final = (
    "One seed: the noise from seed to seed is not covered. These two networks are compared, and "
    "others of the same settings may differ the other way."
)


def accuracy_finding(
    name: str, a: Group, b: Group, folders: tuple[Path, Path]
) -> Finding | LeftOut:
    """How accurate the cells of B are beside those of A; or why that cannot be said.

    Args:
        name: of both groups; each holds a completed cell, and all have the same recipe.
        folders: of the records of A and B.
    """
    done_a, done_b = completed(a), completed(b)
    images = {_final(record).test_images for record in done_a + done_b}
    if len(images) > 1:
        counts = " against ".join(f"{count:,}" for count in sorted(images))
        return LeftOut(f"{name}, {QUANTITY}", f"test images ({counts})")
    notes = tuple(
        f"{side}: {len(group) - len(done)} of {len(group)} seeds failed"
        for side, group, done in (("A", a, done_a), ("B", b, done_b))
        if len(done) < len(group)
    )
    compared_a, compared_b = compared(a, b)
    if len(compared_a) > 1:
        return _over_seeds(name, compared_a, compared_b, notes)
    one_a, one_b = compared_a[0], compared_b[0]
    try:
        ours = store.load_predictions(folders[0], one_a)
        theirs = store.load_predictions(folders[1], one_b)
    except BenchError as error:
        return LeftOut(f"{name}, {QUANTITY}", str(error))
    return _between_two(name, one_a, one_b, (ours, theirs), (*notes, ONE_SEED))


def compared(a: Group, b: Group) -> tuple[Sequence[Record], Sequence[Record]]:
    """The cells whose accuracies are compared: every seed, or one of each where a side has but one.

    Those are the first with a common seed, else the first of each.
    """
    done_a, done_b = completed(a), completed(b)
    if min(len(done_a), len(done_b)) > 1:
        return done_a, done_b
    by_seed = {record.cell.seed: record for record in done_b}
    for record in done_a:
        if record.cell.seed in by_seed:
            return [record], [by_seed[record.cell.seed]]
    return done_a[:1], done_b[:1]


def _over_seeds(
    name: str, a: Sequence[Record], b: Sequence[Record], notes: tuple[str, ...]
) -> Finding:
    """Welch's test and interval: seeds are drawn anew on both sides."""
    ours, theirs = _percents(a), _percents(b)
    difference = stats.difference(theirs, ours)
    sides = [stats.difference_test(theirs, ours, 0, side) for side in ("smaller", "larger")]
    return Finding(
        kind="accuracy",
        name=name,
        quantity=QUANTITY,
        a=stats.mean(ours).value,
        b=stats.mean(theirs).value,
        count_a=len(a),
        count_b=len(b),
        effect=difference.value,
        interval=difference.interval,
        p=min(1.0, 2 * min(sides)),
        test="Welch",
        notes=notes,
    )


def _between_two(
    name: str,
    a: Record,
    b: Record,
    predictions: tuple[mcnemar.Predictions | None, mcnemar.Predictions | None],
    notes: tuple[str, ...],
) -> Finding | LeftOut:
    """McNemar's test where it is known what each predicted for every image, else Fisher's."""
    ours, theirs = predictions
    last_a, last_b = _final(a), _final(b)
    percent_a, percent_b = 100 * last_a.test_accuracy, 100 * last_b.test_accuracy
    if ours is not None and theirs is not None:
        try:
            paired = mcnemar.compare(ours, theirs)
        except ValueError as error:
            return LeftOut(f"{name}, {QUANTITY}", str(error))
        interval, p, test = paired.points.interval, paired.p, "McNemar"
    else:
        sizes = last_a.test_images, last_b.test_images
        interval = stats.Interval(*difference_interval(percent_b, sizes[1], percent_a, sizes[0]))
        p, test = _counts_test(last_a, last_b), "Fisher"
    return Finding(
        kind="accuracy",
        name=name,
        quantity=QUANTITY,
        a=percent_a,
        b=percent_b,
        count_a=1,
        count_b=1,
        effect=percent_b - percent_a,
        interval=interval,
        p=p,
        test=test,
        notes=notes,
    )


def _counts_test(a: EpochRecord, b: EpochRecord) -> float:
    """Of two proportions, as if they were counted on different images: that errs towards same."""
    right = np.array([a.test_correct, b.test_correct])
    wrong = np.array([a.test_images, b.test_images]) - right
    return float(fisher_exact(np.stack([right, wrong])).pvalue)


def _percents(records: Sequence[Record]) -> tuple[float, ...]:
    last = [_final(record) for record in records]
    unit = 100 / last[0].test_images
    return stats.break_ties([100 * each.test_accuracy for each in last], unit)


def _final(record: Record) -> EpochRecord:
    assert record.final is not None  # only completed cells come here
    return record.final
