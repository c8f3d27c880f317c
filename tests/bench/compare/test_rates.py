"""How often verdicts on simulated timings are right: docs/methodology.md repeats these rates."""

import numpy as np
import pytest

from tests.support.results import (
    BUSY,
    QUIET_NOISE,
    ROUGH,
    noisy_rounds,
    timings_compared,
    verdict,
)

pytestmark = pytest.mark.heavy

NOISES = {"busy": BUSY, "quiet": QUIET_NOISE, "rough": ROUGH}
FEW, MANY = 60, 200
SAME, SLOWER, FASTER = ("same within noise", 1), ("slower", 1.1), ("faster", 1 / 1.1)
LEAST_PERCENT = {SAME: 95, SLOWER: 90, FASTER: 90}


def rate(case, noise, samples, number, rounds=3, pairs=MANY):
    """Percent of simulated pairs, B so much slower than A, whose verdict is that of ``case``."""
    word, factor = case
    found = 0
    for n in range(pairs):
        rng = np.random.default_rng((number, n))
        a = noisy_rounds(rng, noise, samples=samples, rounds=rounds)
        b = noisy_rounds(rng, noise, samples=samples, rounds=rounds, seconds=0.1 * factor)
        found += verdict(a, b) == word
    return 100 * found / pairs


@pytest.mark.parametrize(("name", "case"), [("busy", SAME), ("quiet", SAME), ("busy", SLOWER)])
def test_verdicts_are_mostly_right(name, case):
    assert rate(case, NOISES[name], 15, 1, pairs=FEW) >= LEAST_PERCENT[case]


@pytest.mark.slow
@pytest.mark.parametrize("samples", [10, 20])
@pytest.mark.parametrize("case", LEAST_PERCENT)
@pytest.mark.parametrize("name", NOISES)
def test_verdicts_are_mostly_right_in_every_noise(name, case, samples):
    found = rate(case, NOISES[name], samples, 2)
    print(f"\n{name}, 3 × {samples} samples, times ×{case[1]:.3g}: {found:g} % {case[0]}")
    assert found >= LEAST_PERCENT[case]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("quiet", 95), ("busy", 93), ("rough", 80)])
def test_a_single_round_shows_less_of_the_noise(name, least):
    """Halves of one round cannot tell how far rounds lie apart: the documents say so."""
    same = rate(SAME, NOISES[name], 20, 4, rounds=1)
    print(f"\n{name}, 1 × 20 samples, no change: {same:g} % same within noise")
    assert same >= least


@pytest.mark.parametrize("name", NOISES)
def test_interval_and_floor_together_hold_the_truth(name):
    held = 0
    for n in range(FEW):
        rng = np.random.default_rng((3, n))
        a, b = noisy_rounds(rng, NOISES[name]), noisy_rounds(rng, NOISES[name], seconds=0.08)
        compared = timings_compared(a, b)
        margin = 1 + compared.floor
        held += compared.interval.low / margin <= 1.25 <= compared.interval.high * margin
    assert held >= 0.95 * FEW
