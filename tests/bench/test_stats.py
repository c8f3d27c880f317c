"""The thin functions, held against other routines of scipy and statsmodels, and against theory."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from bench import stats
from bench.stats import wilson_interval

OURS = [8.51, 8.22, 8.74, 8.60, 8.33]
THEIRS = [7.40, 7.91, 7.12, 7.55]
# Of one size, as errors are: far apart in size, floating point decides instead of statistics.
VALUES = st.lists(st.floats(1, 100).map(lambda x: round(x, 2)), min_size=2, max_size=10)
MARGINS = st.floats(0.01, 5)


def spread(values):
    return float(np.ptp(values)) > 0.05


def test_mean_is_students():
    estimate = stats.mean(OURS)
    expected = scipy_stats.ttest_1samp(OURS, 0).confidence_interval(0.95)
    assert estimate.value == pytest.approx(8.48)
    assert (estimate.interval.low, estimate.interval.high) == pytest.approx(tuple(expected))


def test_difference_is_welchs():
    estimate = stats.difference(OURS, THEIRS)
    result = scipy_stats.ttest_ind(OURS, THEIRS, equal_var=False)
    expected = result.confidence_interval(0.95)
    assert estimate.value == pytest.approx(np.mean(OURS) - np.mean(THEIRS))
    assert (estimate.interval.low, estimate.interval.high) == pytest.approx(tuple(expected))


@pytest.mark.parametrize(("side", "scipys"), [("smaller", "less"), ("larger", "greater")])
def test_one_sided_tests(side, scipys):
    one = scipy_stats.ttest_1samp(OURS, 8.4, alternative=scipys).pvalue
    shifted = np.asarray(OURS) - 0.5
    two = scipy_stats.ttest_ind(shifted, THEIRS, equal_var=False, alternative=scipys).pvalue
    assert stats.mean_test(OURS, 8.4, side) == pytest.approx(one)
    assert stats.difference_test(OURS, THEIRS, 0.5, side) == pytest.approx(two)


@given(VALUES, st.floats(1, 100), MARGINS)
def test_equivalence_is_the_interval_inside_the_margin(values, target, margin):
    assume(spread(values))
    interval = stats.mean(values).interval
    edge = min(margin - (interval.high - target), (interval.low - target) + margin)
    assume(abs(edge) > 1e-6)
    small = stats.mean_equivalence(values, target, margin) < stats.LEVEL / 2
    assert small == (edge > 0)


@given(VALUES, st.floats(1, 100), MARGINS)
def test_beyond_is_the_interval_outside_the_margin(values, target, margin):
    assume(spread(values))
    interval = stats.mean(values).interval
    gap = max(interval.low - (target + margin), (target - margin) - interval.high)
    assume(abs(gap) > 1e-6)
    assert (stats.mean_beyond(values, target, margin) < stats.LEVEL / 2) == (gap > 0)


@given(VALUES, VALUES, MARGINS)
def test_two_means_are_never_both_the_same_and_different(ours, theirs, margin):
    assume(spread(ours) and spread(theirs))
    same = stats.difference_equivalence(ours, theirs, margin)
    other = stats.difference_beyond(ours, theirs, margin)
    assert max(same, other) >= 0.5
    assert stats.difference_equivalence(theirs, ours, margin) == pytest.approx(same)


def test_prediction_interval_is_that_of_a_regression_on_nothing():
    fit = sm.OLS(OURS, np.ones(len(OURS))).fit()
    (expected,) = fit.get_prediction([[1.0]]).conf_int(obs=True, alpha=0.05)
    found = stats.prediction_interval(OURS)
    assert (found.low, found.high) == pytest.approx(tuple(expected))


def test_prediction_interval_holds_the_next_run_in_95_of_100_worlds():
    rng = np.random.default_rng(0)
    worlds = rng.normal(7, 0.2, size=(2000, 6))
    inside = [stats.prediction_interval(world[:5]).holds(world[5]) for world in worlds]
    assert 0.935 < np.mean(inside) < 0.965


def test_share_interval_is_wilsons():
    found = stats.share_interval(8.75, 10_000)
    assert (found.low, found.high) == pytest.approx(wilson_interval(8.75, 10_000))


@given(st.floats(0, 100), st.floats(0.01, 5), st.integers(2, 30))
def test_a_stand_in_has_the_published_moments(mean, std, runs):
    values = stats.stand_in(mean, std, runs)
    assert len(values) == runs
    assert np.mean(values) == pytest.approx(mean, abs=1e-9)
    assert np.std(values, ddof=1) == pytest.approx(std)


def test_holm_on_a_worked_example():
    """Smallest p times 4, next times 3, ..., and never below the one before."""
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert stats.holm([]) == ()
    assert stats.holm([0.2]) == pytest.approx([0.2])


def test_ties_are_spread_over_one_counting_unit():
    values = stats.break_ties([90.0, 90.0, 90.0], 0.01)
    assert np.mean(values) == pytest.approx(90)
    assert np.ptp(values) == pytest.approx(0.01)
    assert stats.break_ties([8.1, 8.1, 8.2], 0.01) == (8.1, 8.1, 8.2)
    assert np.isfinite(stats.mean_test(values, 60, "larger"))


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(("gap", "std"), [(0.6, 0.2), (0.3, 0.25), (0.2, 0.3)])
def test_seeds_needed_is_the_least_number_with_enough_power(gap, std, groups):
    seeds = stats.seeds_needed(gap, std, groups)
    assert power(gap, std, seeds, groups) >= 0.79
    assert power(gap, std, seeds - 1, groups) < 0.81 or seeds == 2


def power(gap, std, seeds, groups):
    """Share of simulated studies in which a one-sided test at 2.5 % sees the gap."""
    rng = np.random.default_rng(seeds)
    ours = rng.normal(gap, std, size=(4000, seeds))
    theirs = rng.normal(0, std, size=(4000, seeds)) if groups == 2 else None
    if theirs is None:
        p = scipy_stats.ttest_1samp(ours, 0, axis=1, alternative="greater").pvalue
    else:
        p = scipy_stats.ttest_ind(ours, theirs, axis=1, alternative="greater").pvalue
    return float(np.mean(p < 0.025))


def test_a_gap_too_small_to_be_seen_says_so():
    assert stats.seeds_needed(0.01, 0.3, 1) is None
    assert stats.seeds_needed(0.0, 0.3, 2) is None
    assert stats.seeds_needed(5.0, 0.1, 1) == 2
