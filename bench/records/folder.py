"""The one reader of a results folder: all that it holds, and what is wrong with the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UsageError
from bench.records import blocks, store
from bench.records.blocks import BlockTimes
from bench.records.evaluations import Evaluation
from bench.records.schema import Record
from bench.records.speed import Limits, SpeedRecord
from bench.records.store import RUNS, SPEED


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All that could be read of one folder, and what is wrong with the rest."""

    folder: Path  # holds evaluations and speed, and nearly always the cells too
    runs: Path  # holds the cells' records
    cells: Sequence[Record]
    workloads: Sequence[SpeedRecord] = ()
    limits: Limits | None = None
    evaluations: Sequence[Evaluation] = ()
    blocks: BlockTimes | None = None
    damaged_cells: Sequence[str] = ()
    damaged_workloads: Sequence[str] = ()
    damaged_others: Sequence[str] = ()

    @property
    def contents(self) -> str:
        """``10 cells, 2 workloads`` or ``nothing``, for people."""
        counts = {"cell": self.cells, "workload": self.workloads, "evaluation": self.evaluations}
        words = [
            f"{len(records)} {what}{'s' if len(records) > 1 else ''}"
            for what, records in counts.items()
            if records
        ]
        return ", ".join(words) or "nothing"

    @property
    def holds_records(self) -> bool:
        return bool(self.cells or self.workloads or self.evaluations)

    @property
    def problems(self) -> list[str]:
        return [*self.damaged_cells, *self.damaged_workloads]


def read_beside(runs: Path) -> Results:
    """Everything in ``runs``, a folder of cells' records, and in the results folder around it."""
    folder = runs.parent
    cells, damaged_cells = store.load_all(runs)
    workloads, limits, damaged_workloads = store.load_speed(folder / SPEED)
    evaluations, damaged_evaluations = store.load_evaluations(folder / store.EVALUATIONS)
    times, damaged_blocks = blocks.find(folder)
    return Results(
        folder=folder,
        runs=runs,
        cells=cells,
        workloads=workloads,
        limits=limits,
        evaluations=evaluations,
        blocks=times,
        damaged_cells=damaged_cells,
        damaged_workloads=damaged_workloads,
        damaged_others=damaged_evaluations + damaged_blocks,
    )


def read(folder: Path) -> Results:
    """Everything in the results folder ``folder``, which holds something to compare.

    Raises:
        UsageError: there is no such folder, or no record of a cell or workload can be read.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder; name two results folders")
    results = read_beside(folder / RUNS)
    if not (results.cells or results.workloads):
        found = " ".join(results.problems) or f"neither {RUNS}/ nor {SPEED}/ in it holds any."
        raise UsageError(
            f"{folder} holds no record that can be read: {found} "
            f"python -m bench run --out {folder} makes some, and so does python -m bench speed."
        )
    return results
