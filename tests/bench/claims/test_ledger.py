"""Verdicts where the truth is known: equal, different, too few seeds, one, none, another budget."""

import pytest

from tests.support.worlds import NEAR_875, PLAIN, runs, verdict

# --- A printed single run -------------------------------------------------------------------------


def resnet20(values):
    return verdict("table6.error.20", runs("table6.error.20", values))


def test_equal_means_are_reproduced():
    found = resnet20(NEAR_875)
    assert found.word == "reproduced"
    assert found.effect == pytest.approx(0.0, abs=1e-9)
    assert found.p_adjusted < 0.01
    assert len(found.records) == 5
    assert "8.75 % over 5 seeds (95 % interval 8.57 to 8.93), printed 8.75: " in found.reason
    assert "within the margin of 0.6 points" in found.reason


@pytest.mark.parametrize(("shift", "side"), [(3, "higher"), (-3, "lower")])
def test_different_means_are_refuted_and_the_side_is_named(shift, side):
    found = resnet20([value + shift for value in NEAR_875])
    assert found.word == "refuted"
    assert f"ours is {side} by more than the margin" in found.reason
    assert found.interval.low * shift > 0


# The mean within the margin of 8.75, and no run near it; the mean beyond, and runs on both sides.
NEVER, MAYBE = (
    [9.05, 9.06, 9.04, 9.05, 9.05],
    [8.5, 10.8, 8.6, 10.6, 9.7, 10.0, 9.1, 10.5, 9.6, 9.9],
)
NOISE = "ResNet-20 8.75 % with 1 seed (test-set noise alone: 8.21 to 9.32)"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (NEVER, "but the printed run is not one to be expected"),
        (MAYBE * 2, "but the printed run may be one of these"),
        ([8.75], f"{NOISE}; a claim about means needs at least 3 seeds of every cell"),
        ([8.74, 8.76], "needs at least 3 seeds of every cell"),
    ],
)
def test_what_decides_nothing(values, why):
    found = resnet20(values)
    assert found.word == "inconclusive"
    assert why in found.reason
    if len(values) < 3:
        assert (found.p_adjusted, found.seeds_needed) == (None, 3)


def test_a_difference_of_about_the_margin_says_how_many_seeds_it_takes():
    found = resnet20([value + 0.45 for value in NEAR_875])
    assert found.word == "inconclusive"
    assert "neither the claim nor its opposite is shown" in found.reason
    assert found.seeds_needed > 5
    assert f"about {found.seeds_needed} seeds would be needed" in found.reason


def test_equal_counts_do_not_claim_certainty_about_the_mean():
    found = resnet20([8.75, 8.75, 8.75])
    assert found.word == "reproduced"
    assert found.interval.high > found.interval.low


# --- A printed mean of five runs ------------------------------------------------------------------


def test_resnet110_is_compared_with_the_spread_of_the_paper():
    values = [6.55, 6.70, 6.60, 6.72, 6.50]
    found = verdict("table6.error.110", runs("table6.error.110", values))
    assert found.word == "reproduced"
    assert "Welch" in found.test
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


def test_an_order_needs_every_pair():
    name = "plain.deeper_is_worse.test"
    assert verdict(name, runs(name, *PLAIN)).word == "reproduced"
    tied = (PLAIN[0], (9.65, 9.75, 9.7), *PLAIN[2:])
    assert verdict(name, runs(name, *tied)).word == "inconclusive"
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
