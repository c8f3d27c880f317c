"""Verdicts on records: what is missing, of another budget, of cost alone, with signals."""

from datetime import timedelta
from typing import Any

import pytest

from bench.claims.ledger import judge
from bench.claims.measures import Figure, observe
from bench.config import recipes
from bench.records.schema import Engine
from tests.support.factories import (
    START,
    make_failed,
    make_grid,
    make_profile,
    make_record,
    make_with_clean,
)
from tests.support.worlds import CLAIMS, NEAR_875, PLAIN, network_of, observed, runs, verdict

PAPER = recipes.paper_cifar(warmup=False)


def record_with_error(error, seed, **changes):
    """A real record of ResNet-20, trained as in section 4.2, with this test error in percent."""
    trained: dict[str, Any] = {"recipe": PAPER, "profile": "table6"} | changes
    record = make_record(20, network="cifar_resnet", seed=seed, **trained)
    *others, last = record.epochs
    correct = round((1 - error / 100) * last.test_images)
    return record.model_copy(
        update={"epochs": (*others, last.model_copy(update={"test_correct": correct}))}
    )


def test_training_error_is_offered_as_counted_in_training_and_as_of_the_final_weights():
    record = make_record(20, network="cifar_resnet", recipe=PAPER)
    running = Figure(100 * (1 - record.final.train_accuracy), 34_176)
    figures = observe(make_with_clean(record, error=1.25)).figures
    assert figures["train_error"] == running
    assert figures["clean_train_error"].value == pytest.approx(1.25, abs=0.01)
    assert figures["clean_train_error"].images == 34_176
    assert "clean_train_error" not in observe(record).figures


def resnet20(records):
    (found,) = judge(records, [CLAIMS["table6.error.20"]])
    return found


# --- What is missing ------------------------------------------------------------------------------


def test_nothing_run_leaves_cost_alone():
    words = {v.claim.kind: v.word for v in judge([])}
    assert words == {kind: "not run" for kind in words if kind != "cost"} | {"cost": "reproduced"}


def test_missing_cells_are_named():
    name = "plain.deeper_is_worse.test"
    found = verdict(name, runs(name, PLAIN[0], PLAIN[1], (), ()))
    assert (found.word, found.reason) == (
        "not run",
        "No record of plain-44 and plain-56 on CIFAR-10.",
    )


def test_a_short_run_proves_cost_and_never_an_accuracy():
    records = [
        make_record(20, network="cifar_resnet", seed=seed, recipe=recipes.quick("cifar10"))
        for seed in range(5)
    ]
    found = {v.claim.id: v for v in judge(records)}
    assert found["table6.error.20"].word == "not run"
    assert found["table6.error.20"].reason == "ResNet-20 needs 64,000 iterations, had 200."
    assert found["table6.parameters.20"].word == "reproduced"
    assert len(found["table6.parameters.20"].records) == 5


@pytest.mark.parametrize(
    ("recipe", "why"),
    [
        (recipes.hold_out(PAPER, 5000), "differs in held out images"),
        (recipes.paper_cifar(warmup=True), "differs in schedule"),
    ],
)
def test_another_recipe_does_not_count_and_is_told_apart(recipe, why):
    found = resnet20([record_with_error(8.7, seed, recipe=recipe) for seed in range(3)])
    assert found.word == "not run"
    assert why in found.reason


def test_a_failed_cell_is_no_evidence():
    trained = {"cell": record_with_error(8.7, 0).cell, "recipe": PAPER}
    found = resnet20([make_failed(18, reason="out of memory").model_copy(update=trained)])
    assert (found.word, found.reason) == ("not run", "ResNet-20 failed with seed 0: out of memory.")


def test_whole_records_lead_to_the_same_verdict():
    records = [record_with_error(error, seed) for seed, error in enumerate(NEAR_875)]
    found = resnet20(records)
    assert found.word == "reproduced"
    assert set(found.records) == {record.cell.id for record in records}


def test_a_seed_that_was_run_twice_counts_once():
    group = network_of(CLAIMS["table6.error.20"].needs.groups[0])
    newest = runs("table6.error.20", NEAR_875)
    old = [
        observed(
            group, 0, {"test_error": Figure(50.0, 10_000)}, finished_at=START - timedelta(days=9)
        )
    ]
    for order in (old + newest, newest + old):
        found = verdict("table6.error.20", order)
        assert [len(sample.values) for sample in found.samples] == [8]
        assert found.effect < 1


def test_the_2022_project_is_judged_at_its_own_budget():
    found = {v.claim.id: v for v in judge(make_profile("project2022", seeds=5))}
    assert "needs 100 epochs, had 60 epochs" in found["project2022.cifar10.base.18"].reason
    assert found["project2022.cifar10.base.50"].samples
    # The notebook of ResNet-50 that trained another network shares that one's cells.
    assert found["project2022.mnist.50"].samples[0].label.startswith("ResNet-34")
    assert found["project2022.mnist.50"].records == found["project2022.mnist.34"].records


# --- Cost -----------------------------------------------------------------------------------------


def test_every_record_of_the_ten_cells_confirms_table_1():
    found = {v.claim.id: v for v in judge(make_grid())}
    for depth in (50, 101, 152):  # the grid has option B, Table 1 option A for 18 and 34 layers
        each = found[f"table1.flops.{depth}"]
        assert each.word == "reproduced"
        assert len(each.records) == 2


def test_a_record_that_counted_something_else_is_named():
    record = make_record(18, shortcut="A")
    cost = record.cost.model_copy(update={"table1_macs": 1_900_000_000})
    (found,) = judge([record.model_copy(update={"cost": cost})], [CLAIMS["table1.flops.18"]])
    assert found.word == "inconclusive"
    assert "The formula gives 1,794,805,760" in found.reason
    assert record.cell.id in found.reason


# --- Signals --------------------------------------------------------------------------------------


def test_a_batch_norm_that_saw_too_few_images_at_a_time_does_not_count():
    engines = [Engine(precision="float32", micro_batch_size=size) for size in (128, 64, 63)]
    whole, half, less = (
        resnet20([record_with_error(8.75, 0, engine=engine)]) for engine in engines
    )
    assert whole.word == half.word == "inconclusive"  # one seed
    assert (less.word, less.reason) == (
        "not run",
        "ResNet-20 needs BatchNorm to see at least half of the 128 images of a batch at a time, "
        "and it saw 63.",
    )


def test_trained_networks_without_signals_are_told():
    name = "responses.deeper_smaller"
    found = verdict(name, runs(name, *((5, 6, 7, 8, 9),) * 3))
    assert found.word == "not run"
    assert "has records, but without the response of the layers" in found.reason


def test_gradients_at_initialisation_need_no_training_but_the_right_start():
    name = "gradients.identity.20.initial"
    values = ((0.1, 0.12, 0.11, 0.1, 0.12), (1.5, 1.4, 1.6, 1.5, 1.4))
    measure = "gradient_change_initial"
    assert verdict(name, runs(name, *values, measure=measure, images=None)).word == "reproduced"
    zero = recipes.quick("cifar10")
    groups = [network_of(group) for group in CLAIMS[name].needs.groups]
    wrong = [
        observed(group, seed, {measure: Figure(0.1)}, recipe=zero)
        for group in groups
        for seed in range(3)
    ]
    found = verdict(name, wrong)
    assert found.word == "not run"
    assert "needs He's initialisation with no BatchNorm weight at 0" in found.reason
