"""Numbers of the references by path: the only way by which a claim gets one. No torch here.

``paper:tables/table6/rows/ResNet/20/error`` names a file and walks down into it: a step is a key of
an object, or any value that tells one row of a list from the others.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from bench.reference.loader import load_paper, load_project2022
from bench.reference.sources import read

FILES: Final[dict[str, Callable[[], object]]] = {
    "paper": load_paper,
    "project2022": load_project2022,
}


class UnknownReferenceError(ValueError):
    """A path that leads to no number; the message says where it ends."""


@dataclass(frozen=True, slots=True)
class Printed:
    """One number of a reference.

    Attributes:
        value: in the unit of its table.
        path: leads to it.
        source: table or section, as the file says.
        std: from run to run, where ``value`` is the mean of ``runs``.
        runs: 1 unless the reference says more.
    """

    value: float
    path: str
    source: str
    std: float | None = None
    runs: int = 1


@cache
def look_up(path: str) -> Printed:
    """The number at ``path``; of a list of numbers the last one, which is the last epoch.

    Raises:
        UnknownReferenceError: there is none.
    """
    name, _, rest = path.partition(":")
    if name not in FILES:
        raise UnknownReferenceError(f"{path!r} names no file; there are {', '.join(FILES)}")
    node: Any = _content(name)
    parents: list[Any] = []
    source = str(node.get("source", ""))
    for step in rest.split("/"):
        parents.append(node)
        node = _child(node, step, path)
        if isinstance(node, Mapping):
            source = node.get("source", node.get("notebook", source))
    if isinstance(node, list) and isinstance(node[-1], int | float):
        node = node[-1]
    if isinstance(node, Mapping) and "value" in node:
        node = node["value"]
    if isinstance(node, bool) or not isinstance(node, int | float):
        raise UnknownReferenceError(f"{path!r} leads to {type(node).__name__}, not to a number")
    row = parents[-1] if rest.endswith("/mean") else {}
    return Printed(float(node), path, source, row.get("std"), row.get("runs") or 1)


def _child(node: Any, step: str, path: str) -> Any:
    """What ``step`` leads to; a list of rows shrinks to those that it fits."""
    if isinstance(node, Mapping) and step in node:
        return node[step]
    if isinstance(node, list):
        rows = [row for row in node if isinstance(row, Mapping)]
        fitting = [row for row in rows if step in map(str, row.values())]
        if fitting:
            return fitting[0] if len(fitting) == 1 else fitting
    raise UnknownReferenceError(f"{path!r} ends at {step!r}: there is no such key or row")


@cache
def _content(name: str) -> Any:
    FILES[name]()
    return json.loads(read(f"{name}.json"))
