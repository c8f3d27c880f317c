"""Verdicts where the truth is known: equal, different, too few seeds, one, none, another budget."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from bench import recipes
from bench.claims import load_claims
from bench.ledger import judge, judge_observed
from bench.measures import MEASURES, Figure
from tests.bench.factories import START, make_failed, make_grid, make_profile, make_record
from tests.bench.worlds import network_of, observed

CLAIMS = {claim.id: claim for claim in load_claims()}
NEAR_875 = (8.60, 8.95, 8.70, 8.85, 8.65)


def runs(claim_id, *levels, measure="test_error", images=10_000):
    """Observations of every group of a claim, one list of figures for each."""
    groups = [network_of(group) for group in CLAIMS[claim_id].needs.groups]
    return [
        observed(group, seed, {measure: Figure(value, images)})
        for group, values in zip(groups, levels, strict=True)
        for seed, value in enumerate(values)
    ]


def verdict(claim_id, observations):
    (found,) = judge_observed(observations, [CLAIMS[claim_id]])
    return found


def record_with_error(error, seed, **changes):
    """A real record of ResNet-20, trained as in section 4.2, with this test error in percent."""
    record = make_record(
        20,
        network="cifar_resnet",
        seed=seed,
        recipe=changes.pop("recipe", recipes.paper_cifar(warmup=False)),
        profile="table6",
        **changes,
    )
    *others, last = record.epochs
    correct = round((1 - error / 100) * last.test_images)
    return record.model_copy(
        update={"epochs": (*others, last.model_copy(update={"test_correct": correct}))}
    )


# --- A printed single run -------------------------------------------------------------------------


def test_equal_means_are_reproduced():
    found = verdict("table6.error.20", runs("table6.error.20", NEAR_875))
    assert found.word == "reproduced"
    assert found.outcome.effect == pytest.approx(0.0, abs=1e-9)
    assert found.p_adjusted < 0.01
    assert len(found.records) == 5
    assert "8.75 % over 5 seeds (95 % interval 8.57 to 8.93), printed 8.75: " in found.reason
    assert "within the margin of 0.6 points" in found.reason


@pytest.mark.parametrize(("shift", "side"), [(3, "higher"), (-3, "lower")])
def test_different_means_are_refuted_and_the_side_is_named(shift, side):
    found = verdict("table6.error.20", runs("table6.error.20", [v + shift for v in NEAR_875]))
    assert found.word == "refuted"
    assert f"ours is {side} by more than the margin" in found.reason
    assert found.outcome.interval.low * shift > 0


def test_a_difference_of_about_the_margin_is_inconclusive_and_says_how_many_seeds_it_takes():
    found = verdict("table6.error.20", runs("table6.error.20", [v + 0.45 for v in NEAR_875]))
    assert found.word == "inconclusive"
    assert "neither the claim nor its opposite is shown" in found.reason
    assert found.outcome.seeds_needed > 5
    assert f"about {found.outcome.seeds_needed} seeds would be needed" in found.reason


def test_a_mean_within_the_margin_does_not_reproduce_a_run_that_ours_never_give():
    """All runs within 0.02 points: the printed one, 0.3 points away, is none of them."""
    values = [9.05, 9.06, 9.04, 9.05, 9.05]
    found = verdict("table6.error.20", runs("table6.error.20", values))
    assert found.word == "inconclusive"
    assert "but the printed run is not one to be expected" in found.reason


def test_a_mean_beyond_the_margin_does_not_refute_a_run_that_ours_may_give():
    values = [8.8, 10.8, 9.0, 10.6, 9.7, 10.0, 9.1, 10.5, 9.6, 9.9, 9.8, 9.9, 10.4, 9.2, 9.5]
    found = verdict("table6.error.20", runs("table6.error.20", values))
    assert found.word == "inconclusive"
    assert "but the printed run may be one of these" in found.reason


def test_one_seed_never_decides_and_shows_the_noise_of_the_test_set_alone():
    found = verdict("table6.error.20", runs("table6.error.20", [8.75]))
    assert (found.word, found.p_adjusted) == ("inconclusive", None)
    assert "ResNet-20 8.75 % with 1 seed (test-set noise alone: 8.21 to 9.32)" in found.reason
    assert "needs at least 3 seeds of every cell" in found.reason


def test_two_seeds_are_too_few():
    found = verdict("table6.error.20", runs("table6.error.20", [8.74, 8.76]))
    assert (found.word, found.outcome.seeds_needed) == ("inconclusive", 3)


def test_equal_counts_do_not_claim_certainty_about_the_mean():
    found = verdict("table6.error.20", runs("table6.error.20", [8.75, 8.75, 8.75]))
    assert found.word == "reproduced"
    assert found.outcome.interval.high > found.outcome.interval.low


# --- A printed mean of five runs ------------------------------------------------------------------


def test_resnet110_is_compared_with_the_spread_of_the_paper():
    values = [6.55, 6.70, 6.60, 6.72, 6.50]
    found = verdict("table6.error.110", runs("table6.error.110", values))
    assert found.word == "reproduced"
    assert "Welch" in found.outcome.test
    assert "printed 6.61 ± 0.16 over 5 runs" in found.reason
    assert verdict("table6.error.110", runs("table6.error.110", values[:4])).word == "inconclusive"


def test_one_run_of_resnet110_stands_beside_what_the_five_let_one_expect():
    found = verdict("table6.error.110", runs("table6.error.110", [7.3]))
    assert found.word == "inconclusive"
    assert "the 5 printed runs let one expect the next from 6.12 to 7.10 %" in found.reason


# --- Bounds, orders, differences ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ((0.05, 0.06, 0.04), "reproduced"),
        ((0.5, 0.6, 0.55), "refuted"),
        ((0.05, 0.2, 0.1), "inconclusive"),
    ],
)
def test_a_bound(values, word):
    found = verdict("training.1202", runs("training.1202", values, measure="train_error"))
    assert found.word == word


def test_a_network_that_never_learns_has_the_same_error_with_every_seed():
    """A constant answer is right for exactly a tenth of the test images."""
    assert verdict("error.plain110", runs("error.plain110", [90, 90, 90])).word == "reproduced"


PLAIN = ((9.6, 9.7, 9.8), (10.1, 10.2, 10.0), (11.4, 11.3, 11.5), (13.2, 13.4, 13.3))


def test_an_order_needs_every_pair():
    name = "plain.deeper_is_worse.test"
    assert verdict(name, runs(name, *PLAIN)).word == "reproduced"
    tied = (PLAIN[0], (9.65, 9.75, 9.7), *PLAIN[2:])
    assert verdict(name, runs(name, *tied)).word == "inconclusive"


def test_one_reversed_pair_refutes_an_order():
    name = "plain.deeper_is_worse.test"
    found = verdict(name, runs(name, *PLAIN[:3], (9.0, 9.1, 9.2)))
    assert found.word == "refuted"
    assert "the pair that decides is plain-44 minus plain-56: +2.30 points" in found.reason
    assert "the other way round by more than 0.2 points" in found.reason


def test_a_reversal_within_the_margin_refutes_nothing():
    name = "plain.figure1.test"
    nearly = ((9.70, 9.72, 9.71), (9.60, 9.62, 9.61))
    assert verdict(name, runs(name, *nearly)).word == "inconclusive"


def test_plain_20_and_32_are_not_put_in_an_order_by_their_training_errors():
    name = "plain.deeper_is_worse.train"
    values = ((1.5, 1.6, 1.55), (1.4, 1.45, 1.5), (2.7, 2.8, 2.6), (5.9, 6.0, 6.1))
    found = verdict(name, runs(name, *values, measure="train_error", images=50_000))
    assert found.word == "reproduced"


@pytest.mark.parametrize(
    ("shift", "word"), [(0.05, "reproduced"), (2.0, "refuted"), (0.6, "inconclusive")]
)
def test_option_a_against_b(shift, word):
    values = (7.0, 7.1, 6.9, 7.05)
    found = verdict(
        "shortcut.options.56",
        runs("shortcut.options.56", values, [value + shift for value in values]),
    )
    assert found.word == word
    assert "ResNet-56 (option A)" in found.reason


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
    assert found["table6.error.20"].reason == "ResNet-20 needs 64,000 iterations, had 100."
    assert found["table6.parameters.20"].word == "reproduced"
    assert len(found["table6.parameters.20"].records) == 5


@pytest.mark.parametrize(
    ("recipe", "why"),
    [
        (recipes.hold_out(recipes.paper_cifar(warmup=False), 5000), "differs in held out images"),
        (recipes.paper_cifar(warmup=True), "differs in schedule"),
    ],
)
def test_another_recipe_does_not_count_and_is_told_apart(recipe, why):
    found = verdict_of_records([record_with_error(8.7, seed, recipe=recipe) for seed in range(3)])
    assert found.word == "not run"
    assert why in found.reason


def test_a_failed_cell_is_no_evidence():
    failed = make_failed(18, reason="out of memory")
    cell = record_with_error(8.7, 0).cell
    recipe = recipes.paper_cifar(warmup=False)
    found = verdict_of_records([failed.model_copy(update={"cell": cell, "recipe": recipe})])
    assert (found.word, found.reason) == ("not run", "ResNet-20 failed with seed 0: out of memory.")


def verdict_of_records(records):
    (found,) = judge(records, [CLAIMS["table6.error.20"]])
    return found


def test_whole_records_lead_to_the_same_verdict():
    records = [record_with_error(error, seed) for seed, error in enumerate(NEAR_875)]
    found = verdict_of_records(records)
    assert found.word == "reproduced"
    assert set(found.records) == {record.cell.id for record in records}


def test_a_seed_that_was_run_twice_counts_once():
    group = network_of(CLAIMS["table6.error.20"].needs.groups[0])
    newest = runs("table6.error.20", NEAR_875[:3])
    old = [
        observed(
            group, 0, {"test_error": Figure(50.0, 10_000)}, finished_at=START - timedelta(days=9)
        )
    ]
    for order in (old + newest, newest + old):
        found = verdict("table6.error.20", order)
        assert [len(sample.values) for sample in found.outcome.samples] == [3]
        assert found.outcome.effect < 1


def test_the_2022_project_is_judged_at_its_own_budget():
    grid = make_profile("project2022", seeds=3)
    found = {v.claim.id: v for v in judge(grid)}
    assert "needs 100 epochs, had 60 epochs" in found["project2022.cifar10.base.18"].reason
    assert found["project2022.cifar10.base.50"].outcome.samples
    assert found["project2022.mnist.50"].outcome.samples[0].label.startswith("ResNet-34")


def test_the_notebook_that_trained_another_network_shares_its_cells():
    found = {v.claim.id: v for v in judge(make_profile("project2022", seeds=3))}
    assert found["project2022.mnist.50"].records == found["project2022.mnist.34"].records


# --- Cost -----------------------------------------------------------------------------------------


def test_every_record_of_the_ten_cells_confirms_table_1():
    found = {v.claim.id: v for v in judge(make_grid())}
    for depth in (18, 34, 50, 101, 152):
        each = found[f"table1.flops.{depth}"]
        assert each.word == "reproduced"
        assert len(each.records) == 2


def test_a_record_that_counted_something_else_is_named():
    record = make_record(18)
    cost = record.cost.model_copy(update={"table1_macs": 1_900_000_000})
    (found,) = judge([record.model_copy(update={"cost": cost})], [CLAIMS["table1.flops.18"]])
    assert found.word == "inconclusive"
    assert "The formula gives 1,814,073,344" in found.reason
    assert record.cell.id in found.reason


# --- Signals --------------------------------------------------------------------------------------


def signals(moment, gradients, responses=(0.4, 0.6)):
    return SimpleNamespace(
        moment=moment, input_gradient_norm=gradients, response_std=responses, layers=("a", "b")
    )


def test_signals_are_read_from_the_records_that_have_them():
    record = SimpleNamespace(
        signals=(
            signals("initial", (100.0, 10.0, 2.0, 1.0)),
            signals("final", (1.0, 1.0, 1.0, 10.0)),
        )
    )
    assert MEASURES["gradient_drift_initial"].of(record).value == pytest.approx(2)
    assert MEASURES["gradient_drift_final"].of(record).value == pytest.approx(1)
    assert MEASURES["response_std"].of(record).value == pytest.approx(0.5)
    assert MEASURES["response_std"].of(SimpleNamespace()) is None
    assert MEASURES["gradient_drift_final"].of(SimpleNamespace(signals=())) is None
    assert MEASURES["gradient_drift_final"].of(
        SimpleNamespace(signals=(signals("final", (0.0, 1.0)),))
    ) is None  # fmt: skip


def test_trained_networks_without_signals_are_told():
    name = "responses.deeper_smaller"
    found = verdict(name, runs(name, *((5, 6, 7),) * 3))
    assert found.word == "not run"
    assert "has records, but without the response of the layers" in found.reason


def test_gradients_at_initialisation_need_no_training_but_the_right_start():
    name = "gradients.identity.20.initial"
    values = ((0.1, 0.12, 0.11), (1.5, 1.4, 1.6))
    measure = "gradient_drift_initial"
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
