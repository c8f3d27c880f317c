"""Records on disk: ``<folder>/<cell id>/record.json`` and ``epochs.jsonl``. No torch here."""

import json
import os
import tempfile
from pathlib import Path

from pydantic import ValidationError

from bench.errors import BenchError
from bench.records import SCHEMA_VERSION, Cell, Record

RECORD_FILE = "record.json"
EPOCHS_FILE = "epochs.jsonl"


def write_atomic(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` whole or not at all, durably.

    Raises:
        BenchError: the folder cannot be written to or the disk is full.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}-", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # Temporary files are private; results are as readable as any other file.
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise BenchError(
            f"cannot write {path}: {error.strerror or error}. "
            "Free some space or name another folder with --out; finished cells are kept."
        ) from error


def save(folder: Path, record: Record) -> Path:
    """Store ``record`` under its cell id and return its folder.

    The epochs go first: a record.json is the sign that the cell is whole.
    """
    cell_folder = folder / record.cell.id
    lines = [epoch.model_dump_json() + "\n" for epoch in record.epochs]
    write_atomic(cell_folder / EPOCHS_FILE, "".join(lines))
    text = record.model_dump_json(indent=1, exclude={"epochs"}) + "\n"
    write_atomic(cell_folder / RECORD_FILE, text)
    return cell_folder


def load(cell_folder: Path) -> Record:
    """Read and validate one record.

    Raises:
        BenchError: the files are unreadable, not JSON, of another schema version or incomplete;
            the message names the file and the remedy.
    """
    path = cell_folder / RECORD_FILE
    remedy = f"Delete the folder {cell_folder} and run its cell again."
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        epochs = (cell_folder / EPOCHS_FILE).read_text(encoding="utf-8").splitlines()
        if not isinstance(content, dict):
            raise BenchError(f"{path} does not hold a record (a JSON object). {remedy}")
        version = content.get("schema_version")
        if version != SCHEMA_VERSION:
            raise BenchError(
                f"{path} has schema version {version!r}, this program reads "
                f"{SCHEMA_VERSION}. {remedy}"
            )
        content["epochs"] = [json.loads(line) for line in epochs]
        record = Record.model_validate_json(json.dumps(content))
    except OSError as error:
        raise BenchError(f"cannot read {error.filename}: {error.strerror}. {remedy}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BenchError(
            f"{path} is not a valid record: {where}: {first['msg']}. {remedy}"
        ) from error
    except ValueError as error:  # JSON or UTF-8
        raise BenchError(f"{path} or its {EPOCHS_FILE} is damaged: {error}. {remedy}") from error
    if record.cell.id != cell_folder.name:
        raise BenchError(f"{path} is the record of {record.cell.id}, not of its folder. {remedy}")
    if record.status == "completed" and len(record.epochs) != record.recipe.epochs:
        raise BenchError(
            f"{cell_folder / EPOCHS_FILE} holds {len(record.epochs)} of "
            f"{record.recipe.epochs} epochs. {remedy}"
        )
    return record


def find(folder: Path, cell: Cell) -> Record | None:
    """The stored record of ``cell``, or None where it has none yet."""
    cell_folder = folder / cell.id
    return load(cell_folder) if (cell_folder / RECORD_FILE).exists() else None


def load_all(folder: Path) -> tuple[list[Record], list[str]]:
    """Every valid record below ``folder``, ordered by cell id, and what is wrong with the others.

    A damaged record never hides the good ones: its message is for the report and the terminal.
    """
    records: list[Record] = []
    problems: list[str] = []
    for path in sorted(folder.glob(f"*/{RECORD_FILE}")):
        try:
            records.append(load(path.parent))
        except BenchError as error:
            problems.append(str(error))
    return records, problems
