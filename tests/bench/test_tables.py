"""Records -> DataFrames: derived numbers against hand-made ones; nothing disappears."""

import math

import numpy as np
import pytest

from bench.config import DATASETS, DEPTHS
from bench.records import Speed
from bench.tables import (
    curves,
    difference_interval,
    grid_table,
    summarize,
    table1,
    wilson_interval,
)
from tests.bench.factories import make_failed, make_grid, make_record


def row(frame, **where):
    for name, value in where.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1, f"{len(frame)} rows have {where}"
    return frame.iloc[0]


def test_wilson_interval_against_the_closed_formula():
    p, n, z = 0.9, 1000, 1.959964
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = wilson_interval(90.0, 1000)
    assert low == pytest.approx(100 * (centre - half), abs=1e-4)
    assert high == pytest.approx(100 * (centre + half), abs=1e-4)


@pytest.mark.parametrize("accuracy", [0.0, 100.0])
def test_wilson_interval_stays_within_0_and_100(accuracy):
    low, high = wilson_interval(accuracy, 500)
    assert 0 <= low < high <= 100


def test_summary_takes_the_last_epoch_and_counts_the_budget():
    record = make_record(18)
    line = summarize([record]).iloc[0]
    assert line["test_accuracy"] == 100 * record.epochs[-1].test_correct / 10_000
    assert line["train_loss"] == record.epochs[-1].train_loss
    assert (line["images"], line["epochs"]) == (4 * 2560, 4)
    assert line["passes"] == pytest.approx(10_240 / 50_000)
    assert line["test_low"] < line["test_accuracy"] < line["test_high"]


def test_rates_are_medians_with_quartiles():
    speed = Speed(
        batch_size=10,
        train_step_seconds=(1.0, 2.0, 100.0, 4.0, 5.0),
        inference_batch_size=100,
        inference_batch_seconds=(0.5,),
        latency_seconds=(0.002, 0.004, 0.003),
    )
    line = summarize([make_record(18, speed=speed)]).iloc[0]
    assert line["training_images_per_second"] == pytest.approx(10 / 4)
    assert line["training_low"] == pytest.approx(10 / 5)
    assert line["training_high"] == pytest.approx(10 / 2)
    assert line["inference_images_per_second"] == pytest.approx(200)
    assert line["latency_ms"] == pytest.approx(3)
    assert line["speed_samples"] == 5


def test_summary_keeps_failed_cells_without_numbers():
    line = summarize([make_failed(reason="out of memory")]).iloc[0]
    assert (line["status"], line["reason"]) == ("failed", "out of memory")
    assert math.isnan(line["test_accuracy"])
    assert math.isnan(line["macs"])


def test_grid_without_records_has_ten_cells_not_run():
    grid = grid_table(summarize([]))
    assert [(r.dataset, r.depth) for r in grid.itertuples()] == [
        (dataset, depth) for dataset in DATASETS for depth in DEPTHS
    ]
    assert set(grid["status"]) == {"not run"}
    assert grid["theirs_test_accuracy"].notna().all()


def test_grid_sets_ours_beside_theirs():
    grid = grid_table(summarize(make_grid()))
    assert len(grid) == 10
    line = row(grid, dataset="cifar10", depth=34)
    assert line["difference"] == pytest.approx(line["test_accuracy"] - 80.28)
    assert not line["equal_budget"]
    assert line["theirs_frozen_after_epoch"] == 60


def test_equal_budget_needs_as_many_images():
    full = make_record(18, "mnist", recipe={"epochs": 20, "images_per_epoch": 60_000})
    grid = grid_table(summarize([full]))
    assert row(grid, dataset="mnist", depth=18)["equal_budget"]
    assert not row(grid, dataset="mnist", depth=34)["equal_budget"]


def test_grid_averages_seeds_and_tells_their_range():
    records = [make_record(50, seed=seed) for seed in range(3)]
    line = row(grid_table(summarize(records)), dataset="cifar10", depth=50)
    accuracies = [100 * record.epochs[-1].test_accuracy for record in records]
    assert line["seeds"] == 3
    assert line["test_accuracy"] == pytest.approx(sum(accuracies) / 3)
    assert (line["test_min"], line["test_max"]) == (min(accuracies), max(accuracies))
    assert line["cell_ids"] == [record.cell.id for record in records]


def test_difference_interval_against_published_values():
    """Newcombe 1998, table II: 56/70 against 48/80, method 10."""
    low, high = difference_interval(100 * 56 / 70, 70, 60.0, 80)
    assert (low, high) == pytest.approx((5.24, 33.39), abs=0.005)


def test_equal_accuracies_differ_beyond_noise_in_5_percent_of_experiments():
    random = np.random.default_rng(0)
    counts = random.binomial(10_000, 0.77, (400, 2)) / 100
    beyond = [
        not low <= 0 <= high
        for low, high in (difference_interval(a, 10_000, b, 10_000) for a, b in counts)
    ]
    assert 0.02 <= np.mean(beyond) <= 0.09


def test_grid_tells_why_a_cell_is_empty():
    grid = grid_table(summarize([make_failed(101, reason="out of memory")]))
    line = row(grid, dataset="cifar10", depth=101)
    assert line["status"] == "failed: out of memory"
    assert math.isnan(line["test_accuracy"])


def test_grid_tells_which_part_of_the_seeds_failed():
    broken = make_record(18, seed=1, status="failed", reason="disk full", epochs=())
    line = row(grid_table(summarize([make_record(18), broken])), dataset="cifar10", depth=18)
    assert line["status"] == "1 of 2 seeds completed; failed: disk full"
    assert line["seeds"] == 1


def test_variants_are_never_averaged():
    records = [make_record(50), make_record(50, lineage="torchvision")]
    summary = summarize(records)
    grid = grid_table(summary)
    assert set(grid.loc[grid["depth"] == 50, "lineage"].dropna()) == {"paper", "torchvision"}
    assert summary["panel"].nunique() == 2
    assert list(summarize(records[:1])["panel"]) == ["CIFAR-10"]


def test_table1_measures_against_the_printed_flops():
    table = table1(summarize(make_grid()))
    assert list(table["depth"]) == list(DEPTHS)
    line = row(table, depth=50)
    assert line["difference_percent"] == pytest.approx(100 * (3_857_973_248 / 3.8e9 - 1))
    assert line["table1_macs"] == line["expected_macs"]
    assert line["table1_parameters"] == line["expected_parameters"]


def test_table1_shows_each_lineage_and_what_did_not_run():
    table = table1(summarize([make_record(50), make_record(50, lineage="torchvision")]))
    assert row(table, depth=50, lineage="torchvision")["difference_percent"] > 7
    assert math.isnan(row(table, depth=152)["table1_macs"])
    assert row(table, depth=152)["flops_printed"] == 11.3e9


def test_curves_count_images_and_keep_what_a_failed_cell_reached():
    broken = make_record(34)
    broken = broken.model_copy(
        update={"status": "failed", "reason": "stopped", "epochs": broken.epochs[:2]}
    )
    frame = curves([make_record(18), broken])
    assert list(frame.loc[frame["depth"] == 18, "images"]) == [2560, 5120, 7680, 10_240]
    assert list(frame.loc[frame["depth"] == 34, "images"]) == [2560, 5120]
    assert curves([]).empty
