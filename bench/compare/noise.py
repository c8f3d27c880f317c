"""By how much runs of the same differ as a whole: measured by the baseline and its repeats."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import numpy as np

from bench.compare.pairing import (
    Condition,
    Group,
    LeftOut,
    completed,
    differences,
    group_refusal,
    groups,
    pair,
    usable,
    workload_refusal,
)
from bench.compare.timings import timed_in_both
from bench.errors import UsageError
from bench.records.folder import Results
from bench.records.speed import SpeedRecord
from bench.stats import Variance

MOST_REASONS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Between runs of the same, besides what is assumed.

    Attributes:
        runs: the baseline and its repeats.
        timings: that all of these have; 0 where nothing was measured.
        parts: of the variance of one run's logarithms of times; they add up.
    """

    runs: int
    timings: int
    parts: Sequence[Variance]

    @property
    def deviation(self) -> float:
        """Standard deviation, as a logarithm."""
        return math.sqrt(sum(part.value for part in self.parts))


NOT_MEASURED: Final = Noise(runs=1, timings=0, parts=())


def measure_noise(baseline: Results, repeats: Sequence[Results]) -> Noise:
    """From the timings that the baseline and all ``repeats`` have.

    Raises:
        UsageError: a repeat has none of the same work, machine and software.
    """
    logs: dict[tuple[str, str], list[float]] = {}
    for number, repeat in enumerate(repeats):
        workloads, left_out = pair(_usable(baseline), _usable(repeat), _other_workload)
        cells, other_cells = pair(_completed(baseline), _completed(repeat), _other_cells)
        timed, refused = timed_in_both(workloads, cells)
        if number == 0:
            logs = {what: [fmean(first.logs)] for what, (first, _) in timed.items()}
        logs = {what: [*logs[what], fmean(timed[what][1].logs)] for what in logs.keys() & timed}
        if not logs:
            raise UsageError(_no_repeat(baseline, repeat, [*left_out, *other_cells, *refused]))
    return _between_runs(list(logs.values())) if logs else NOT_MEASURED


def _between_runs(logs: Sequence[Sequence[float]]) -> Noise:
    """From (timings, runs) logarithms of times: a two-way analysis of variance, runs at random.

    A machine may be slow for a whole run. All its timings then move together and tell no more than
    one, so that the means of runs and the rest are two parts with their own degrees of freedom.
    """
    values = np.asarray(logs)
    timings, runs = values.shape
    apart = values - values.mean(axis=1, keepdims=True)
    together = apart.mean(axis=0)
    parts = [Variance(float(together @ together) / (runs - 1), runs - 1)]
    if timings > 1:
        freedom = (timings - 1) * (runs - 1)
        rest = float(np.sum((apart - together) ** 2)) / freedom
        parts.append(Variance(rest * (timings - 1) / timings, freedom))
    return Noise(runs=runs, timings=timings, parts=tuple(parts))


def copied(results: Results, *others: Results) -> int:
    """How many records ``results`` holds of a measurement that one of the others holds too."""
    cells = {each.cell.id: each for each in results.cells}
    workloads = {each.workload.id: each for each in results.workloads}
    return sum(
        sum(cells.get(each.cell.id) == each for each in other.cells)
        + sum(workloads.get(each.workload.id) == each for each in other.workloads)
        for other in others
    )


def _no_repeat(baseline: Results, repeat: Results, left_out: Sequence[LeftOut]) -> str:
    names = {each.why: each.name for each in left_out if not each.only_in}
    reasons = [f"{name}: {why}" for why, name in names.items()][:MOST_REASONS]
    return (
        f"--repeat {repeat.folder}: {'; '.join(reasons) or 'it has timed nothing that A has'}. "
        f"Name a further run of what {baseline.folder} ran, on the same machine with the same "
        "software."
    )


def _usable(results: Results) -> dict[str, SpeedRecord]:
    return {
        record.workload.id: record
        for record in results.workloads
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
