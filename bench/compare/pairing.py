"""What of A goes with what of B, and why the rest does not: unlike is not compared with unlike."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from bench.analysis.labels import schedule
from bench.config.recipes import Recipe
from bench.records.schema import Record
from bench.records.speed import SpeedRecord
from resnet_models.text import readable

Group = Sequence[Record]
"""The cells that differ in their seed alone."""
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was not compared, and why; ``alone`` where there was nothing to compare it with."""

    name: str
    why: str
    alone: bool = False


def pair(
    a: Mapping[str, Item], b: Mapping[str, Item], refusal: Callable[[Item, Item], str]
) -> tuple[dict[str, tuple[Item, Item]], list[LeftOut]]:
    """Pairs by name, and what has no partner or, by ``refusal``, is not like it.

    Args:
        refusal: says why two must not be compared; empty where they may be.
    """
    pairs: dict[str, tuple[Item, Item]] = {}
    left_out: list[LeftOut] = []
    for name in sorted(a.keys() | b.keys()):
        if name not in a or name not in b:
            left_out.append(LeftOut(name, f"only in {'A' if name in a else 'B'}", alone=True))
        elif why := refusal(a[name], b[name]):
            left_out.append(LeftOut(name, why))
        else:
            pairs[name] = a[name], b[name]
    return pairs, left_out


def groups(records: Sequence[Record]) -> dict[str, Group]:
    """Records by cell id without its seed, those of one group by seed."""
    ordered = sorted(records, key=lambda record: (group_name(record), record.cell.seed))
    return {name: list(group) for name, group in groupby(ordered, group_name)}


def group_name(record: Record) -> str:
    """Cell id without the seed."""
    return record.cell.id.removesuffix(f"-seed{record.cell.seed}")


def completed(group: Group) -> list[Record]:
    """Those that ran to their end."""
    return [record for record in group if record.final is not None]


def group_refusal(a: Group, b: Group) -> str:
    """Why two groups of cells must not be compared; empty where they may be."""
    for side, group in (("A", a), ("B", b)):
        if not completed(group):
            return _failed(side, group[0].reason)
    first, *others = completed(a) + completed(b)
    for other in others:
        if other.recipe != first.recipe:
            return f"recipe: {_different_recipe(first.recipe, other.recipe)}"
        if first.cost and other.cost and other.cost != first.cost:
            return f"cost: {differing(first.cost.model_dump(), other.cost.model_dump())}"
    return ""


def workload_refusal(a: SpeedRecord, b: SpeedRecord) -> str:
    """Why two timed workloads must not be compared; empty where they may be."""
    for side, record in (("A", a), ("B", b)):
        if record.status == "failed":
            return _failed(side, record.reason)
        if not usable(record.samples):
            return f"{side} holds a time that is none"
    return differing(
        {"parameters": a.parameters, "macs": a.macs}, {"parameters": b.parameters, "macs": b.macs}
    )


def usable(seconds: Sequence[float]) -> bool:
    """Whether all are times that a repetition can take: damaged files hold others too."""
    return all(math.isfinite(each) and 1e-9 < each < 1e9 for each in seconds)


def differing(a: Mapping[str, object], b: Mapping[str, object]) -> str:
    """``batch size (32 against 64), precision (float32 against bfloat16)``; empty if none is."""
    return ", ".join(
        f"{name.replace('_', ' ')} ({a[name]} against {b[name]})"
        for name in a
        if a[name] != b[name]
    )


def _different_recipe(a: Recipe, b: Recipe) -> str:
    words = [recipe.model_dump(mode="json") | {"schedule": schedule(recipe)} for recipe in (a, b)]
    return differing(*words) or "schedule"


def _failed(side: str, reason: str | None) -> str:
    return f"failed in {side}: {readable(reason or 'no reason was recorded')}"
