"""Two results folders -> everything that can be said about B beside A."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeVar

from bench.compare.accuracy import accuracy_finding
from bench.compare.conditions import Condition, differences
from bench.compare.finding import Finding, Judged, judge
from bench.compare.noise import ASSUMED, Noise, measure
from bench.compare.pairing import (
    Group,
    LeftOut,
    completed,
    differing,
    group_refusal,
    groups,
    pair,
    workload_refusal,
)
from bench.compare.speeds import cell_findings, workload_finding
from bench.errors import UsageError
from bench.records.folder import Results
from bench.records.speed import SpeedRecord

_MOST_REASONS: Final = 3
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was compared, what differs besides, and what was not compared."""

    a: Path
    b: Path
    conditions: Sequence[Condition]
    noise: Noise
    judged: Sequence[Judged]
    left_out: Sequence[LeftOut]


def compare(a: Results, b: Results, repeats: Sequence[Results] = ()) -> Comparison:
    """Compare everything that is alike in both.

    Args:
        a: what B is compared with.
        b: what is judged.
        repeats: further runs of what A ran, by which the noise of its machine is measured.

    Raises:
        UsageError: nothing is, or a repeat is none; the message says what differs.
    """
    noise = measure(a, repeats) if repeats else ASSUMED
    workloads, other_workloads = pair(_by_id(a), _by_id(b), workload_refusal)
    cells, other_cells = pair(groups(a.cells), groups(b.cells), group_refusal)
    folders = a.runs, b.runs
    of_cells = [_of_cell(name, both, folders, noise.floor) for name, both in cells.items()]
    findings = [workload_finding(name, *both, noise.floor) for name, both in workloads.items()]
    findings += chain.from_iterable(found for found, _ in of_cells)
    left_out = [*other_workloads, *other_cells, *chain.from_iterable(rest for _, rest in of_cells)]
    if not findings:
        raise UsageError(_nothing_alike(a, b, left_out))
    return Comparison(
        a=a.folder,
        b=b.folder,
        conditions=differences(
            [list(chain.from_iterable(map(completed, side))) for side in _sides(cells)],
            _sides(workloads),
            (a.limits, b.limits),
        ),
        noise=noise,
        judged=[
            *judge([each for each in findings if each.kind == "speed"]),
            *judge([each for each in findings if each.kind == "accuracy"]),
        ],
        left_out=left_out,
    )


def _sides(pairs: Mapping[str, tuple[Item, Item]]) -> tuple[list[Item], list[Item]]:
    return [a for a, _ in pairs.values()], [b for _, b in pairs.values()]


def _by_id(results: Results) -> dict[str, SpeedRecord]:
    return {record.workload.id: record for record in results.workloads}


def _of_cell(
    name: str, both: tuple[Group, Group], folders: tuple[Path, Path], least_floor: float
) -> tuple[list[Finding], list[LeftOut]]:
    """Speed and accuracy of one pair of groups, and what of them cannot be compared."""
    findings, left_out = cell_findings(name, *both, least_floor)
    scored = accuracy_finding(name, *both, folders)
    if isinstance(scored, LeftOut):
        return findings, [*left_out, scored]
    return [*findings, scored], left_out


def _nothing_alike(a: Results, b: Results, left_out: Sequence[LeftOut]) -> str:
    """Why nothing was compared: what was refused, else how the nearest partners differ."""
    reasons = [f"{each.name}: {each.why}" for each in left_out if not each.alone]
    reasons += _nearest(
        {name: record.workload.model_dump() for name, record in _by_id(a).items()},
        [record.workload.model_dump() for record in b.workloads],
    )
    reasons += _nearest(
        {name: _settings(group) for name, group in groups(a.cells).items()},
        [_settings(group) for group in groups(b.cells).values()],
    )
    if not reasons:
        reasons = ["one has cells alone, the other timed workloads alone"]
    more = len(reasons) - _MOST_REASONS
    told = "; ".join(reasons[:_MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")
    return f"nothing in {a.folder} can be compared with {b.folder}: {told}"


def _settings(group: Group) -> dict[str, Any]:
    return group[0].cell.model_dump(exclude={"seed"})


def _nearest(a: Mapping[str, Mapping[str, Any]], b: Iterable[Mapping[str, Any]]) -> list[str]:
    """How each of A's settings without an equal in B differs from those most like it."""
    candidates = list(b)
    if not candidates:
        return []
    reasons = []
    for name, ours in a.items():
        nearest = min(candidates, key=lambda theirs: _distance(ours, theirs))
        if nearest != ours:
            reasons.append(
                f"{name} has nothing like it in B; the nearest has {differing(ours, nearest)}"
            )
    return reasons


def _distance(a: Mapping[str, Any], b: Mapping[str, Any]) -> int:
    """Number of settings that differ."""
    return sum(a[name] != b[name] for name in a)
