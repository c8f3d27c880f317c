"""In what the two folders differ besides their numbers: that is what a comparison compares."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, TypeVar

from bench.formats import significant, size
from bench.records.schema import Engine, Environment, Record
from bench.records.speed import Limits, SpeedRecord
from resnet_models.text import readable

Value = str | int | bool | None
Made = TypeVar("Made", Environment, Engine)

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
    """Something that is not the same in A and B, as people read it."""

    what: str
    a: str
    b: str


def differences(
    cells: Sequence[Sequence[Record]],
    workloads: Sequence[Sequence[SpeedRecord]],
    limits: tuple[Limits | None, Limits | None],
) -> list[Condition]:
    """What differs between the compared records of A and B, and what their machines can do.

    Each argument is two: that of A and that of B.
    """
    environments = [
        [record.environment for record in these] + [record.environment for record in those]
        for these, those in zip(cells, workloads, strict=True)
    ]
    engines = [[record.engine for record in side] for side in cells]
    found = [
        *(Condition(what, *_values(of, environments)) for what, of in _ENVIRONMENT.items()),
        *(Condition(what, *_values(of, engines)) for what, of in _ENGINE.items()),
    ]
    a, b = limits
    return [each for each in found if each.a != each.b] + (_machine(a, b) if a and b else [])


def _values(of: Callable[[Made], Value], sides: Sequence[Iterable[Made]]) -> tuple[str, str]:
    """What each side has, in words; several where its records differ among themselves."""
    a, b = (", ".join(sorted({_word(of(made)) for made in side})) for side in sides)
    return a, b


def _word(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else readable(str(value))


def _machine(a: Limits, b: Limits) -> list[Condition]:
    """The measured limits of both machines, by which a difference of speed can be judged."""
    found = []
    for precision in sorted(a.product_seconds.keys() & b.product_seconds.keys()):
        rates = (
            _rate(2 * each.product_size**3, each.product_seconds[precision]) for each in (a, b)
        )
        found.append(Condition(f"{precision} matrix product, 10⁹ operations/s", *rates))
    rates = (_rate(each.copy_bytes, each.copy_seconds) for each in (a, b))
    return [*found, Condition("memory copy, 10⁹ bytes/s", *rates)]


def _rate(work: int, seconds: Sequence[float]) -> str:
    return significant(work / median(seconds) / 1e9) if seconds else "–"
