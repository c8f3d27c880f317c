"""A quantity over results folders: in order of time, apart by machine, with its steps."""

from datetime import timedelta
from pathlib import Path

import pytest

from bench.compare.history import history, rows
from tests.support.factories import ENVIRONMENT, START, make_failed, make_record
from tests.support.results import make_results, make_speed, slowed, with_correct


def at(day, record, commit=None, **environment):
    """``record`` as if made on that day."""
    made = ENVIRONMENT.model_copy(update={"commit": commit or f"commit{day}", **environment})
    start = START + timedelta(days=day)
    return record.model_copy(update={"started_at": start, "environment": made})


def timed(*factors):
    """A folder a day, whose workload takes so many times as long."""
    return [
        make_results(Path(f"day{day}"), workloads=[at(day, slowed(make_speed(), factor))])
        for day, factor in enumerate(factors)
    ]


def test_a_workload_that_became_slower_is_a_step_between_two_commits():
    found = timed(1, 1.01, 0.99, 1.25, 1.26, 1.24)
    (series,) = history(found[::-1], "speed")  # in any order
    assert [point.folder.name for point in series.points] == [f"day{day}" for day in range(6)]
    (step,) = series.steps
    commits = (step.before.environment.commit, step.after.environment.commit)
    assert commits == ("commit2", "commit3")
    assert step.change == pytest.approx(100 * (1 / 1.25 - 1))
    assert step.new == pytest.approx(series.points[3].value)
    record = found[0].workloads[0]
    point = series.points[0]
    middle = sorted(record.samples)[len(record.samples) // 2]
    assert point.value == pytest.approx(record.workload.batch_size / middle, rel=0.02)
    assert point.low < point.value < point.high
    assert point.samples == len(record.samples)


def test_a_row_a_point_and_the_step_at_the_first_after_it():
    table = list(rows(history(timed(1, 1, 1.25, 1.25), "speed")))
    assert [row["folder"] for row in table] == [f"day{day}" for day in range(4)]
    assert [row["step"] for row in table] == [None, None, pytest.approx(-20), None]
    assert table[2]["level_after"] == pytest.approx(0.8 * table[2]["level_before"])
    assert table[0]["unit"] == "images/s"


def test_another_machine_or_precision_is_another_series():
    first, second = timed(1, 1.5)
    other = [at(1, each, device_name="Another CPU") for each in second.workloads]
    found = history([first, make_results(Path("other"), workloads=other)], "speed")
    assert [series.machine for series in found] == [
        "Another CPU, 2 threads", "Example CPU @ 2.10GHz, 2 threads",
    ]  # fmt: skip
    float32 = make_record().engine.model_copy(update={"precision": "float32"})
    cells = [make_results(Path("a"), [make_record()]), make_results(Path("b"), [make_record()])]
    cells.append(make_results(Path("c"), [make_record(engine=float32)]))
    assert [len(series.points) for series in history(cells, "training")] == [2, 1]


def test_accuracy_is_the_mean_of_the_seeds_and_steps_are_points():
    found = [
        make_results(
            Path(f"day{day}"),
            [at(day, with_correct(make_record(seed=seed), correct + 20 * seed)) for seed in (0, 1)]
            + [make_failed(34)],
        )
        for day, correct in enumerate((4000, 4010, 4300, 4310))
    ]
    (series,) = history(found, "accuracy")
    assert series.name == "resnet18-paper-imagenet-cifar10-quick"
    point = series.points[0]
    assert (point.value, point.low, point.high, point.samples) == (40.1, 40.0, 40.2, 2)
    (step,) = series.steps
    assert (step.before.folder.name, step.after.folder.name) == ("day1", "day2")
    assert step.change == pytest.approx(3.0)


def test_training_speed_is_of_the_timed_steps_of_all_seeds():
    records = [make_record(seed=seed) for seed in (0, 1)]
    (series,) = history([make_results(Path("a"), records)], "training")
    assert series.points[0].samples == 10
    assert series.points[0].value == pytest.approx(64 / (0.11 * 1.02 * 1.0), rel=0.03)
    assert series.steps == []
