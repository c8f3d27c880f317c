"""What a results folder holds: cells in ``runs/``, timed workloads in ``speed/``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.errors import UsageError
from bench.records.schema import Record
from bench.records.speed import Limits, SpeedRecord
from bench.records.speed_store import SPEED, load_speed
from bench.records.store import load_all

RUNS: Final = "runs"


@dataclass(frozen=True, slots=True)
class Results:
    """All that could be read of one folder, and what could not; ``records`` names that of cells."""

    folder: Path
    cells: Sequence[Record]
    workloads: Sequence[SpeedRecord]
    limits: Limits | None
    problems: Sequence[str]
    records: str = RUNS

    @property
    def runs(self) -> Path:
        """Folder of the cells' records."""
        return self.folder / self.records


def read(folder: Path) -> Results:
    """Read everything in ``folder``.

    Raises:
        UsageError: there is no such folder, or nothing in it can be read.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder; name two results folders")
    cells, damaged_cells = load_all(folder / RUNS)
    workloads, limits, damaged_workloads = load_speed(folder / SPEED)
    problems = [*damaged_cells, *damaged_workloads]
    if not (cells or workloads):
        found = " ".join(problems) or f"neither {RUNS}/ nor {SPEED}/ in it holds any."
        raise UsageError(
            f"{folder} holds no record that can be read: {found} "
            f"python -m bench run --out {folder} makes some, and so does python -m bench speed."
        )
    return Results(folder, cells, workloads, limits, problems)
