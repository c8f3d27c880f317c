"""Ours beside the paper and the 2022 project: what is compared, and when there is a verdict."""

import math

import numpy as np
import pytest

from bench.analysis.baselines import difference_interval, grid_table, table1, table6
from bench.analysis.tables import summarize
from bench.config import recipes
from bench.config.profiles import DATASETS, DEPTHS
from bench.reference.loader import load_paper, load_project2022
from tests.support.factories import make_failed, make_grid, make_profile, make_record

PRINTED = {r.layers: r for r in load_paper().tables.table6.rows if r.method == "ResNet"}


def row(frame, **where):
    for name, value in where.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1, f"{len(frame)} rows have {where}"
    return frame.iloc[0]


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


def test_theirs_stand_only_beside_the_networks_that_they_trained():
    others = [
        make_record(18, stem="cifar"),
        make_record(34, network="plain"),
        make_record(50, shortcut="A"),
        make_record(56, network="cifar_resnet"),
    ]
    grid = grid_table(summarize([make_record(18), make_record(18, "mnist"), *others]))
    theirs = {(cell.dataset, cell.depth) for cell in load_project2022().cells()}
    beside = grid[grid["theirs_test_accuracy"].notna()]
    assert set(zip(beside["dataset"], beside["depth"], strict=True)) == theirs
    assert len(beside) == len(theirs)
    assert set(zip(beside["network"], beside["stem"], beside["shortcut"], strict=True)) == {
        ("resnet", "imagenet", "B")
    }
    alone = grid[grid["theirs_test_accuracy"].isna()]
    assert len(alone) == len(others)
    assert alone["difference"].isna().all()
    assert not alone["within_noise"].any()
    assert not alone["equal_budget"].any()


def test_their_cells_are_not_listed_where_none_of_ours_is_one_of_them():
    grid = grid_table(summarize(make_profile("table6")))
    assert len(grid) == 9
    assert grid["theirs_test_accuracy"].isna().all()
    assert set(grid["status"]) == {"completed"}


def test_every_recipe_has_its_own_row():
    grid = grid_table(summarize(make_profile("project2022")))
    assert len(grid) == 15
    rows = grid[(grid["dataset"] == "cifar10") & (grid["depth"] == 50)]
    assert list(rows["variant"]) == ["project2022_base", "project2022_base_frozen20"]
    assert set(rows["theirs_test_accuracy"]) == {63.21}
    assert rows["equal_budget"].all()  # theirs has 60 epochs too
    mnist = grid[grid["dataset"] == "mnist"]
    assert list(mnist["variant"]) == [""] * 5


def test_rows_stand_in_order_whether_or_not_they_ran():
    records = [make_record(152), make_record(34), make_record(50, stem="cifar")]
    grid = grid_table(summarize(records))
    cifar10 = grid[grid["dataset"] == "cifar10"]
    assert list(cifar10["depth"]) == [*DEPTHS, 50]
    assert list(cifar10["stem"]) == ["imagenet"] * 5 + ["cifar"]


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


def test_table1_has_no_room_for_other_networks():
    others = [
        make_record(20, network="cifar_resnet", shortcut="B"),
        make_record(18, network="plain"),
        make_record(34, shortcut="C"),
    ]
    table = table1(summarize(others))
    assert list(table["depth"]) == list(DEPTHS)
    assert table["table1_macs"].isna().all()
    small_stem = table1(summarize([make_record(50, stem="cifar")]))
    assert row(small_stem, depth=50)["table1_macs"] == 3_857_973_248


def table6_of(*records):
    return table6(grid_table(summarize(records)))


def test_table6_sets_our_error_beside_the_printed_one():
    table = table6_of(*make_profile("table6"))
    assert len(table) == 9
    for depth in (20, 32, 44, 56, 110):
        line = row(table, network="cifar_resnet", depth=depth)
        printed = PRINTED[depth]
        assert line["printed"] == (printed.mean or printed.error)
        assert line["test_error"] == pytest.approx(100 - line["test_accuracy"])
        assert line["difference"] == pytest.approx(line["test_error"] - line["printed"])
        assert line["paper_budget"]
    # The mean of the paper's five runs, not the best of them.
    assert row(table, network="cifar_resnet", depth=110)["printed"] == 6.61
    plain = table[table["network"] == "cifar_plain"]
    assert plain[["printed", "difference"]].isna().all(axis=None)
    assert plain["test_error"].notna().all()
    assert not plain["within_noise"].any()


def test_table6_averages_seeds():
    records = make_profile("table6", seeds=3)
    line = row(table6_of(*records), network="cifar_resnet", depth=20)
    errors = [
        100 * (1 - r.final.test_accuracy) for r in records if r.cell.model == "cifar_resnet20"
    ]
    assert line["seeds"] == len(errors) == 3
    assert line["test_error"] == pytest.approx(sum(errors) / 3)
    assert 100 - line["test_high"] < line["test_error"] < 100 - line["test_low"]


@pytest.mark.parametrize(
    ("changes", "fair"),
    [
        ({}, True),
        ({"iterations": 63_999}, False),
        ({"iterations": 640}, False),
        ({"batch_size": 64}, False),
        ({"iterations": None, "epochs": 164}, False),  # a few iterations more
    ],
)
def test_a_verdict_needs_the_budget_of_the_paper(changes, fair):
    recipe = recipes.paper_cifar(warmup=False).model_copy(update=changes)
    line = table6_of(make_record(20, network="cifar_resnet", recipe=recipe)).iloc[0]
    assert line["paper_budget"] == fair
    assert line["paper_steps"] == 64_000
    assert math.isfinite(line["difference"])


def with_error(error):
    record = make_record(20, network="cifar_resnet", recipe=recipes.paper_cifar(warmup=False))
    last = record.epochs[-1].model_copy(update={"test_correct": round((100 - error) * 100)})
    return record.model_copy(update={"epochs": (*record.epochs[:-1], last)})


@pytest.mark.parametrize(
    ("error", "same"), [(8.75, True), (9.3, True), (8.2, True), (9.8, False), (7.7, False)]
)
def test_a_small_difference_to_the_paper_is_noise(error, same):
    line = table6_of(with_error(error)).iloc[0]
    assert line["difference"] == pytest.approx(error - 8.75)
    assert line["within_noise"] == same


def test_nothing_is_printed_about_other_shortcuts_and_data():
    recipe = recipes.paper_cifar(warmup=False)
    option_b = make_record(20, network="cifar_resnet", shortcut="B", recipe=recipe)
    mnist = make_record(20, "mnist", network="cifar_resnet", recipe=recipe)
    table = table6_of(option_b, mnist, make_record(18))
    assert list(table["shortcut"]) == ["B"]
    assert table["printed"].isna().all()


def test_table6_without_cells_is_empty_and_a_failed_cell_keeps_its_row():
    assert table6_of().empty
    assert table6_of(*make_grid()).empty
    broken = make_record(
        20, network="cifar_resnet", status="failed", reason="stopped", epochs=(), cost=None
    )
    line = table6_of(broken).iloc[0]
    assert line["status"] == "failed: stopped"
    assert math.isnan(line["test_error"])
    assert not line["paper_budget"]
