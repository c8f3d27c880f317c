"""Made-up runs of the cells that a claim needs, and the verdict on them."""

from bench.claims.ledger import judge_observed
from bench.claims.measures import Figure
from bench.claims.schema import load_claims
from tests.support.worlds import network_of, observed

CLAIMS = {claim.id: claim for claim in load_claims()}
NEAR_875 = (8.60, 8.95, 8.70, 8.85, 8.65)
PLAIN = ((9.6, 9.7, 9.8), (10.1, 10.2, 10.0), (11.4, 11.3, 11.5), (13.2, 13.4, 13.3))


def runs(claim_id, *levels, measure="test_error", images=10_000):
    """Observations of every group of a claim, one list of figures for each."""
    groups = [network_of(group) for group in CLAIMS[claim_id].needs.groups]
    return [
        observed(group, seed, {measure: Figure(value, images)})
        for group, values in zip(groups, levels, strict=True)
        for seed, value in enumerate(values)
    ]


def verdict(claim_id, observations):
    (found,) = judge_observed(observations, [CLAIMS[claim_id]])
    return found
