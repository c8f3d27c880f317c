"""Which claims an experiment decides, by what they need and what it runs. No torch here."""

from collections.abc import Iterable

from bench.claims.files import load_claims
from bench.claims.schema import Claim, Group
from bench.config.cell import Cell
from bench.config.plan import Plan


def decided_by(plans: Iterable[Plan]) -> list[Claim]:
    """The claims about seeds whose every planned seed of every cell is among ``plans``."""
    planned = list(plans)
    return [
        claim
        for claim in load_claims()
        if claim.needs.seeds
        and all(
            len(_seeds(group, planned, claim.needs.first_seed)) >= claim.needs.seeds
            for group in claim.needs.groups
        )
    ]


def _seeds(group: Group, plans: Iterable[Plan], first: int) -> set[int]:
    return {
        plan.cell.seed
        for plan in plans
        if _key(plan.cell) == (*group.key, group.dataset)
        and group.needed.fits(plan.recipe)
        and plan.cell.seed >= first
    }


def _key(cell: Cell) -> tuple[str, ...]:
    return cell.model, cell.lineage, cell.stem, cell.shortcut, cell.dataset
