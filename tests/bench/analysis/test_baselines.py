"""Ours beside the paper and the 2022 project: what is compared, and when there is a verdict."""

import math

import numpy as np
import pytest

from bench.analysis.baselines import difference_interval, grid, table6
from bench.analysis.networks import table1
from bench.analysis.tables import summarize
from bench.config import recipes
from bench.config.profiles import DATASETS, DEPTHS
from bench.reference.loader import load_paper, load_project2022
from tests.support.factories import (
    make_failed,
    make_grid,
    make_profile,
    make_record,
    make_with_error,
)


def grid_of(*records):
    return grid(summarize(records))


def row(rows, **where):
    (found,) = (
        row for row in rows if all(getattr(row, name) == value for name, value in where.items())
    )
    return found


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
    rows = grid_of()
    assert [(row.dataset, row.depth) for row in rows] == [
        (dataset, depth) for dataset in DATASETS for depth in DEPTHS
    ]
    assert {row.status for row in rows} == {"not run"}
    assert all(row.theirs for row in rows)


def test_grid_sets_ours_beside_theirs():
    rows = grid_of(*make_grid())
    assert len(rows) == 10
    line = row(rows, dataset="cifar10", depth=34)
    assert line.difference == pytest.approx(line.test_accuracy - 80.28)
    assert not line.equal_budget
    assert line.theirs.frozen_after_epoch == 60
    # Equal budget needs as many images.
    full = make_record(18, "mnist", recipe={"epochs": 20, "images_per_epoch": 60_000})
    rows = grid_of(full)
    assert row(rows, dataset="mnist", depth=18).equal_budget
    assert not row(rows, dataset="mnist", depth=34).equal_budget


def test_grid_averages_seeds_and_tells_their_range():
    records = [make_record(50, seed=seed) for seed in range(3)]
    line = row(grid_of(*records), dataset="cifar10", depth=50)
    accuracies = [100 * record.epochs[-1].test_accuracy for record in records]
    assert line.seeds == 3
    assert line.test_accuracy == pytest.approx(sum(accuracies) / 3)
    assert line.test_error == pytest.approx(100 - sum(accuracies) / 3)
    assert (line.test_min, line.test_max) == (min(accuracies), max(accuracies))
    assert line.test_low < line.test_accuracy < line.test_high
    assert line.cell_ids == tuple(record.cell.id for record in records)


@pytest.mark.parametrize(
    ("records", "seeds", "status"),
    [
        ([make_failed(18)], 0, "failed: out of memory"),
        (
            [make_record(18), make_record(18, seed=1, status="failed", reason="full", epochs=())],
            1,
            "1 of 2 seeds completed; failed: full",
        ),
    ],
    ids=["all", "one of two"],
)
def test_grid_tells_why_cells_are_missing(records, seeds, status):
    line = row(grid_of(*records), dataset="cifar10", depth=18)
    assert (line.seeds, line.status) == (seeds, status)
    assert (line.test_accuracy is None) == (seeds == 0)
    assert (line.difference is None) == (seeds == 0)


def test_theirs_stand_only_beside_the_networks_that_they_trained():
    others = [
        make_record(18, stem="cifar"),
        make_record(34, network="plain"),
        make_record(50, shortcut="A"),
        make_record(56, network="cifar_resnet"),
    ]
    rows = grid_of(make_record(18), make_record(18, "mnist"), *others)
    beside = [row for row in rows if row.theirs]
    assert [(row.dataset, row.depth) for row in beside] == [
        (cell.dataset, cell.depth) for cell in load_project2022().cells()
    ]
    assert {(row.network, row.stem, row.shortcut) for row in beside} == {
        ("resnet", "imagenet", "B")
    }
    alone = [row for row in rows if not row.theirs]
    assert len(alone) == len(others)
    for line in alone:
        assert line.difference is None
        assert (line.within_noise, line.equal_budget, line.remarks) == (False, False, ())


def test_their_cells_are_not_listed_where_none_of_ours_is_one_of_them():
    rows = grid_of(*make_profile("table6"))
    assert len(rows) == 9
    assert {(row.theirs, row.status) for row in rows} == {(None, "completed")}


def test_every_recipe_has_its_own_row():
    rows = grid_of(*make_profile("project2022"))
    assert len(rows) == 15
    deep = [row for row in rows if (row.dataset, row.depth) == ("cifar10", 50)]
    assert [row.variant for row in deep] == ["project2022_base", "project2022_base_frozen20"]
    assert {row.theirs.test_accuracy for row in deep} == {63.21}
    assert all(row.equal_budget for row in deep)  # theirs has 60 epochs too
    assert [row.variant for row in rows if row.dataset == "mnist"] == [""] * 5


def test_rows_stand_in_order_and_those_that_did_not_run_among_the_first_variant():
    rows = grid_of(make_record(152), make_record(34), make_record(50, stem="cifar"))
    cifar10 = [row for row in rows if row.dataset == "cifar10"]
    assert [row.depth for row in cifar10] == [*DEPTHS, 50]
    assert [row.stem for row in cifar10] == ["imagenet"] * 5 + ["cifar"]
    rows = grid_of(make_record(50, lineage="torchvision"), make_record(34, lineage="torchvision"))
    assert [row.depth for row in rows] == [*DEPTHS, *DEPTHS]
    assert [row.lineage for row in rows[:5]] == [None, "torchvision", "torchvision", None, None]


def test_table1_measures_against_the_printed_flops():
    table = table1(make_grid())
    assert [row.depth for row in table] == list(DEPTHS)
    line = row(table, depth=50)
    assert line.difference_percent == pytest.approx(100 * (3_857_973_248 / 3.8e9 - 1))
    assert (line.parameters, line.macs) == (line.expected.params, line.expected.macs_total)


def test_table1_shows_each_lineage_and_what_did_not_run():
    table = table1([make_record(50, lineage="torchvision"), make_record(50)])
    assert [(row.depth, row.lineage) for row in table[2:4]] == [(50, "paper"), (50, "torchvision")]
    assert table[3].difference_percent > 7
    nothing = row(table, depth=152)
    assert (nothing.macs, nothing.cell_id, nothing.difference_percent) == (None, None, None)
    assert nothing.printed.flops_printed == 11.3e9
    assert nothing.expected == load_paper().cost(152, "paper")


def test_table1_has_no_room_for_other_networks():
    others = [
        make_record(20, network="cifar_resnet", shortcut="B"),
        make_record(18, network="plain"),
        make_record(34, shortcut="C"),
    ]
    assert [(row.depth, row.macs) for row in table1(others)] == [(depth, None) for depth in DEPTHS]
    small_stem = table1([make_record(50, stem="cifar")])
    assert row(small_stem, depth=50).macs == 3_857_973_248


def table6_of(*records):
    return table6(grid_of(*records))


def test_table6_sets_our_error_beside_the_printed_one():
    table = table6_of(*make_profile("table6"))
    assert len(table) == 9
    printed = {20: 8.75, 32: 7.51, 44: 7.17, 56: 6.97, 110: 6.61}  # the mean, not the best of five
    for depth, error in printed.items():
        line = row(table, network="cifar_resnet", depth=depth)
        assert line.printed_error == error
        assert line.test_error == pytest.approx(100 - line.test_accuracy)
        assert line.printed_difference == pytest.approx(line.test_error - error)
        assert line.paper_budget
    plain = [row for row in table if row.network == "cifar_plain"]
    assert len(plain) == 4
    for line in plain:
        assert (line.printed, line.printed_difference) == (None, None)
        assert line.test_error is not None
        assert not line.within_noise_of_printed


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
    (line,) = table6_of(make_record(20, network="cifar_resnet", recipe=recipe))
    assert line.paper_budget == fair
    assert line.paper_steps == 64_000
    assert math.isfinite(line.printed_difference)


@pytest.mark.parametrize(
    ("error", "same"), [(8.75, True), (9.3, True), (8.2, True), (9.8, False), (7.7, False)]
)
def test_a_small_difference_to_the_paper_is_noise(error, same):
    (line,) = table6_of(make_with_error(error))
    assert line.printed_difference == pytest.approx(error - 8.75)
    assert line.within_noise_of_printed == same


def test_nothing_is_printed_about_other_shortcuts_and_data():
    recipe = recipes.paper_cifar(warmup=False)
    option_b = make_record(20, network="cifar_resnet", shortcut="B", recipe=recipe)
    mnist = make_record(20, "mnist", network="cifar_resnet", recipe=recipe)
    (line,) = table6_of(option_b, mnist, make_record(18))
    assert (line.shortcut, line.printed) == ("B", None)


def test_table6_without_cells_is_empty_and_a_failed_cell_keeps_its_row():
    assert table6_of() == []
    assert table6_of(*make_grid()) == []
    broken = make_record(
        20, network="cifar_resnet", status="failed", reason="stopped", epochs=(), cost=None
    )
    (line,) = table6_of(broken)
    assert (line.status, line.test_error) == ("failed: stopped", None)
    assert not line.paper_budget
