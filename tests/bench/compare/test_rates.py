"""How often verdicts on simulated timings are right: docs/methodology.md repeats these rates."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from bench.compare.finding import judge
from tests.support.results import BUSY, QUIET_NOISE, ROUGH, noisy_rounds, timings_compared

pytestmark = pytest.mark.heavy

# Two runs that differ as a whole by more than is assumed: 1 % each is in all noises.
APART = replace(BUSY, run=0.02)
NOISES = {
    "quiet": (QUIET_NOISE, QUIET_NOISE),
    "busy": (BUSY, BUSY),
    "rough": (ROUGH, ROUGH),
    "quiet beside rough": (QUIET_NOISE, ROUGH),
    "busy, runs 2 % apart": (APART, APART),
}
RIGHT = {1: "same", 1.1: "slower", 1 / 1.1: "faster"}
LEAST_PERCENT = {"quiet": {1: 95, 1.1: 90, 1 / 1.1: 90}, "busy": {1: 95, 1.1: 90, 1 / 1.1: 90}}
FEW, MANY = 100, 400


def verdicts(noises, factor, *, seed, samples=15, rounds=3, family=1, pairs=MANY):
    """Percent of each verdict on simulated pairs, B so much slower than A.

    ``family``: how many are judged beside each other, of which the first alone is counted; the
    others do not differ.
    """
    found = Counter[str]()
    for n in range(pairs):
        rng = np.random.default_rng((seed, n))
        compared = []
        for place in range(family):
            longer = 0.1 * (factor if place == 0 else 1)
            a = noisy_rounds(rng, noises[0], samples=samples, rounds=rounds)
            b = noisy_rounds(rng, noises[1], samples=samples, rounds=rounds, seconds=longer)
            compared.append(timings_compared(a, b))
        found[judge(compared)[0].verdict] += 1
    return {word: 100 * count / pairs for word, count in found.items()}


@pytest.mark.parametrize("factor", RIGHT)
@pytest.mark.parametrize("name", LEAST_PERCENT)
def test_verdicts_are_mostly_right(name, factor):
    """With three rounds a side; a wrong verdict is as rare in rough noise, which hides more."""
    found = verdicts(NOISES[name], factor, seed=1)
    assert found[RIGHT[factor]] >= LEAST_PERCENT[name][factor]


@pytest.mark.slow
@pytest.mark.parametrize("family", [1, 30])
@pytest.mark.parametrize("factor", RIGHT)
@pytest.mark.parametrize("name", NOISES)
def test_rates_of_every_noise(name, factor, family):
    """Seldom is the same called faster or slower, or a change the same, whatever the noise."""
    found = verdicts(NOISES[name], factor, seed=2, family=family)
    print(f"\n{name}, times ×{factor:.3g}, beside {family - 1} others: {found}")
    if NOISES[name] == (APART, APART):
        return
    if factor == 1:
        assert found.get("faster", 0) + found.get("slower", 0) <= 5
    else:
        wrong = {"faster", "slower", "same"} - {RIGHT[factor]}
        assert sum(found.get(word, 0) for word in wrong) <= 2.5


@pytest.mark.parametrize("factor", [1, 1.1])
@pytest.mark.parametrize("name", ["quiet", "busy", "rough"])
def test_a_single_round_tells_no_small_change(name, factor):
    found = verdicts(NOISES[name], factor, seed=3, samples=20, rounds=1, pairs=FEW)
    assert found.get("too noisy to tell", 0) >= 99


@pytest.mark.parametrize("name", ["quiet", "busy", "rough"])
def test_intervals_hold_the_truth(name):
    held = 0
    for n in range(FEW):
        rng = np.random.default_rng((4, n))
        a, b = (
            noisy_rounds(rng, noise, seconds=s)
            for noise, s in zip(NOISES[name], (0.1, 0.08), strict=True)
        )
        held += timings_compared(a, b).interval.holds(1.25)
    assert held >= 0.95 * FEW
