"""The comparison of two sets of timings, held against scipy and by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from bench.compare.finding import judge
from bench.compare.timings import ONE_ROUND, RUN, SINGLE
from bench.stats import Variance, total
from tests.support.results import BUSY, make_speed, noisy_rounds, timings_compared, verdict

STEADY = np.linspace(0.1, 0.1001, 50)


@pytest.mark.parametrize("rounds", [[[0.1], [0.1]], [STEADY] * 3, make_speed().rounds])
def test_rounds_beside_themselves_are_the_same(rounds):
    compared = timings_compared(rounds, rounds)
    assert compared.effect == 1
    assert compared.p == 1
    assert compared.interval.holds(1)
    assert verdict(rounds, rounds) == "same"


def test_a_round_counts_once_by_its_median():
    a, b = ((1.0, 2.0, 9.0), (3.0, 4.0, 4.0)), ((2.5, 8.0, 7.0), (), (6.0, 5.0, 5.5))
    compared = timings_compared(a, b)
    assert (compared.baseline.count, compared.candidate.count) == (2, 2)
    assert compared.baseline.value == pytest.approx(math.sqrt(2 * 4))
    assert compared.candidate.value == pytest.approx(math.sqrt(7 * 5.5))
    assert compared.effect == pytest.approx(compared.baseline.value / compared.candidate.value)


def test_many_samples_of_rounds_that_lie_apart_show_no_change():
    """Ranks of all samples would: 150 a side, the medians of the rounds in between."""
    a, b = ([[second * each for each in STEADY * 10] for second in side]
            for side in ((1, 1.05, 1.1), (1.04, 1.09, 1.2)))  # fmt: skip
    assert stats.mannwhitneyu(np.concatenate(a), np.concatenate(b)).pvalue < 1e-6
    assert verdict(a, b) == "too noisy to tell"


def test_p_and_interval_are_of_one_t_test():
    a, b = ([[1.0], [1.02], [1.05]], [[1.2], [1.21], [1.3]])
    found = timings_compared(a, b)
    logs = np.log([np.ravel(a), np.ravel(b)])
    scatter = logs.var(axis=1, ddof=1).sum() / 3
    run = 2 * RUN**2
    freedom = (scatter + run) ** 2 / (scatter**2 / 4)
    t = (logs[0].mean() - logs[1].mean()) / math.sqrt(scatter + run)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(t), freedom))
    half = stats.t.ppf(0.975, freedom) * math.sqrt(scatter + run)
    assert math.log(found.interval.high / found.effect) == pytest.approx(half)
    assert found.visible == pytest.approx(math.exp(half))


def test_comparisons_turn_around():
    rng = np.random.default_rng(4)
    a, b = noisy_rounds(rng, BUSY), noisy_rounds(rng, BUSY, seconds=0.12)
    there, back = timings_compared(a, b), timings_compared(b, a)
    assert there.effect == pytest.approx(1 / back.effect)
    assert (there.p, there.visible) == pytest.approx((back.p, back.visible))
    assert there.interval.low == pytest.approx(1 / back.interval.high)


def test_no_change_below_three_percent_is_ever_shown():
    steady = [STEADY] * 10
    assert timings_compared(steady, steady).visible > 1.03
    assert verdict(steady, [1.03 * STEADY] * 10) == "same"
    assert verdict(steady, [1.04 * STEADY] * 10) == "slower"


def test_a_single_round_is_not_split_and_shows_large_changes_only():
    """Its halves are no rounds: a slow spell covers both. So 10 % are assumed, and told."""
    single = timings_compared([STEADY], [1.25 * STEADY])
    half = stats.norm.ppf(0.975) * math.sqrt(2 * (SINGLE**2 + RUN**2))
    assert math.log(single.visible) == pytest.approx(half)
    assert single.notes == (ONE_ROUND,)
    assert verdict([STEADY], [1.25 * STEADY]) == "too noisy to tell"
    assert verdict([STEADY], [STEADY]) == "too noisy to tell"
    assert verdict([STEADY], [2 * STEADY]) == "slower"


def test_rounds_of_one_side_serve_for_a_single_one_of_the_other():
    found = timings_compared([STEADY] * 3, [2 * STEADY])
    assert found.notes == ()
    assert found.visible < 1.04


@pytest.mark.parametrize("family", [1, 2, 7, 30])
def test_an_interval_leaves_out_1_where_holm_says_so(family):
    """Whatever is compared beside it: verdict, interval and adjusted p cannot contradict."""
    rng = np.random.default_rng(family)
    findings = [
        timings_compared(noisy_rounds(rng, BUSY), noisy_rounds(rng, BUSY, seconds=0.1 * factor))
        for factor in rng.uniform(0.85, 1.15, family)
    ]
    judged = judge(findings)
    for found in judged:
        shown = not found.interval.holds(1)
        assert shown == (found.p_holm < 0.05) == (found.verdict in ("faster", "slower"))
        assert shown == (max(found.effect, 1 / found.effect) > found.visible)
    if family > 2:
        assert len({found.verdict for found in judged}) > 1
    alone = judge(findings[:1])[0]
    assert alone.visible <= judged[0].visible


def test_a_slow_down_behind_noise_is_not_called_the_same():
    """A quarter slower, with rounds that lie 10 % apart."""
    a = [[0.09], [0.1], [0.11]]
    assert verdict(a, [[1.25 * each[0]] for each in a]) == "too noisy to tell"
    assert timings_compared(a, a).visible > 1.25


def test_variances_add_with_satterthwaites_freedom():
    assert total([Variance(2, math.inf), Variance(1, math.inf)]) == Variance(3, math.inf)
    mixed = total([Variance(2, math.inf), Variance(1, 4)])
    assert mixed.value == 3
    assert mixed.freedom == pytest.approx(9 / (1 / 4))
    equal = total([Variance(1, 4), Variance(1, 4)])
    assert equal.freedom == pytest.approx(8)
