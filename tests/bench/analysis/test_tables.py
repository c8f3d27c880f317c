"""Records -> DataFrames: derived numbers against hand-made ones; nothing disappears."""

import math
from typing import Any

import pytest

from bench.analysis.baselines import grid
from bench.analysis.tables import curves, summarize
from bench.config import recipes
from bench.records.schema import Speed
from bench.stats import wilson_interval
from tests.support.factories import make_failed, make_profile, make_record, make_with_clean


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


def test_clean_training_error_is_the_mean_of_seeds_that_all_have_it():
    seeds = [make_with_clean(make_record(18, seed=seed), error=seed) for seed in (1, 2)]
    (row,) = [row for row in grid(summarize(seeds)) if row.cell_ids]
    assert row.clean_train_error == pytest.approx(1.5, abs=0.01)
    assert (row.clean_train_loss, row.clean_train_images) == (0.0875, 2560)
    assert row.train_error != row.clean_train_error
    older = make_record(18, seed=3)
    (row,) = [row for row in grid(summarize([*seeds, older])) if row.cell_ids]
    assert (row.clean_train_error, row.clean_train_loss) == (None, None)


def test_live_cost_stands_beside_the_nominal_one():
    line = summarize([make_record(18)]).iloc[0]
    assert (line["parameters"], line["live_parameters"]) == (11_181_642, 4_234_826)
    assert (line["macs"], line["live_macs"]) == (37_016_576, 21_667_584)


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


def test_variants_are_never_averaged():
    records = [make_record(50, lineage="torchvision"), make_record(50)]
    summary = summarize(records)
    assert [row.lineage for row in grid(summary) if row.depth == 50 and row.cell_ids] == [
        "paper",
        "torchvision",
    ]
    assert list(summary["panel"]) == ["CIFAR-10 · lineage paper", "CIFAR-10 · lineage torchvision"]
    assert list(summarize(records[:1])["panel"]) == ["CIFAR-10"]


def panels(records):
    """Panel -> its networks' depths, in the order of the page."""
    found: dict[Any, list[Any]] = {}
    for line in summarize(records).itertuples():
        found.setdefault(line.panel, []).append(line.depth)
    return found


DEPTHS = [18, 34, 50, 101, 152]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("smoke", {"CIFAR-10": DEPTHS, "MNIST": DEPTHS}),
        ("quick", {"CIFAR-10 · ResNets": DEPTHS, "CIFAR-10 · ResNets of Table 6": [20],
                   "CIFAR-10 · plain nets of Table 6": [20], "MNIST": DEPTHS}),
        ("full", {"CIFAR-10 · ResNets · imagenet stem": DEPTHS,
                  "CIFAR-10 · ResNets · cifar stem": DEPTHS,
                  "CIFAR-10 · ResNets of Table 6 · cifar stem": [20, 56],
                  "CIFAR-10 · plain nets of Table 6 · cifar stem": [20, 56],
                  "MNIST": DEPTHS}),
        ("table6", {"CIFAR-10 · ResNets of Table 6": [20, 32, 44, 56, 110],
                    "CIFAR-10 · plain nets of Table 6": [20, 32, 44, 56]}),
        ("project2022", {"CIFAR-10 · project2022_base": DEPTHS,
                         "CIFAR-10 · project2022_base_frozen20": DEPTHS, "MNIST": DEPTHS}),
    ],
)  # fmt: skip
def test_a_panel_has_one_family_and_one_variant(profile, expected):
    found = panels(make_profile(profile)[::-1])
    assert found == expected
    assert list(found) == list(expected)


def test_families_never_mix_and_what_a_network_has_anyway_is_not_said():
    """A plain net has no shortcut, a network of Table 6 has the small stem."""
    records = [make_record(34), make_record(34, network="plain"),
               make_record(20, network="cifar_resnet"), make_record(34, "mnist")]  # fmt: skip
    assert panels(records) == {
        "CIFAR-10 · ResNets": [34],
        "CIFAR-10 · plain nets": [34],
        "CIFAR-10 · ResNets of Table 6": [20],
        "MNIST": [34],
    }
    assert set(summarize(records)["variant"]) == {""}


def test_shortcuts_are_told_apart():
    records = [make_record(50, shortcut=option) for option in "ABC"]
    assert panels(records) == {f"CIFAR-10 · shortcut {option}": [50] for option in "ABC"}
    assert list(summarize(records)["variant"]) == ["shortcut A", "shortcut B", "shortcut C"]


def test_a_warmup_shares_a_panel_but_never_with_its_own_depth():
    def paper(depth, warmup):
        recipe = recipes.paper_cifar(warmup=warmup)
        return make_record(depth, network="cifar_resnet", recipe=recipe)

    records = [paper(20, False), paper(110, True)]
    assert panels(records) == {"CIFAR-10": [20, 110]}
    assert list(summarize(records)["variant"]) == ["paper_cifar", "paper_cifar_warmup"]
    assert panels([*records, paper(110, False)]) == {
        "CIFAR-10 · paper_cifar": [20, 110],
        "CIFAR-10 · paper_cifar_warmup": [110],
    }


def test_summary_counts_steps_and_iterations():
    line = summarize(make_profile("table6")).iloc[0]
    assert (line["steps"], line["epochs"], line["batch_size"]) == (64_000, 164, 128)
    # 163 whole passes and 267 more batches
    assert line["images"] == 163 * 50_000 + 267 * 128


def test_networks_of_table_6_have_no_cost_of_table_1():
    summary = summarize([make_record(20, network="cifar_resnet"), make_record(18)])
    assert list(summary["table1_macs"].isna()) == [False, True]
    assert summary["macs"].notna().all()


def test_curves_count_images_and_keep_what_a_failed_cell_reached():
    broken = make_record(34)
    broken = broken.model_copy(
        update={"status": "failed", "reason": "stopped", "epochs": broken.epochs[:2]}
    )
    frame = curves([broken, make_record(18)])
    assert list(frame["depth"]) == [18] * 4 + [34] * 2
    assert list(frame.loc[frame["depth"] == 18, "images"]) == [2560, 5120, 7680, 10_240]
    assert list(frame.loc[frame["depth"] == 34, "images"]) == [2560, 5120]
    assert curves([]).empty
