"""Two results folders -> everything that can be said about one beside the other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.compare.accuracy import accuracy_finding
from bench.compare.finding import Finding, judge
from bench.compare.noise import MOST_REASONS, Noise, measure_noise
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
    workload_refusal,
)
from bench.compare.timings import SAME, timed_in_both, timing_finding
from bench.errors import UsageError
from bench.records.folder import Results
from bench.records.speed import SpeedRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was compared, what differs besides, and what was not compared.

    Attributes:
        baseline: folder, as is the candidate.
        findings: judged; speeds, then accuracies.
        unread: what of both folders could not be read.
    """

    baseline: Path
    candidate: Path
    conditions: Sequence[Condition]
    noise: Noise
    findings: Sequence[Finding]
    left_out: Sequence[LeftOut]
    unread: Sequence[str]

    @property
    def missing(self) -> int:
        """How much of the baseline was not compared, and how many files were not read."""
        return len(self.unread) + sum(each.only_in != "B" for each in self.left_out)


def compare(
    baseline: Results,
    candidate: Results,
    repeats: Sequence[Results] = (),
    same: float = SAME,
) -> Comparison:
    """Compare everything that is alike in both; ``repeats`` of the baseline measure the noise.

    ``same`` is a ratio of times: a smaller change of speed is none.

    Raises:
        UsageError: nothing is, or a repeat is none; the message says what differs.
    """
    if not (candidate.cells or candidate.workloads):
        raise UsageError(f"nothing can be compared: there is no record in {candidate.folder} yet")
    noise = measure_noise(baseline, repeats)
    workloads, left_out = pair(_by_id(baseline), _by_id(candidate), workload_refusal)
    cells, other_cells = pair(groups(baseline.cells), groups(candidate.cells), group_refusal)
    timed, refused = timed_in_both(workloads, cells)
    left_out += [*other_cells, *_lost_seeds(cells), *refused]
    speeds = [timing_finding(*what, both, same, noise.parts) for what, both in timed.items()]
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
        unread=[*baseline.problems, *candidate.problems],
    )


def _lost_seeds(cells: Mapping[str, tuple[Group, Group]]) -> Iterator[LeftOut]:
    for name, both in cells.items():
        ours, theirs = (len(completed(group)) for group in both)
        if theirs < ours:
            yield LeftOut(f"{name}, seeds", f"{theirs} completed in B, {ours} in A", "A")


def _by_id(results: Results) -> dict[str, SpeedRecord]:
    return {record.workload.id: record for record in results.workloads}


def _nothing_alike(baseline: Results, candidate: Results, left_out: Sequence[LeftOut]) -> str:
    reasons = [f"{each.name}: {each.why}" for each in left_out if not each.only_in]
    for settings in (_workload_settings, _cell_settings):
        reasons += _nearest(settings(baseline), settings(candidate).values())
    if not reasons:
        reasons = ["one has cells alone, the other timed workloads alone"]
    more = len(reasons) - MOST_REASONS
    told = "; ".join(reasons[:MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")
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
