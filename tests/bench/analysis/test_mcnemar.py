"""McNemar's test on arrays whose table is known."""

import numpy as np
import pytest
from scipy.stats import binomtest, chi2

from bench.analysis import mcnemar


def predictions(both, only_a, only_b, neither):
    """Two arrays (2, N) with this table; the true class is 1 throughout."""
    right_a = [1] * both + [1] * only_a + [0] * only_b + [0] * neither
    right_b = [1] * both + [0] * only_a + [1] * only_b + [0] * neither
    truth = [1] * len(right_a)
    return np.array([right_a, truth], dtype=np.uint8), np.array([right_b, truth], dtype=np.uint8)


def test_few_discordant_images_are_tested_exactly():
    compared = mcnemar.compare(*predictions(70, 3, 9, 18))
    assert (compared.only_a, compared.only_b) == (3, 9)
    assert compared.p == pytest.approx(binomtest(3, 12).pvalue)
    assert compared.points.value == pytest.approx(6)
    assert compared.points.interval.holds(6)


def test_many_discordant_images_are_tested_by_their_chi_square():
    compared = mcnemar.compare(*predictions(9000, 150, 250, 600))
    assert compared.p == pytest.approx(float(chi2.sf(99**2 / 400, 1)))
    assert compared.points.value == pytest.approx(1)
    assert not compared.points.interval.holds(0)


def test_the_same_predictions_do_not_differ():
    same, _ = predictions(5, 3, 0, 2)
    compared = mcnemar.compare(same, same)
    assert compared.p == 1
    assert compared.points.value == 0
    assert compared.points.interval.holds(0)


def test_intervals_hold_the_truth():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        table = rng.multinomial(500, [0.7, 0.05, 0.1, 0.15])
        held += mcnemar.compare(*predictions(*table)).points.interval.holds(5)
    assert held >= 0.92 * 300


def test_what_cannot_be_paired_is_refused():
    a, b = predictions(5, 1, 1, 3)
    other = b.copy()
    other[1, 0] = 7
    with pytest.raises(ValueError, match="other images"):
        mcnemar.compare(a, other)
    with pytest.raises(ValueError, match="other images"):
        mcnemar.compare(a, b[:, 1:])
    with pytest.raises(ValueError, match=r"shape \(10,\) instead"):
        mcnemar.compare(a[0], b[0])
    with pytest.raises(ValueError, match=r"shape \(2, 0\)"):
        mcnemar.compare(a[:, :0], b[:, :0])
