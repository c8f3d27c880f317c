"""Checks of the 2022 project's own training logs, and what is left of its conclusion.

Everything comes from the logs and from what the notebooks say of the runs; what was found by hand
about how they went stays out, so that the tests can hold the audit to it. No torch here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from bench.analysis.freezing import can_freeze_be_seen
from bench.analysis.logs import RunLog, run_logs
from bench.audit.architecture import (
    block_structure,
    mislabelled_columns,
    parameter_totals,
    tiny_maps,
)
from bench.audit.finding import SEVERITIES, Finding
from bench.audit.losses import loss_units
from bench.audit.ranking import Ranking, rankings
from bench.audit.runs import frozen_training, single_runs, unequal_epochs, unreached_milestones
from bench.reference.loader import load_project2022


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look for.

    Attributes:
        looks_for: what, for people.
        find: what is wrong among all logs.
        judges: whether a log can be judged.
    """

    id: str
    looks_for: str
    find: Callable[[Sequence[RunLog]], Iterator[Finding]]
    judges: Callable[[RunLog], bool] = lambda _log: True


CHECKS: Final = (
    Check("unequal-epochs", "columns of one table with different numbers of epochs",
          unequal_epochs),
    Check("frozen", "training that stops moving", frozen_training, can_freeze_be_seen),
    Check("unreached-milestones", "drops of the learning rate that no run reaches",
          unreached_milestones),
    Check("single-runs", "columns that rest on one run", single_runs),
    Check("labels", "labels that name another network than the code builds", mislabelled_columns),
    Check("parameters", "parameter totals that are not the trained network's", parameter_totals),
    Check("structure", "blocks that differ from the paper's", block_structure),
    Check("resolution", "stages that work on single pixels", tiny_maps),
    Check("loss-units", "losses that are no means per image", loss_units),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one check.

    Attributes:
        judged: runs that can be.
        in_order: of these, runs that no finding concerns.
    """

    check: Check
    judged: int
    in_order: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """All checks of one set of logs.

    Attributes:
        rankings: what each table shows once its columns are compared after equally many epochs.
    """

    runs: int
    results: tuple[Result, ...]
    rankings: tuple[Ranking, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of all checks, the gravest first."""
        found = [finding for result in self.results for finding in result.findings]
        return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))


def audit(logs: Sequence[RunLog]) -> Audit:
    logs = sorted(logs, key=lambda log: (log.dataset, log.recipe, log.depth, log.name))
    results = tuple(_result(check, logs) for check in CHECKS)
    return Audit(runs=len(logs), results=results, rankings=rankings(logs))


@cache
def audit_project2022() -> Audit:
    return audit(run_logs(load_project2022()))


def _result(check: Check, logs: Sequence[RunLog]) -> Result:
    findings = tuple(check.find(logs))
    concerned = {log for finding in findings for log in finding.runs}
    judged = [log for log in logs if check.judges(log)]
    in_order = sum(log not in concerned for log in judged)
    return Result(check=check, judged=len(judged), in_order=in_order, findings=findings)
