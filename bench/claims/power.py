"""How likely a claim is to be reproduced on the seeds that it plans, if it is true. No torch here.

By simulation of the very test that judges it: the seeds of each cell are drawn from a normal
distribution with the assumed mean and the assumed spread. ``python -m bench.claims.power`` writes
the file that claims state their power from, which takes a minute or two, and prints the table of
docs/methodology.md.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.claims.evidence import Sample
from bench.claims.files import load_claims
from bench.claims.ledger import decided
from bench.claims.means import verdict_of
from bench.claims.measures import MEASURES
from bench.claims.methods import CostRatio, Difference, Elsewhere, ExactCost, Most, Reaches
from bench.claims.schema import Claim
from bench.reference.printed import look_up

DRAWS: Final = 500
_SEED: Final = 0
_IMAGES: Final = 10_000  # of the test sets of both data sets


def assumed_means(claim: Claim) -> tuple[float, ...]:
    """Of each cell, if the claim is true; empty where the references leave open by how much.

    Of a share of runs: in percent.
    """
    if isinstance(claim.test, Reaches):
        return (look_up(claim.test.reference).value,)
    if isinstance(claim.test, Difference):
        return (0.0, 0.0)
    means = claim.needs.means
    return tuple(look_up(mean).value if isinstance(mean, str) else mean for mean in means)


def is_known(claim: Claim) -> bool:
    """Whether a truth can be assumed, for which there is a power."""
    about_seeds = not isinstance(claim.test, ExactCost | CostRatio | Elsewhere)
    spread = claim.needs.spread or isinstance(claim.test, Most)
    return bool(about_seeds and spread and assumed_means(claim))


def simulate(claim: Claim, tests: Sequence[int]) -> tuple[float, ...]:
    """The share of studies in which ``claim`` is reproduced, as one of so many ``tests``.

    Among several it is the one with the smallest p, which is the worst that Holm's method can do.
    """
    means = assumed_means(claim)
    rng = np.random.default_rng(_SEED)
    found = dict.fromkeys(tests, 0)
    for _ in range(DRAWS):
        values = [_draw(claim, mean, rng) for mean in means]
        groups = zip(claim.needs.groups, values, strict=True)
        samples = {group: _sample(claim, group.label, each) for group, each in groups}
        verdict = verdict_of(claim, samples)
        assert verdict.p is not None
        for number in found:
            judged = replace(verdict, p_adjusted=min(1.0, number * verdict.p), tests=number)
            found[number] += decided(judged).word == "reproduced"
    return tuple(count / DRAWS for count in found.values())


def of_all() -> dict[str, tuple[float, ...]]:
    """By id of the claims that have one: alone, and as the first of all claims about seeds."""
    claims = [claim for claim in load_claims() if claim.needs.seeds]
    return {claim.id: simulate(claim, (1, len(claims))) for claim in claims if is_known(claim)}


def table() -> str:
    """What claims state, as Markdown: those that plan alike and have one power in one row."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for claim in load_claims():
        if claim.needs.seeds:
            told = [f"{100 * share:.0f} %" for share in claim.power or ()] or ["–", "–"]
            rows.setdefault((str(claim.needs.seeds), *told), []).append(f"`{claim.id}`")
    ordered = sorted(rows.items(), key=lambda row: int(row[0][0]))
    lines = ["| claims | seeds | alone | at least |", "|---|---|---|---|"]
    lines += [f"| {', '.join(ids)} | {' | '.join(row)} |" for row, ids in ordered]
    return "\n".join(lines)


def _draw(claim: Claim, mean: float, rng: np.random.Generator) -> NDArray[np.float64]:
    seeds, test = claim.needs.seeds, claim.test
    if isinstance(test, Most):
        inside = test.bound + (1 if test.side == "above" else -1)
        return np.where(rng.random(seeds) < mean / 100, inside, 2 * test.bound - inside)
    assert claim.needs.spread is not None
    return rng.normal(mean, claim.needs.spread, seeds)


def _sample(claim: Claim, label: str, values: NDArray[np.float64]) -> Sample:
    measure = MEASURES[claim.measure]
    images = _IMAGES if claim.measure.startswith("test_") else None
    return Sample(label, measure, tuple(values.tolist()), images, "", ())


if __name__ == "__main__":
    lines = [f"  {json.dumps(name)}: {json.dumps(found)}" for name, found in of_all().items()]
    content = "{\n" + ",\n".join(lines) + "\n}\n"
    Path(str(files("bench.reference").joinpath("power.json"))).write_text(content, "utf-8")
    print(table())
