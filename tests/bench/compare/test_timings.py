"""The comparison of two sets of timings, held against scipy and by hand."""

import numpy as np
import pytest
from scipy import stats

from bench.compare.timings import LEAST_FLOOR
from tests.support.results import BUSY, make_speed, noisy_rounds, timings_compared, verdict


@pytest.mark.parametrize("rounds", [((0.1,),), ((0.1, 0.1),), ((0.1, 0.2, 0.3),), None])
def test_a_record_beside_itself_is_the_same(rounds):
    rounds = rounds or make_speed().rounds
    compared = timings_compared(rounds, rounds)
    assert compared.effect == 1
    assert compared.p == 1
    assert compared.interval.holds(1)
    assert verdict(rounds, rounds) == "same within noise"


def test_medians_and_ranks_are_of_all_samples():
    a, b = ((1.0, 2.0, 9.0), (3.0, 4.0)), ((2.5, 8.0, 7.0), (), (6.0, 5.0, 5.5))
    compared = timings_compared(a, b)
    assert (compared.baseline.value, compared.candidate.value) == (3, 5.75)
    assert compared.effect == pytest.approx(3 / 5.75)
    expected = stats.mannwhitneyu(np.concatenate(a), np.concatenate(b)).pvalue
    assert compared.p == pytest.approx(float(expected))


def test_comparisons_are_repeatable_and_turn_around():
    rng = np.random.default_rng(4)
    a, b = noisy_rounds(rng, BUSY), noisy_rounds(rng, BUSY, seconds=0.12)
    there, back = timings_compared(a, b), timings_compared(b, a)
    assert there.interval == timings_compared(a, b).interval
    assert there.effect == pytest.approx(1 / back.effect)
    assert there.floor == pytest.approx(back.floor)
    assert there.interval.low == pytest.approx(1 / back.interval.high, rel=0.01)


def test_the_floor_follows_from_the_scatter_of_round_medians():
    """Rounds 1 % off either way: a deviation of √2 % with 2 degrees of freedom."""
    rounds = [[np.exp(0.01)] * 5, [np.exp(-0.01)] * 5]
    error = np.sqrt(2) * 0.01 * float(stats.t.ppf(0.975, 2))
    floor = np.expm1(np.hypot(LEAST_FLOOR, error))
    assert timings_compared(rounds, rounds).floor == pytest.approx(floor)


def test_the_floor_is_never_below_three_percent():
    steady = [[0.1] * 5] * 3
    assert timings_compared(steady, steady).floor == pytest.approx(np.expm1(0.03))
    assert timings_compared([[0.1]], [[0.2]]).floor == pytest.approx(np.expm1(0.03))


def test_halves_of_a_single_round_stand_for_two():
    drifting = [1.0, 1.0, 1.0, 1.3, 1.3, 1.3]
    single = timings_compared([drifting], [drifting])
    two = timings_compared([drifting[:3], drifting[3:]], [drifting[:3], drifting[3:]])
    assert (single.interval, single.floor) == (two.interval, two.floor)
    assert single.floor > 0.5


def test_samples_of_a_round_are_not_taken_for_independent():
    """Rounds that lie apart widen the interval, however many samples each has."""
    rng = np.random.default_rng(5)
    apart = [(0.1 * (1 + 0.1 * n) * np.exp(rng.normal(0, 0.01, 100))).tolist() for n in range(3)]
    shuffled = rng.permutation(np.concatenate(apart)).reshape(3, 100).tolist()

    def width(rounds):
        interval = timings_compared(rounds, rounds).interval
        return interval.high - interval.low

    assert width(apart) > 2 * width(shuffled)


STEADY = np.linspace(0.1, 0.1001, 50)


@pytest.mark.parametrize(
    ("a", "b", "word"),
    [
        pytest.param([[1.0, 1.01]], [[2.0, 2.02]], "undecided", id="few samples"),
        pytest.param([[1.0]], [[2.0]], "undecided", id="one sample"),
        pytest.param([STEADY] * 3, [1.02 * STEADY] * 3, "same within noise", id="in the floor"),
    ],
)
def test_what_is_not_called_faster_or_slower(a, b, word):
    rounds = [tuple(tuple(map(float, each)) for each in side) for side in (a, b)]
    assert verdict(*rounds) == word
