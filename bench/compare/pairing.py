"""What is alike in both folders, why the rest is not compared, and what differs besides."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Final, Literal, TypeVar

from bench.analysis.labels import schedule
from bench.config.recipe import Recipe
from bench.formats import significant, size
from bench.records.schema import Engine, Environment, Record
from bench.records.speed import Limits, SpeedRecord
from resnet_models.text import readable

Group = Sequence[Record]
"""The cells that differ in their seed alone."""
Item = TypeVar("Item")
Made = TypeVar("Made", Environment, Engine)
Value = str | int | bool | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was not compared, and why; ``only_in`` where one side has nothing like it."""

    name: str
    why: str
    only_in: Literal["A", "B"] | None = None


def pair(
    baseline: Mapping[str, Item],
    candidate: Mapping[str, Item],
    refusal: Callable[[Item, Item], str],
) -> tuple[dict[str, tuple[Item, Item]], list[LeftOut]]:
    """Pairs by name, and what has no partner or, by ``refusal``, is not like it.

    Args:
        refusal: says why two must not be compared; empty where they may be.
    """
    pairs: dict[str, tuple[Item, Item]] = {}
    left_out: list[LeftOut] = []
    for name in sorted(baseline.keys() | candidate.keys()):
        if name not in baseline or name not in candidate:
            side: Literal["A", "B"] = "A" if name in baseline else "B"
            left_out.append(LeftOut(name, f"only in {side}", side))
        elif why := refusal(baseline[name], candidate[name]):
            left_out.append(LeftOut(name, why))
        else:
            pairs[name] = baseline[name], candidate[name]
    return pairs, left_out


def groups(records: Sequence[Record]) -> dict[str, Group]:
    """Records by cell id without its seed, those of one group by seed."""
    ordered = sorted(records, key=lambda record: (group_name(record), record.cell.seed))
    return {name: list(group) for name, group in groupby(ordered, group_name)}


def group_name(record: Record) -> str:
    return record.cell.id.removesuffix(f"-seed{record.cell.seed}")


def completed(group: Group) -> list[Record]:
    return [record for record in group if record.final is not None]


def group_refusal(baseline: Group, candidate: Group) -> str:
    for side, group in (("A", baseline), ("B", candidate)):
        if not completed(group):
            return _failed(side, group[0].reason)
    first, *others = completed(baseline) + completed(candidate)
    for other in others:
        if other.recipe != first.recipe:
            return f"recipe: {_different_recipe(first.recipe, other.recipe)}"
        if first.cost and other.cost and other.cost != first.cost:
            return f"cost: {differing(first.cost.model_dump(), other.cost.model_dump())}"
    return ""


def workload_refusal(baseline: SpeedRecord, candidate: SpeedRecord) -> str:
    for side, record in (("A", baseline), ("B", candidate)):
        if record.status == "failed":
            return _failed(side, record.reason)
        if not usable(record.samples):
            return f"{side} holds a time that is none"
    cost, other = (
        {"parameters": each.parameters, "macs": each.macs} for each in (baseline, candidate)
    )
    return differing(cost, other)


def usable(seconds: Sequence[float]) -> bool:
    """Whether all are times that a repetition can take: damaged files hold others too."""
    return all(math.isfinite(each) and 1e-9 < each < 1e9 for each in seconds)


def differing(baseline: Mapping[str, object], candidate: Mapping[str, object]) -> str:
    """``batch size (32 against 64), precision (float32 against bfloat16)``; empty if none is."""
    return ", ".join(
        f"{name.replace('_', ' ')} ({baseline[name]} against {candidate[name]})"
        for name in baseline
        if baseline[name] != candidate[name]
    )


def _different_recipe(*recipes: Recipe) -> str:
    words = [each.model_dump(mode="json") | {"schedule": schedule(each)} for each in recipes]
    return differing(*words) or "schedule"


def _failed(side: str, reason: str | None) -> str:
    return f"failed in {side}: {readable(reason or 'no reason was recorded')}"


_ENVIRONMENT: Final[dict[str, Callable[[Environment], Value]]] = {
    "device": lambda made: made.device,
    "machine": lambda made: made.device_name,
    "CPU": lambda made: made.cpu,
    "CPUs": lambda made: made.cpu_count,
    "threads": lambda made: made.threads,
    "memory": lambda made: size(made.memory_bytes),
    "system": lambda made: made.os,
    "Python": lambda made: made.python,
    "PyTorch": lambda made: made.torch,
    "torchvision": lambda made: made.torchvision,
    "CUDA": lambda made: made.cuda,
    "resnet-bench": lambda made: made.resnet_bench,
    "commit": lambda made: made.commit,
}
_ENGINE: Final[dict[str, Callable[[Engine], Value]]] = {
    "precision of cells": lambda used: used.precision,
    "images at a time": lambda used: used.micro_batch_size,
    "compiled": lambda used: used.compiled,
    "CUDA graph": lambda used: used.cuda_graph,
    "deterministic": lambda used: used.deterministic,
    "TF32": lambda used: used.tf32,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is not the same in both folders, as people read it."""

    what: str
    baseline: str
    candidate: str


def differences(
    baseline: Sequence[Record | SpeedRecord], candidate: Sequence[Record | SpeedRecord]
) -> list[Condition]:
    """In what the records of both differ besides their numbers: machine, software, engine."""
    sides = baseline, candidate
    environments = [[record.environment for record in side] for side in sides]
    engines = [[each.engine for each in side if isinstance(each, Record)] for side in sides]
    found = [
        *(Condition(what, *_values(of, environments)) for what, of in _ENVIRONMENT.items()),
        *(Condition(what, *_values(of, engines)) for what, of in _ENGINE.items()),
    ]
    return [each for each in found if each.baseline != each.candidate]


def _values(of: Callable[[Made], Value], sides: Sequence[Iterable[Made]]) -> tuple[str, str]:
    baseline, candidate = (", ".join(sorted({_word(of(made)) for made in side})) for side in sides)
    return baseline, candidate


def _word(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else readable(str(value))


def machine_limits(baseline: Limits | None, candidate: Limits | None) -> list[Condition]:
    """What both machines can do at most, by which a difference of speed can be judged."""
    if baseline is None or candidate is None:
        return []
    sides = baseline, candidate
    found = []
    for precision in sorted(baseline.product_seconds.keys() & candidate.product_seconds.keys()):
        rates = (_rate(2 * side.product_size**3, side.product_seconds[precision]) for side in sides)
        found.append(Condition(f"{precision} matrix product, 10⁹ operations/s", *rates))
    rates = (_rate(side.copy_bytes, side.copy_seconds) for side in sides)
    return [*found, Condition("memory copy, 10⁹ bytes/s", *rates)]


def _rate(work: int, seconds: Sequence[float]) -> str:
    return significant(work / median(seconds) / 1e9) if seconds else "–"
