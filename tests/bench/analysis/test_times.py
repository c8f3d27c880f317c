"""Time to accuracy: the first epoch from which a target is never lost again."""

import math

import pytest

from bench.analysis import tables, times
from bench.analysis.times import Reached, reached
from tests.support.factories import make_failed, make_record


def learning(*accuracies, dataset="cifar10", seed=0):
    """A record with these test accuracies in percent; an epoch takes 10 s and 2560 images."""
    record = make_record(18, dataset, seed, recipe={"epochs": len(accuracies), "test_images": None})
    epochs = tuple(
        epoch.model_copy(update={"test_correct": round(100 * accuracy), "train_seconds": 10.0})
        for epoch, accuracy in zip(record.epochs, accuracies, strict=True)
    )
    return record.model_copy(update={"epochs": epochs})


@pytest.mark.parametrize(
    ("accuracies", "epoch"),
    [
        ((80, 90, 91, 92), 2),
        ((90, 90, 90, 90), 1),
        ((95, 80, 95, 95), 3),  # what was lost again does not count
        ((80, 80, 80, 90), 4),
        ((95, 95, 95, 89.99), None),  # not kept to the end
        ((1, 2, 3, 4), None),
    ],
)
def test_a_target_counts_from_when_it_is_never_lost_again(accuracies, epoch):
    expected = epoch and Reached(epoch=epoch, images=2560 * epoch, seconds=10.0 * epoch)
    assert reached(learning(*accuracies), 90) == expected


def test_decimal_targets_are_met_exactly():
    for correct in range(1, 10_000, 7):
        assert reached(learning(correct / 100), correct / 100) is not None
        assert reached(learning((correct - 1) / 100), correct / 100) is None


def test_looks_at_fewer_images_count_by_their_share():
    record = make_record(18, recipe={"test_images": 2000})
    assert [epoch.test_images for epoch in record.epochs] == [2000, 2000, 2000, 10_000]
    last = 100 * record.final.test_accuracy
    assert reached(record, last).epoch == 4
    assert reached(record, last - 20).epoch < 4


def test_a_failed_cell_kept_nothing():
    failed = learning(99, 99).model_copy(update={"status": "failed", "reason": "disk"})
    assert reached(failed, 90) is None
    assert set(times.table([failed, make_failed(34)], [90])["outcome"]) == {"failed"}


def test_what_is_never_reached_is_said_and_never_zero():
    row = tables.summarize([learning(80, 90.5, 91.5, 92)]).iloc[0]
    assert (row["seconds_to_90"], row["images_to_90"]) == (20.0, 5120)
    assert (row["seconds_to_91_25"], row["images_to_91_25"]) == (30.0, 7680)
    assert math.isnan(row["seconds_to_93"])
    assert math.isnan(row["seconds_to_99"])  # a target of another data set
    assert row["targets_never_reached"] == "93 %"
    mnist = tables.summarize([learning(99.2, 99.1, dataset="mnist")]).iloc[0]
    assert (mnist["seconds_to_99"], mnist["targets_never_reached"]) == (10.0, None)


def test_the_table_has_a_row_for_each_record_and_target():
    frame = times.table([learning(80, 95), learning(80, 85, seed=1), learning(99, dataset="mnist")])
    assert frame["target"].tolist() == [90, 91.25, 93] * 2 + [99]
    assert frame["outcome"].tolist() == ["reached"] * 3 + ["never reached"] * 3 + ["reached"]
    assert frame["seconds"].isna().tolist() == [False] * 3 + [True] * 3 + [False]
    assert frame["test_accuracy"].tolist() == [95] * 3 + [85] * 3 + [99]
    assert times.table([learning(50)], [40, 60])["outcome"].tolist() == ["reached", "never reached"]
    assert times.table([]).empty
