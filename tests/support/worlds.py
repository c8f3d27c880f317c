"""Made-up runs of the cells that claims need, and whole worlds of them, in which truth is known.

The truth is worked out here from the means that the runs were drawn with, by none of the code that
judges.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import pairwise

import numpy as np

from bench.claims.files import load_claims
from bench.claims.ledger import judge_observed
from bench.claims.measures import Figure, Observed
from bench.claims.methods import Difference, Most, Ordering, Reaches, Threshold
from bench.claims.schema import Claim, Group
from bench.claims.verdict import Verdict
from bench.config import recipes
from bench.config.cell import Cell
from bench.config.recipe import Recipe
from bench.records.schema import Engine
from bench.reference.printed import look_up
from tests.support.factories import START, make_record

TESTED = (Reaches, Threshold, Most, Ordering, Difference)
CLAIMS = {claim.id: claim for claim in load_claims()}
STATISTICAL = tuple(claim for claim in CLAIMS.values() if isinstance(claim.test, TESTED))
NEAR_875 = (8.60, 8.95, 8.70, 8.85, 8.65, 8.80, 8.90, 8.55)
PLAIN = (
    (9.6, 9.7, 9.8, 9.7, 9.65),
    (10.1, 10.2, 10.0, 10.1, 10.15),
    (11.4, 11.3, 11.5, 11.4, 11.35),
    (13.2, 13.4, 13.3, 13.3, 13.25),
)
# Where nothing is printed: near the bounds that claims set.
COMMON = {
    "test_error": 8.0, "train_error": 1.0, "clean_train_error": 1.0,
    "mean_train_error": 5.0, "early_train_error": 30.0,
    "epochs_to_learn": 3.5, "response_std": 0.5, "freeze_miss": 3.0,
    "weakest_response_initial": 0.01, "weakest_response_final": 0.01,
    "gradient_drift_initial": -2.0, "gradient_drift_final": -2.0,
    "gradient_change_initial": 2.0, "gradient_change_final": 2.0,
}  # fmt: skip

Key = tuple[Group, str]
_RECORD = make_record()


def runs(claim_id, *levels, measure="test_error", images=10_000, first_seed=0):
    """Observations of every group of a claim, one list of figures for each."""
    groups = [network_of(group) for group in CLAIMS[claim_id].needs.groups]
    return [
        observed(group, seed, {measure: Figure(value, images)})
        for group, values in zip(groups, levels, strict=True)
        for seed, value in enumerate(values, first_seed)
    ]


def verdict(claim_id, observations):
    (found,) = judge_observed(observations, [CLAIMS[claim_id]])
    return found


_NAMES: list[tuple[tuple[Group, Recipe | None], Group]] = []


@cache
def network_of(group: Group) -> Group:
    """One name for the same cells, which budgets and options may give several."""
    made = group.definition
    plain = group.model_copy(update={"stem": made.stem, "shortcut": made.shortcut})
    cells = plain.model_copy(update={"budget": "none"}), group.needed.recipe
    for known, name in _NAMES:
        if known == cells:
            return name
    _NAMES.append((cells, plain))
    return plain


def keys_of(claim: Claim) -> list[Key]:
    return [(network_of(group), claim.test.measure) for group in claim.needs.groups]


@dataclass
class World:
    """The true mean and spread of every measure of every group, and the runs drawn from them."""

    means: dict[Key, float]
    spreads: dict[Key, float]
    seeds: dict[Group, int]
    observations: list[Observed] = field(default_factory=list)

    def is_true(self, claim: Claim) -> bool:
        test, means = claim.test, [self.means[key] for key in keys_of(claim)]
        if isinstance(test, Reaches):
            return abs(means[0] - look_up(test.reference).value) <= claim.margin.value
        if isinstance(test, Difference):
            return abs(means[0] - means[1]) <= claim.margin.value
        if isinstance(test, Most):
            return test.hits(means[0])  # the median, for noise is symmetric
        if isinstance(test, Threshold):
            bound = look_up(test.reference).value if test.reference else test.bound
            return means[0] < bound if test.side == "below" else means[0] > bound
        levels = [
            [self.means[network_of(group), test.measure] for group in level]
            for level in claim.needs.cells
        ]
        points = np.array([(n, mean) for n, level in enumerate(levels) for mean in level])
        rises = np.cov(points.T)[0, 1] > 0  # the slope of a straight line through them
        steps = [min(upper) - max(lower) for lower, upper in pairwise(levels)]
        return bool(rises) and min(steps) >= -claim.margin.value

    def is_wrong(self, verdict: Verdict) -> bool:
        """A verdict that is not true here; silence is never wrong."""
        if verdict.word not in ("reproduced", "refuted"):
            return False
        return (verdict.word == "reproduced") != self.is_true(verdict.claim)

    def judge(self) -> tuple[Verdict, ...]:
        return judge_observed(self.observations, STATISTICAL)


def make_world(
    rng: np.random.Generator,
    *,
    offsets=(-3, -1.5, -1.01, -0.99, -0.5, 0, 0, 0.5, 0.99, 1.01, 1.5, 3),
    seeds=(0, 1, 3, 5, 8, 12, 15),
    tails: float | None = None,
) -> World:
    """A world drawn at random.

    Args:
        rng: source of everything.
        offsets: of true means from what is printed, in margins; one is drawn for each.
        seeds: how many runs a group may have.
        tails: degrees of freedom of Student's t, from which runs are drawn; normal where None.
    """
    bases, margins, measures_of = _tested()
    world = World(
        means={key: bases[key] + rng.choice(offsets) * margins[key] for key in margins},
        spreads={key: margins[key] * rng.uniform(0.1, 1.0) for key in margins},
        seeds={group: int(rng.choice(seeds)) for group in measures_of},
    )
    for group, count in world.seeds.items():
        measures = measures_of[group]
        first = FIRST_SEED.get(group, 0)
        for seed in range(first, first + count):
            world.observations.append(_run(world, group, measures, seed, rng, tails))
        world.observations += _distractions(group, measures, rng)
    return world


FIRST_SEED = {
    network_of(group): claim.needs.first_seed
    for claim in STATISTICAL
    for group in claim.needs.groups
    if claim.needs.first_seed
}


@cache
def _tested() -> tuple[dict[Key, float], dict[Key, float], dict[Group, list[str]]]:
    """What is printed, and the widest margin, by group and measure; the measures of each group."""
    margins: dict[Key, float] = {}
    bases: dict[Key, float] = {}
    for claim in STATISTICAL:
        margin = claim.margin.value if claim.margin else 1.0  # of a count
        for key in keys_of(claim):
            margins[key] = max(margin, margins.get(key, 0))
            bases.setdefault(key, COMMON.get(key[1], 0.0))
            reference = getattr(claim.test, "reference", None)
            if reference:
                bases[key] = look_up(reference).value
    measures: dict[Group, list[str]] = {}
    for group, measure in sorted(margins, key=str):
        measures.setdefault(group, []).append(measure)
    return bases, margins, measures


def _run(world, group, measures, seed, rng, tails) -> Observed:
    figures = {}
    for measure in measures:
        key = (group, measure)
        noise = rng.standard_normal() if tails is None else _unit_t(rng, tails)
        value = world.means[key] + world.spreads[key] * noise
        share = measure.startswith("test_") and 0 < value < 100
        figures[measure] = Figure(round(value, 2), 10_000) if share else Figure(value)
    return observed(group, seed, figures)


def _unit_t(rng, freedom):
    """Student's t, scaled to a standard deviation of 1."""
    return rng.standard_t(freedom) / np.sqrt(freedom / (freedom - 2))


def _distractions(group, measures, rng) -> list[Observed]:
    """What must never count: another recipe, a failure, an older run of the same seed."""
    wild = {measure: Figure(float(rng.uniform(0, 100)), 10_000) for measure in measures}
    quick = recipes.quick(group.dataset)
    return [
        observed(group, 0, wild, recipe=quick, profile="quick", steps=160),
        observed(group, 50, {}, status="failed", reason="out of memory"),
    ]


def observed(group: Group, seed: int, figures, *, recipe=None, steps=None, **changes) -> Observed:
    """A run of ``group`` that was trained as its claim needs it; ``changes`` are of its record."""
    recipe = recipe or recipe_of(group)
    made = group.definition
    cell = Cell(
        model=group.model, lineage=made.lineage, stem=made.stem, shortcut=made.shortcut,
        dataset=group.dataset, recipe=recipe.name, seed=seed,
    )  # fmt: skip
    fields = {
        "cell": cell,
        "recipe": recipe,
        "profile": "table6",
        "engine": Engine(precision="float32", micro_batch_size=recipe.batch_size),
        "finished_at": START + timedelta(hours=seed),
        "cost": None,
    }
    record = _RECORD.model_copy(update=fields | changes)
    return Observed(record, steps or recipe.iterations or 100, figures)


def recipe_of(group: Group) -> Recipe:
    """What its budget asks for; for one that asks for little, a recipe of its own."""
    if group.needed.recipe is not None:
        return group.needed.recipe
    return recipes.smoke(group.dataset).model_copy(
        update={"name": "untrained", "zero_init_residual": False}
    )
