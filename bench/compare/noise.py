"""By how much runs of the same differ as a whole on one machine: measured from such runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.compare.conditions import Condition, differences
from bench.compare.pairing import (
    Group,
    LeftOut,
    completed,
    group_refusal,
    groups,
    pair,
    usable,
    workload_refusal,
)
from bench.compare.speeds import cell_timings
from bench.compare.timings import LEAST_FLOOR, Rounds
from bench.errors import UsageError
from bench.records.folder import Results
from bench.records.speed import SpeedRecord

_MOST_REASONS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What the floor of every speed has in place of the scatter that no single run shows.

    Attributes:
        largest: logarithm of the largest ratio of two runs' medians of the same work.
        runs: A and its repeats.
        ratios: among which ``largest`` is; 0 where it is assumed.
    """

    largest: float
    runs: int
    ratios: int

    @property
    def floor(self) -> float:
        """A logarithm; few runs may agree by chance, so never less than what is assumed."""
        return max(self.largest, LEAST_FLOOR)


ASSUMED: Final = Noise(largest=LEAST_FLOOR, runs=1, ratios=0)


def measure(a: Results, repeats: Sequence[Results]) -> Noise:
    """The largest difference between runs of the same: of A and ``repeats``, pair by pair.

    Raises:
        UsageError: a repeat has no timing of the same work, machine and software as A.
    """
    logs: dict[str, list[float]] = {}
    for repeat in repeats:
        for name, both in _timed_in_both(a, repeat).items():
            first, again = (math.log(np.median(np.concatenate(each))) for each in both)
            logs.setdefault(name, [first]).append(again)
    return Noise(
        largest=max(max(each) - min(each) for each in logs.values()),
        runs=1 + len(repeats),
        ratios=sum(math.comb(len(each), 2) for each in logs.values()),
    )


def _timed_in_both(a: Results, repeat: Results) -> dict[str, tuple[Rounds, Rounds]]:
    """Timings of A and of ``repeat`` by what was timed."""
    workloads, other_workloads = pair(_workloads(a), _workloads(repeat), _workload_refusal)
    cells, other_cells = pair(_cells(a), _cells(repeat), _cells_refusal)
    timed: dict[str, tuple[Rounds, Rounds]] = {
        name: (ours.rounds, theirs.rounds) for name, (ours, theirs) in workloads.items()
    }
    left_out = [*other_workloads, *other_cells]
    for name, both in cells.items():
        of_cell, refused = cell_timings(*both)
        timed |= {f"{name}, {quantity}": rounds for quantity, rounds in of_cell.items()}
        left_out += refused
    if not timed:
        raise UsageError(_no_repeat(a, repeat, left_out))
    return timed


def _workloads(results: Results) -> dict[str, SpeedRecord]:
    """The timed ones by id; what failed tells nothing of noise."""
    return {
        record.workload.id: record
        for record in results.workloads
        if record.status == "completed" and usable(record.samples)
    }


def _cells(results: Results) -> dict[str, Group]:
    return {name: group for name, group in groups(results.cells).items() if completed(group)}


def _workload_refusal(a: SpeedRecord, b: SpeedRecord) -> str:
    return workload_refusal(a, b) or _words(differences([[], []], [[a], [b]], (None, None)))


def _cells_refusal(a: Group, b: Group) -> str:
    sides = [completed(a), completed(b)]
    return group_refusal(a, b) or _words(differences(sides, [[], []], (None, None)))


def _words(conditions: Sequence[Condition]) -> str:
    """``threads (2 against 1), PyTorch (2.9.0 against 2.14.1)``; empty if none differs."""
    return ", ".join(f"{each.what} ({each.a} against {each.b})" for each in conditions)


def _no_repeat(a: Results, repeat: Results, left_out: Sequence[LeftOut]) -> str:
    """Why nothing in ``repeat`` tells of the noise of A."""
    names = {each.why: each.name for each in left_out if not each.alone}
    reasons = [f"{name}: {why}" for why, name in names.items()][:_MOST_REASONS]
    why = "; ".join(reasons) or "it has timed nothing that A has"
    return (
        f"--repeat {repeat.folder}: {why}. Name a further run of what {a.folder} ran, on the same "
        "machine with the same software."
    )
