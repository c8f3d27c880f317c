"""Student's t, Welch's, Holm's and Wilson's, held against other routines of scipy and theory."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from bench import stats

OURS = [8.51, 8.22, 8.74, 8.60, 8.33]
THEIRS = [7.40, 7.91, 7.12, 7.55]
# Of one size, as errors are: far apart in size, floating point decides instead of statistics.
VALUES = st.lists(st.floats(1, 100).map(lambda x: round(x, 2)), min_size=2, max_size=10)
MARGINS = st.floats(0.01, 5)


def spread(values):
    return float(np.ptp(values)) > 0.05


def shifted(values, by):
    return stats.mean([value - by for value in values])


def test_mean_is_students():
    found = stats.mean(OURS)
    expected = scipy_stats.ttest_1samp(OURS, 0).confidence_interval(0.95)
    assert found.value == pytest.approx(8.48)
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(expected))
    less, greater = (
        scipy_stats.ttest_1samp(OURS, 8.4, alternative=side).pvalue for side in ("less", "greater")
    )
    assert (found.p_below(8.4), found.p_above(8.4)) == pytest.approx((less, greater))


def test_difference_is_welchs():
    found = stats.difference(OURS, THEIRS)
    result = scipy_stats.ttest_ind(OURS, THEIRS, equal_var=False)
    expected = result.confidence_interval(0.95)
    assert found.value == pytest.approx(np.mean(OURS) - np.mean(THEIRS))
    assert found.freedom == pytest.approx(result.df)
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(expected))
    less, greater = (
        scipy_stats.ttest_ind(
            np.asarray(OURS) - 0.5, THEIRS, equal_var=False, alternative=side
        ).pvalue
        for side in ("less", "greater")
    )
    assert (found.p_below(0.5), found.p_above(0.5)) == pytest.approx((less, greater))


@given(VALUES, st.floats(1, 100), MARGINS)
def test_equivalence_is_the_interval_inside_the_margin(values, target, margin):
    assume(spread(values))
    apart = shifted(values, target)
    edge = min(margin - apart.interval.high, apart.interval.low + margin)
    assume(abs(edge) > 1e-6)
    assert (apart.p_within(margin) < stats.LEVEL / 2) == (edge > 0)


@given(VALUES, st.floats(1, 100), MARGINS)
def test_beyond_is_the_interval_outside_the_margin(values, target, margin):
    assume(spread(values))
    apart = shifted(values, target)
    gap = max(apart.interval.low - margin, -margin - apart.interval.high)
    assume(abs(gap) > 1e-6)
    assert (apart.p_beyond(margin) < stats.LEVEL / 2) == (gap > 0)


@given(VALUES, VALUES, MARGINS)
def test_two_means_are_never_both_the_same_and_different(ours, theirs, margin):
    assume(spread(ours) and spread(theirs))
    apart = stats.difference(ours, theirs)
    assert max(apart.p_within(margin), apart.p_beyond(margin)) >= 0.5
    back = stats.difference(theirs, ours)
    assert back.p_within(margin) == pytest.approx(apart.p_within(margin))


def test_prediction_interval_ends_where_one_more_run_would_be_another_kind():
    """The two-sample t-test of one value against the others is at its level there."""
    found = stats.prediction_interval(OURS)
    for end in (found.low, found.high):
        tested = scipy_stats.ttest_ind_from_stats(
            np.mean(OURS), np.std(OURS, ddof=1), len(OURS), end, 0, 1
        )
        assert tested.pvalue == pytest.approx(stats.LEVEL)


def test_prediction_interval_holds_the_next_run_in_95_of_100_worlds():
    rng = np.random.default_rng(0)
    worlds = rng.normal(7, 0.2, size=(1000, 6))
    inside = [stats.prediction_interval(world[:5]).holds(world[5]) for world in worlds]
    assert 0.93 < np.mean(inside) < 0.97


def test_wilson_interval_has_wilsons_ends():
    """Where the score test of a share is at its level: |p - p0| = 1.96 sqrt(p0 (1 - p0) / n)."""
    for end in stats.wilson_interval(8.75, 10_000):
        share = end / 100
        assert abs(0.0875 - share) == pytest.approx(
            1.959964 * np.sqrt(share * (1 - share) / 10_000), rel=1e-5
        )


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


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_rejects_from_the_smallest_on_until_one_is_too_large(p_values):
    left, rejected = sorted(p_values), 0
    while left and left[0] * len(left) <= stats.LEVEL:
        left.pop(0)
        rejected += 1
    adjusted = stats.holm(p_values)
    assert sum(p <= stats.LEVEL for p in adjusted) == rejected
    in_order = [p for _, p in sorted(zip(p_values, adjusted, strict=True))]
    assert in_order == sorted(adjusted)
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))


def test_equal_counts_are_known_to_half_a_unit_each_way():
    """Their variance is that of a uniform distribution over one counting unit."""
    known = stats.mean([90.0, 90.0, 90.0], 0.01)
    assert known.error == pytest.approx(0.01 / math.sqrt(12) / math.sqrt(3))
    assert np.isfinite(known.p_above(60))
    assert stats.mean([8.1, 8.1, 8.2], 0.01) == stats.mean([8.1, 8.1, 8.2])
    apart = stats.difference([5.0, 5.0], [4.0, 4.0], 0.01)
    assert 0 < apart.error < 0.01


@pytest.mark.parametrize(("hits", "runs"), [(3, 3), (6, 8), (8, 8), (0, 5)])
def test_a_count_is_held_against_a_coin(hits, runs):
    exact = scipy_stats.binomtest(hits, runs, 0.5, alternative="greater").pvalue
    assert stats.p_most(hits, runs) == pytest.approx(exact)
    interval = stats.share_interval(hits, runs)
    assert interval.low <= 100 * hits / runs <= interval.high


def test_three_of_three_say_little():
    assert stats.share_interval(3, 3).low == pytest.approx(29.2, abs=0.1)
    assert 2 * stats.p_most(3, 3) > stats.LEVEL
