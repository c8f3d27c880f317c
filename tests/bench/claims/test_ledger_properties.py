"""What holds for every ledger, whatever the runs: on worlds and changes drawn by hypothesis."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.claims.files import load_claims
from bench.claims.ledger import judge_observed
from bench.claims.measures import Figure
from bench.claims.methods import CostRatio, ExactCost, Most
from bench.config import recipes
from bench.stats import LEVEL
from tests.support.worlds import STATISTICAL, make_world, network_of, observed

WORLDS = st.integers(0, 2**32 - 1).map(lambda seed: make_world(np.random.default_rng(seed)))
ONE = next(claim for claim in STATISTICAL if claim.id == "table6.error.20")
CELL = network_of(ONE.needs.groups[0])
ERRORS = st.lists(st.floats(0, 100).map(lambda x: round(x, 2)), min_size=8, max_size=12)


def judge_errors(errors):
    runs = [observed(CELL, n, {"test_error": Figure(e, 10_000)}) for n, e in enumerate(errors)]
    (found,) = judge_observed(runs, [ONE])
    return found


@settings(max_examples=8, deadline=None)
@given(WORLDS, st.randoms(use_true_random=False))
def test_every_verdict_has_its_evidence_whatever_the_order_of_records(world, random):
    verdicts = world.judge()
    for verdict in verdicts:
        assert verdict.reason.endswith(".")
        assert "nan" not in verdict.reason
        if verdict.word in ("reproduced", "refuted"):
            least = min(len(sample.values) for sample in verdict.samples)
            assert least >= verdict.claim.needs.seeds
            assert verdict.p <= verdict.p_adjusted <= LEVEL
            assert verdict.margin is not None or isinstance(verdict.claim.test, Most)
        if verdict.word == "not run":
            assert not verdict.records
        if verdict.interval is not None:
            assert verdict.interval.low <= verdict.effect <= verdict.interval.high
    random.shuffle(world.observations)
    assert world.judge() == verdicts


@settings(max_examples=4, deadline=None)
@given(WORLDS)
def test_correction_only_ever_takes_verdicts_away(world):
    alone = {claim.id: judge_observed(world.observations, [claim])[0].word for claim in STATISTICAL}
    for verdict in world.judge():
        assert verdict.word in ("inconclusive", alone[verdict.claim.id])


@settings(max_examples=8, deadline=None)
@given(WORLDS)
def test_only_runs_of_the_needed_budget_are_evidence(world):
    """Take them away: what is left says nothing, however good or bad it looks, but of cost."""
    wrong = [
        each for each in world.observations if each.record.profile == "quick" or not each.completed
    ]
    assert wrong
    claims = [
        claim for claim in STATISTICAL if "none" not in {g.budget for g in claim.needs.groups}
    ]
    assert {v.word for v in judge_observed(wrong, claims)} == {"not run"}
    cost = [claim for claim in load_claims() if isinstance(claim.test, ExactCost | CostRatio)]
    assert {v.word for v in judge_observed(world.observations, cost)} == {"reproduced"}


@settings(max_examples=30, deadline=None)
@given(ERRORS, st.integers(0, 7))
def test_fewer_seeds_than_planned_never_decide(errors, count):
    assert judge_errors(errors[:count]).word in ("inconclusive", "not run")


@settings(max_examples=50, deadline=None)
@given(ERRORS)
def test_decisions_agree_with_their_interval(errors):
    found = judge_errors(errors)
    interval, margin = found.interval, found.margin
    if found.word == "reproduced":
        assert -margin <= interval.low
        assert interval.high <= margin
    if found.word == "refuted":
        assert interval.low >= margin or interval.high <= -margin


@settings(max_examples=30, deadline=None)
@given(ERRORS, st.floats(0, 100))
def test_short_runs_change_no_verdict(errors, wild):
    before = judge_errors(errors)
    quick = recipes.quick("cifar10")
    runs = [observed(CELL, n, {"test_error": Figure(e, 10_000)}) for n, e in enumerate(errors)]
    runs += [
        observed(CELL, n, {"test_error": Figure(wild, 10_000)}, recipe=quick) for n in range(9)
    ]
    assert judge_observed(runs, [ONE]) == (before,)
