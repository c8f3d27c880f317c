"""Two results folders -> everything that can be said about one beside the other."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.compare.accuracy import accuracy_finding
from bench.compare.finding import Finding, judge
from bench.compare.pairing import (
    Condition,
    Group,
    LeftOut,
    completed,
    differences,
    differing,
    group_refusal,
    groups,
    machine_limits,
    pair,
    usable,
    workload_refusal,
)
from bench.compare.timings import LEAST_FLOOR, Timed, of_cells, of_workload, timing_finding
from bench.errors import UsageError
from bench.records.folder import Results
from bench.records.speed import SpeedRecord

_MOST_REASONS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """By how much runs of the same differ as a whole, which no single run shows.

    Attributes:
        largest: logarithm of the largest ratio of two runs' medians of the same work.
        runs: the baseline and its repeats.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was compared, what differs besides, and what was not compared.

    Attributes:
        baseline: folder, as is the candidate.
        findings: judged; speeds, then accuracies.
    """

    baseline: Path
    candidate: Path
    conditions: Sequence[Condition]
    noise: Noise
    findings: Sequence[Finding]
    left_out: Sequence[LeftOut]


def compare(baseline: Results, candidate: Results, repeats: Sequence[Results] = ()) -> Comparison:
    """Compare everything that is alike in both; ``repeats`` of the baseline measure the noise.

    Raises:
        UsageError: nothing is, or a repeat is none; the message says what differs.
    """
    if not (candidate.cells or candidate.workloads):
        raise UsageError(f"nothing can be compared: there is no record in {candidate.folder} yet")
    noise = measure_noise(baseline, repeats) if repeats else ASSUMED
    workloads, left_out = pair(_by_id(baseline), _by_id(candidate), workload_refusal)
    cells, other_cells = pair(groups(baseline.cells), groups(candidate.cells), group_refusal)
    left_out += other_cells
    timed, refused = _timed_in_both(workloads, cells)
    left_out += refused
    speeds = [timing_finding(*what, *both, noise.floor) for what, both in timed.items()]
    accuracies = []
    for name, both in cells.items():
        scored = accuracy_finding(name, *both, (baseline.runs, candidate.runs))
        if isinstance(scored, LeftOut):
            left_out.append(scored)
        else:
            accuracies.append(scored)
    if not (speeds or accuracies):
        raise UsageError(_nothing_alike(baseline, candidate, left_out))
    sides = (
        [record for each in (*speeds, *accuracies) for record in getattr(each, side).records]
        for side in ("baseline", "candidate")
    )
    return Comparison(
        baseline=baseline.folder,
        candidate=candidate.folder,
        conditions=[*differences(*sides), *machine_limits(baseline.limits, candidate.limits)],
        noise=noise,
        findings=[*judge(speeds), *judge(accuracies)],
        left_out=left_out,
    )


def _by_id(results: Results) -> dict[str, SpeedRecord]:
    return {record.workload.id: record for record in results.workloads}


def _timed_in_both(
    workloads: Mapping[str, tuple[SpeedRecord, SpeedRecord]],
    cells: Mapping[str, tuple[Group, Group]],
) -> tuple[dict[tuple[str, str], tuple[Timed, Timed]], list[LeftOut]]:
    timed: dict[tuple[str, str], tuple[Timed, Timed]] = {}
    left_out: list[LeftOut] = []
    for name, records in workloads.items():
        of_both = of_workload(records[0]), of_workload(records[1])
        timed[name, records[0].workload.direction] = of_both
    for name, both in cells.items():
        of_cell, refused = of_cells(*both)
        timed |= {(name, quantity): each for quantity, each in of_cell.items()}
        left_out += [LeftOut(f"{name}, {each.name}", each.why, each.alone) for each in refused]
    return timed, left_out


def measure_noise(baseline: Results, repeats: Sequence[Results]) -> Noise:
    """The largest difference between runs of the same: the baseline and ``repeats``, in pairs.

    Raises:
        UsageError: a repeat has no timing of the same work, machine and software.
    """
    logs: dict[tuple[str, str], list[float]] = {}
    for repeat in repeats:
        workloads, left_out = pair(_usable(baseline), _usable(repeat), _other_workload)
        cells, other_cells = pair(_completed(baseline), _completed(repeat), _other_cells)
        timed, refused = _timed_in_both(workloads, cells)
        if not timed:
            raise UsageError(_no_repeat(baseline, repeat, [*left_out, *other_cells, *refused]))
        for what, both in timed.items():
            first, again = (math.log(np.median(np.concatenate(each.rounds))) for each in both)
            logs.setdefault(what, [first]).append(again)
    return Noise(
        largest=max(max(each) - min(each) for each in logs.values()),
        runs=1 + len(repeats),
        ratios=sum(math.comb(len(each), 2) for each in logs.values()),
    )


def _no_repeat(baseline: Results, repeat: Results, left_out: Sequence[LeftOut]) -> str:
    names = {each.why: each.name for each in left_out if not each.alone}
    reasons = [f"{name}: {why}" for why, name in names.items()][:_MOST_REASONS]
    return (
        f"--repeat {repeat.folder}: {'; '.join(reasons) or 'it has timed nothing that A has'}. "
        f"Name a further run of what {baseline.folder} ran, on the same machine with the same "
        "software."
    )


def _usable(results: Results) -> dict[str, SpeedRecord]:
    return {
        name: record
        for name, record in _by_id(results).items()
        if record.status == "completed" and usable(record.samples)
    }


def _completed(results: Results) -> dict[str, Group]:
    return {name: group for name, group in groups(results.cells).items() if completed(group)}


def _other_workload(baseline: SpeedRecord, repeat: SpeedRecord) -> str:
    return workload_refusal(baseline, repeat) or _words(differences([baseline], [repeat]))


def _other_cells(baseline: Group, repeat: Group) -> str:
    return group_refusal(baseline, repeat) or _words(
        differences(completed(baseline), completed(repeat))
    )


def _words(conditions: Sequence[Condition]) -> str:
    """``threads (2 against 1), PyTorch (2.9.0 against 2.14.1)``; empty if none differs."""
    return ", ".join(
        f"{each.what} ({each.baseline} against {each.candidate})" for each in conditions
    )


def _nothing_alike(baseline: Results, candidate: Results, left_out: Sequence[LeftOut]) -> str:
    reasons = [f"{each.name}: {each.why}" for each in left_out if not each.alone]
    for settings in (_workload_settings, _cell_settings):
        reasons += _nearest(settings(baseline), settings(candidate).values())
    if not reasons:
        reasons = ["one has cells alone, the other timed workloads alone"]
    more = len(reasons) - _MOST_REASONS
    told = "; ".join(reasons[:_MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")
    return f"nothing in {baseline.folder} can be compared with {candidate.folder}: {told}"


def _workload_settings(results: Results) -> dict[str, dict[str, Any]]:
    return {name: record.workload.model_dump() for name, record in _by_id(results).items()}


def _cell_settings(results: Results) -> dict[str, dict[str, Any]]:
    return {
        name: group[0].cell.model_dump(exclude={"seed"})
        for name, group in groups(results.cells).items()
    }


def _nearest(
    baseline: Mapping[str, Mapping[str, Any]], candidate: Iterable[Mapping[str, Any]]
) -> Iterator[str]:
    others = list(candidate)
    for name, settings in baseline.items() if others else ():
        nearest = min(
            others, key=lambda other: sum(settings[each] != other[each] for each in other)
        )
        if nearest != settings:
            yield f"{name} has nothing like it in B; the nearest has {differing(settings, nearest)}"
