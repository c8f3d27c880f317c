"""How often a verdict is wrong, over many ledgers whose truth is known.

A verdict of *reproduced* or *refuted* may be wrong; at most 5 of 100 ledgers hold such a verdict,
in the worst case too: where the truth lies just beyond a margin, or just within. Counts of few
ledgers are bounded with room for chance.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from bench.stats import LEVEL
from tests.support.worlds import STATISTICAL, make_world

pytestmark = pytest.mark.heavy

ENOUGH = (8, 10, 12, 15)
SCENARIOS: dict[str, dict[str, Any]] = {
    "anything": {},
    "enough seeds": {"seeds": ENOUGH},
    "just false": {"seeds": ENOUGH, "offsets": (-1.001, 1.001)},
    "just true": {"seeds": ENOUGH, "offsets": (-0.999, 0.999)},
    "all equal": {"seeds": ENOUGH, "offsets": (0,)},
    "heavy tails": {"seeds": ENOUGH, "offsets": (-1.001, 1.001), "tails": 4},
}


@dataclass
class Tally:
    """What came of the ledgers of one scenario."""

    ledgers: int = 0
    with_error: int = 0
    words: Counter = field(default_factory=Counter)
    wrong: Counter = field(default_factory=Counter)

    @property
    def decided(self):
        return self.words["reproduced"] + self.words["refuted"]

    def __str__(self):
        wrong = sum(self.wrong.values())
        return (
            f"{self.ledgers} ledgers, {sum(self.words.values())} verdicts, {self.decided} decided; "
            f"wrong {dict(self.wrong)}: {wrong / max(1, self.decided):.2%} of those decided, "
            f"{self.with_error / self.ledgers:.1%} of ledgers with one"
        )


def simulate(ledgers, number, **scenario):
    tally = Tally()
    for n in range(ledgers):
        world = make_world(np.random.default_rng((number, n)), **scenario)
        verdicts = world.judge()
        bad = [verdict for verdict in verdicts if world.is_wrong(verdict)]
        tally.ledgers += 1
        tally.with_error += bool(bad)
        tally.words.update(verdict.word for verdict in verdicts)
        tally.wrong.update(verdict.word for verdict in bad)
    return tally


def assert_seldom_wrong(tally):
    assert sum(tally.wrong.values()) <= 0.01 * tally.decided
    # Only a count that chance alone hardly ever gives is held against the method.
    p = binomtest(tally.with_error, tally.ledgers, LEVEL, alternative="greater").pvalue
    assert p > 0.001, tally


@pytest.mark.parametrize("name", ["anything", "just false", "just true"])
def test_verdicts_are_seldom_wrong(name):
    tally = simulate(30, 100 + list(SCENARIOS).index(name), **SCENARIOS[name])
    print(tally)
    assert_seldom_wrong(tally)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", SCENARIOS)
def test_verdicts_are_seldom_wrong_in_a_thousand_ledgers(name):
    tally = simulate(1000, list(SCENARIOS).index(name), **SCENARIOS[name])
    print(f"\n{name}: {tally}")
    assert_seldom_wrong(tally)
    if name != "heavy tails":
        assert tally.with_error <= LEVEL * tally.ledgers


def test_with_ten_seeds_and_clear_truths_most_verdicts_are_found():
    """Caution alone would never be wrong; the tests must also see what is there."""
    tally = simulate(8, 7, seeds=(15,), offsets=(-3, 0, 3))
    assert tally.decided >= 0.4 * sum(tally.words.values())


def test_every_claim_about_means_takes_part():
    assert len(STATISTICAL) >= 50
