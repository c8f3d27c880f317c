"""Speed records on disk: ``<folder>/<workload id>.json``, and ``machine.json``. No torch here."""

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from bench.records.schema import Stored
from bench.records.speed import SCHEMA_VERSION, Limits, SpeedRecord
from bench.records.store import write_atomic
from resnet_models.text import readable

SPEED: Final = "speed"
"""Folder of the speed records, beside that of the cells' records."""
MACHINE_FILE: Final = "machine.json"
BLOCKS_FILE: Final = "blocks.json"
"""What pytest-benchmark writes there; ``block_times`` reads it."""


def save_speed(folder: Path, record: SpeedRecord) -> Path:
    """Store ``record`` under the id of its workload and return its file.

    Raises:
        StorageError: the folder cannot be written to or the disk is full.
    """
    return _save(folder / f"{record.workload.id}.json", record)


def save_limits(folder: Path, limits: Limits) -> Path:
    """Store what the machine can do at most, beside its speed records, and return the file.

    Raises:
        StorageError: the folder cannot be written to or the disk is full.
    """
    return _save(folder / MACHINE_FILE, limits)


def load_speed(folder: Path) -> tuple[list[SpeedRecord], Limits | None, list[str]]:
    """Every valid speed record in ``folder``, ordered by id, and the machine's limits.

    And what is wrong with the other files: a damaged one never hides the good ones.
    """
    records: list[SpeedRecord] = []
    limits: Limits | None = None
    problems: list[str] = []
    for path in sorted(folder.glob("*.json")):
        if path.name == BLOCKS_FILE:
            continue
        try:
            content = path.read_bytes()
            if path.name == MACHINE_FILE:
                limits = Limits.model_validate_json(content)
                continue
            record = SpeedRecord.model_validate_json(content)
        except OSError as error:
            why = error.strerror or str(error)
        except ValidationError as error:
            why = _first(error)
        else:
            if record.workload.id == path.stem:
                records.append(record)
                continue
            why = f"it is that of {record.workload.id}"
        problems.append(
            f"{path} is not a valid speed record: {why}. Delete it, and python -m bench speed "
            "measures it again."
        )
    return records, limits, problems


def _save(path: Path, stored: Stored) -> Path:
    write_atomic(path, stored.model_dump_json(indent=1) + "\n")
    return path


def _first(error: ValidationError) -> str:
    """What is wrong; another schema version explains whatever else does not fit."""
    problems = error.errors()
    for each in problems:
        if each["loc"] == ("schema_version",) and each["type"] == "literal_error":
            version = readable(str(each["input"]))
            return f"it has schema version {version}, this program reads {SCHEMA_VERSION}"
    return ": ".join([*(readable(str(part)) for part in problems[0]["loc"]), problems[0]["msg"]])
