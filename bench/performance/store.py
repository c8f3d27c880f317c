"""Speed records on disk: ``<out>/speed/<workload id>.json`` and ``machine.json``. No torch."""

from pathlib import Path
from typing import Final

from bench.performance.records import Limits, SpeedRecord
from bench.store import DamagedError, read, write_atomic

FOLDER: Final = "speed"
MACHINE: Final = "machine.json"


def save_record(folder: Path, record: SpeedRecord) -> None:
    """Store ``record`` under its workload's id, in place of an older one.

    Raises:
        StorageError: the folder cannot be written to or the disk is full.
    """
    write_atomic(folder / f"{record.workload.id}.json", record.model_dump_json(indent=1) + "\n")


def save_limits(folder: Path, limits: Limits) -> None:
    """Store the machine's limits beside the records.

    Raises:
        StorageError: the folder cannot be written to or the disk is full.
    """
    write_atomic(folder / MACHINE, limits.model_dump_json(indent=1) + "\n")


def load_speed(folder: Path) -> tuple[list[SpeedRecord], Limits | None, list[str]]:
    """Every valid record in ``folder`` by id, the machine's limits, what is wrong with the rest."""
    records: list[SpeedRecord] = []
    limits: Limits | None = None
    problems: list[str] = []
    for path in sorted(folder.glob("*.json")):
        try:
            if path.name == MACHINE:
                limits = read(path, Limits)
                continue
            record = read(path, SpeedRecord)
        except DamagedError as error:
            why = str(error)
        else:
            if record.workload.id == path.stem:
                records.append(record)
                continue
            why = f"it is that of {record.workload.id}"
        problems.append(
            f"{path} is not a valid speed record: {why}. Delete it and measure again with "
            "python -m bench speed."
        )
    return records, limits, problems
