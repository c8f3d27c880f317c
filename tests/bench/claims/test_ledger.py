"""Verdicts where the truth is known: equal, different, too few seeds, one, none, another budget."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp

from bench import stats
from bench.claims import power
from bench.records.schema import Engine
from tests.support.worlds import CLAIMS, NEAR_875, PLAIN, runs, verdict

# --- A printed single run -------------------------------------------------------------------------


def resnet20(values):
    return verdict("table6.error.20", runs("table6.error.20", values))


def test_equal_means_are_reproduced():
    found = resnet20(NEAR_875)
    assert found.word == "reproduced"
    assert found.effect == pytest.approx(0.0, abs=1e-9)
    assert found.p_adjusted < 0.01
    assert len(found.records) == 8
    told = "ResNet-20 8.75 % over 8 seeds in float32 (95 % interval 8.63 to 8.87), printed 8.75: "
    assert told in found.reason
    assert "within the margin of 0.3 points" in found.reason


@pytest.mark.parametrize(("shift", "side"), [(3, "higher"), (-3, "lower")])
def test_different_means_are_refuted_and_the_side_is_named(shift, side):
    found = resnet20([value + shift for value in NEAR_875])
    assert found.word == "refuted"
    assert f"ours is {side} by more than the margin" in found.reason
    assert found.interval.low * shift > 0


# The mean within the margin of 8.75, and no run near it; the mean beyond, and runs on both sides.
NEVER, MAYBE = [8.95, 8.96, 8.94, 8.95] * 2, [8.6, 10.8, 9.7, 10.6, 9.7, 10.0, 9.9, 10.5]
NOISE = "ResNet-20 8.75 % with 1 seed in float32 (test-set noise alone: 8.21 to 9.32)"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (NEVER, "but the printed run is not one to be expected"),
        (MAYBE, "but the printed run may be one of these"),
        ([8.75], f"{NOISE}; the claim is tested once, on 8 seeds of every cell"),
        (NEAR_875[:7], "the claim is tested once, on 8 seeds of every cell"),
    ],
)
def test_what_decides_nothing(values, why):
    found = resnet20(values)
    assert found.word == "inconclusive"
    assert why in found.reason
    if len(values) < 8:
        assert found.p_adjusted is None


def test_a_difference_of_about_the_margin_does_not_invite_to_test_until_it_is_shown():
    found = resnet20([value + 0.25 for value in NEAR_875])
    assert found.word == "inconclusive"
    assert "neither the claim nor its opposite is shown" in found.reason
    assert found.reason.endswith("a new test, of seeds whose number is fixed beforehand.")


def test_seeds_beyond_those_planned_are_not_looked_at():
    """Else who adds seeds until p is small enough would always get there."""
    assert resnet20([*NEAR_875, 60.0, 70.0]) == resnet20(NEAR_875)


def test_equal_counts_do_not_claim_certainty_about_the_mean():
    found = resnet20([8.75] * 8)
    assert found.word == "reproduced"
    assert found.interval.high > found.interval.low


# --- A printed mean of five runs ------------------------------------------------------------------


def test_resnet110_is_compared_with_the_spread_of_the_paper():
    values = [6.55, 6.70, 6.60, 6.72, 6.50, 6.60, 6.65, 6.55, 6.68, 6.62]
    found = verdict("table6.error.110", runs("table6.error.110", values))
    assert found.word == "reproduced"
    assert "Welch" in found.test
    assert "printed 6.61 ± 0.16 over 5 runs" in found.reason
    assert verdict("table6.error.110", runs("table6.error.110", values[:9])).word == "inconclusive"


def test_one_run_of_resnet110_stands_beside_what_the_five_let_one_expect():
    found = verdict("table6.error.110", runs("table6.error.110", [7.3]))
    assert found.word == "inconclusive"
    assert "the 5 printed runs let one expect the next from 6.12 to 7.10 %" in found.reason


# --- Bounds, orders, differences ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ((0.05, 0.06, 0.04, 0.05, 0.05), "reproduced"),
        ((0.5, 0.6, 0.55, 0.5, 0.6), "refuted"),
        ((0.05, 0.2, 0.1, 0.1, 0.12), "inconclusive"),
    ],
)
def test_a_bound(values, word):
    found = verdict("training.1202", runs("training.1202", values, measure="train_error"))
    assert found.word == word


def test_a_network_that_never_learns_has_the_same_error_with_every_seed():
    """A constant answer is right for exactly a tenth of the test images."""
    assert verdict("error.plain110", runs("error.plain110", [90] * 5)).word == "reproduced"


def shifted(values, by):
    return tuple(value + by for value in values)


def test_an_order_is_a_trend_without_a_step_back():
    name = "plain.deeper_is_worse.test"
    found = verdict(name, runs(name, *PLAIN))
    assert found.word == "reproduced"
    assert "the trend from the first to the last is +3.62 points" in found.reason
    assert "least step: plain-32 minus plain-20 +0.42 points (0.26 to 0.58)" in found.reason
    tied = (PLAIN[0], shifted(PLAIN[0], -0.02), *PLAIN[2:])
    assert verdict(name, runs(name, *tied)).word == "reproduced"
    back = (*PLAIN[:3], shifted(PLAIN[2], -2.3))
    found = verdict(name, runs(name, *back))
    assert found.word == "refuted"
    assert "least step: plain-56 minus plain-44 \u22122.30 points" in found.reason
    assert "it goes the other way by more than 0.2 points" in found.reason


def test_a_flat_line_is_no_trend():
    name = "plain.deeper_is_worse.test"
    flat = [tuple(np.random.default_rng(n).normal(9, 0.02, 5)) for n in range(4)]
    assert verdict(name, runs(name, *flat)).word == "inconclusive"


def test_a_reversal_within_the_margin_refutes_nothing():
    name = "plain.figure1.test"
    nearly = (PLAIN[0], shifted(PLAIN[0], -0.1))
    assert verdict(name, runs(name, *nearly)).word == "inconclusive"


def test_plain_20_and_32_are_not_put_in_an_order_by_their_training_errors():
    name = "plain.deeper_is_worse.train"
    values = [shifted((0.0, 0.1, 0.05, 0.0, 0.02), by) for by in (1.5, 1.4, 2.7, 5.9)]
    found = verdict(name, runs(name, *values, measure="train_error", images=50_000))
    assert found.word == "reproduced"


def test_seeds_that_are_good_or_bad_for_both_are_compared_in_pairs():
    """The seed moves both by points, the shortcut by one: Welch's test would see nothing."""
    name = "residual.beats_plain.20"
    residual = (8.0, 12.0, 10.0, 9.0, 11.0)
    plain = (9.1, 12.9, 11.0, 9.9, 12.1)
    assert stats.difference(plain, residual).p_above(0) > 0.1
    assert verdict(name, runs(name, residual, plain)).p_adjusted < 0.001
    one_missing = verdict(name, runs(name, residual, plain[:4]))
    assert [len(sample.values) for sample in one_missing.samples] == [4, 4]


# --- Counts ---------------------------------------------------------------------------------------

SEEN = "project2022.accident.seen.with.18.small"


@pytest.mark.parametrize(
    ("misses", "word"),
    [
        ((0, 0, 0), "inconclusive"),  # three of three: the share may be 29 %
        ((0, 0, 1, 0, 2, 0, 0, 1), "reproduced"),
        ((0, 0, 24, 0, 24, 0, 0, 1), "inconclusive"),
        ((24, 24, 24, 24, 24, 24, 24, 24), "refuted"),
    ],
)
def test_counts_are_counted_and_given_no_spread(misses, word):
    found = verdict(SEEN, runs(SEEN, misses, measure="freeze_miss", images=None, first_seed=3))
    assert found.word == word


def test_a_share_has_its_exact_interval():
    misses = (0, 0, 24, 0, 24, 0, 0, 1)
    found = verdict(SEEN, runs(SEEN, misses, measure="freeze_miss", images=None, first_seed=3))
    exact = binomtest(6, 8).proportion_ci(method="exact")
    assert (found.effect, found.unit) == (75, " % of runs")
    assert found.interval.low == pytest.approx(100 * exact.low)
    assert found.p == pytest.approx(2 * binomtest(6, 8, alternative="greater").pvalue)
    assert "6 of 8 runs of ResNet-18" in found.reason


def test_runs_that_were_looked_at_before_the_claim_was_made_do_not_count():
    found = verdict(SEEN, runs(SEEN, (0, 0, 0), measure="freeze_miss", images=None))
    assert found.word == "not run"
    assert "No seed from 3 on was run of every cell in one precision" in found.reason


# --- Engines --------------------------------------------------------------------------------------

BFLOAT16 = Engine(precision="bfloat16", micro_batch_size=128)


def test_engines_are_not_mixed():
    mixed = [
        replace(run, record=run.record.model_copy(update={"engine": BFLOAT16}))
        if run.record.cell.seed < 3
        else run
        for run in runs("table6.error.20", NEAR_875)
    ]
    found = verdict("table6.error.20", mixed)
    assert found.word == "inconclusive"
    assert "over 5 seeds in float32" in found.reason


def test_cells_of_different_engines_are_not_compared():
    name = "residual.beats_plain.20"
    observations = [
        replace(run, record=run.record.model_copy(update={"engine": BFLOAT16}))
        if "plain" in run.record.cell.model
        else run
        for run in runs(name, NEAR_875[:2], PLAIN[0][:2])
    ]
    found = verdict(name, observations)
    assert found.word == "not run"
    assert "ResNet-20 with seed 0 in float32 and seed 1 in float32; plain-20 with" in found.reason


# --- Power ----------------------------------------------------------------------------------------


def test_every_claim_with_an_assumed_truth_states_its_power():
    known = {claim.id for claim in CLAIMS.values() if power.is_known(claim)}
    assert known == {claim.id for claim in CLAIMS.values() if claim.power}
    assert len(known) > 40
    assert min(CLAIMS[name].power[0] for name in known) >= 0.8


@pytest.mark.heavy
@pytest.mark.parametrize(
    "name", ["table6.error.20", "residual.beats_plain.20", "warmup.late_start", SEEN]
)
def test_the_stated_power_is_that_of_the_test(name):
    tests = len([claim for claim in CLAIMS.values() if claim.needs.seeds])
    assert power.simulate(CLAIMS[name], (1, tests)) == pytest.approx(CLAIMS[name].power, abs=0.01)


@pytest.mark.slow
def test_the_stated_power_of_every_claim_is_that_of_its_test():
    for name, found in power.of_all().items():
        assert found == pytest.approx(CLAIMS[name].power, abs=0.01), name


@pytest.mark.heavy
@pytest.mark.parametrize("shift", [0, 0.15])
def test_power_is_right(shift):
    """Against scipy: two one-sided t-tests of eight seeds, and the prediction interval."""
    claim = CLAIMS["table6.error.20"]
    rng = np.random.default_rng(5)
    values = rng.normal(8.75 + shift, 0.2, (4000, 8)).round(2)
    at = {side: ttest_1samp(values, 8.75 + 0.3 * side, axis=1) for side in (-1, 1)}
    inside = (at[-1].statistic > 0) & (at[1].statistic < 0)
    shown = inside & (np.maximum(at[-1].pvalue, at[1].pvalue) < 0.05)
    found = [verdict(claim.id, runs(claim.id, row)).word == "reproduced" for row in values[:300]]
    assert np.mean(found) == pytest.approx(np.mean(shown), abs=0.08)


@pytest.mark.parametrize(
    ("shift", "word"), [(0.05, "reproduced"), (2.0, "refuted"), (0.28, "inconclusive")]
)
def test_option_a_against_b(shift, word):
    values = (7.0, 7.1, 6.9, 7.05) * 3
    others = [value + shift + 0.02 * (n % 3) for n, value in enumerate(values)]
    found = verdict(
        "shortcut.options.56",
        runs("shortcut.options.56", values, others),
    )
    assert found.word == word
    assert "ResNet-56 (option A)" in found.reason
