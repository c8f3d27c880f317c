"""Records on disk: ``<folder>/<cell id>/record.json``, ``epochs.jsonl`` and ``predictions.npy``.

No torch here. Evaluations of checkpoints are one file each, ``<folder>/<evaluation id>.json``.
"""

import hashlib
import json
import os
import tempfile
from pathlib import Path

from pydantic import ValidationError

from bench.config.cell import Cell
from bench.errors import BenchError, StorageError
from bench.records import predictions as predictions_file
from bench.records.evaluations import Evaluation
from bench.records.migrate import READABLE_VERSIONS, to_current
from bench.records.predictions import Classes
from bench.records.schema import Record

KNOWN = ", ".join(map(str, READABLE_VERSIONS))
RECORD_FILE = "record.json"
EPOCHS_FILE = "epochs.jsonl"
PREDICTIONS_FILE = "predictions.npy"
EVALUATIONS = "evaluations"
"""Folder of the evaluations, beside that of the records."""


def write_atomic(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` whole or not at all, durably.

    Raises:
        StorageError: the folder cannot be written to or the disk is full.
    """
    _replace({path: text.encode()})


def _replace(contents: dict[Path, bytes], kept: str = "; finished cells are kept") -> None:
    """Write every file beside its target first, then rename them all: a full disk changes none."""
    staged: dict[Path, Path] = {}
    path = next(iter(contents))
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=path.parent, prefix=f".{path.name}-", delete=False
            ) as file:
                staged[path] = Path(file.name)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # Temporary files are private; results are as readable as any other file.
            staged[path].chmod(0o644)
        for path, temporary in staged.items():
            temporary.replace(path)
    except OSError as error:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}. "
            f"Free some space or name another folder with --out{kept}."
        ) from error


def save(folder: Path, record: Record, predictions: bytes | None = None) -> Path:
    """Store ``record`` under its cell id, with the predictions it names, and return its folder.

    record.json goes last, as the sign that the cell is whole, and holds the hashes of the others: a
    process killed between two renames cannot leave a mixture that passes for a record.
    """
    cell_folder = folder / record.cell.id
    epochs = "".join(epoch.model_dump_json() + "\n" for epoch in record.epochs).encode()
    content = record.model_dump(mode="json", exclude={"epochs"})
    content["epochs_sha256"] = _sha256(epochs)
    text = json.dumps(content, indent=1) + "\n"
    files = {cell_folder / EPOCHS_FILE: epochs, cell_folder / RECORD_FILE: text.encode()}
    if predictions is not None:
        assert record.predictions is not None
        files = {cell_folder / PREDICTIONS_FILE: predictions, **files}
    _replace(files)
    if predictions is None:
        (cell_folder / PREDICTIONS_FILE).unlink(missing_ok=True)  # of the record that was replaced
    return cell_folder


def load_predictions(folder: Path, record: Record) -> Classes | None:
    """Predicted and true classes (2, images) of ``record``'s network; None where it has none.

    Raises:
        BenchError: the file is missing or is not the one that was written with the record.
    """
    if record.predictions is None:
        return None
    path = folder / record.cell.id / PREDICTIONS_FILE
    try:
        return predictions_file.decode(path.read_bytes(), record.predictions.sha256)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BenchError(f"cannot read {path}: {reason}. Run its cell again.") from error


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
        epochs = (cell_folder / EPOCHS_FILE).read_bytes()
        if not isinstance(content, dict):
            raise BenchError(f"{path} does not hold a record (a JSON object). {remedy}")
        version = content.get("schema_version")
        if version not in READABLE_VERSIONS:
            raise BenchError(
                f"{path} has schema version {version!r}, this program reads {KNOWN}. {remedy}"
            )
        if content.pop("epochs_sha256", None) != _sha256(epochs):
            raise BenchError(
                f"{cell_folder / EPOCHS_FILE} does not belong to the {RECORD_FILE} beside it. "
                f"{remedy}"
            )
        content, content["epochs"] = to_current(
            content, [json.loads(line) for line in epochs.splitlines()]
        )
        record = Record.model_validate_json(json.dumps(content))
    except OSError as error:
        raise BenchError(f"cannot read {error.filename}: {error.strerror}. {remedy}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BenchError(
            f"{path} is not a valid record: {where}: {first['msg']}. {remedy}"
        ) from error
    except (ValueError, RecursionError) as error:  # JSON or UTF-8
        raise BenchError(f"{path} or its {EPOCHS_FILE} is damaged: {error}. {remedy}") from error
    if record.cell.id != cell_folder.name:
        raise BenchError(f"{path} is the record of {record.cell.id}, not of its folder. {remedy}")
    return record


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


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


def prepare_evaluations(folder: Path) -> None:
    """Make ``folder`` and try to write to it, so that a long evaluation is not in vain.

    Raises:
        BenchError: it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BenchError(
            f"cannot write to {folder}: {error.strerror or error}. Name another folder with --out."
        ) from error


def save_evaluation(folder: Path, evaluation: Evaluation) -> Path:
    """Store ``evaluation`` under its id and return its file.

    Raises:
        StorageError: the folder cannot be written to or the disk is full.
    """
    path = folder / f"{evaluation.id}.json"
    _replace({path: (evaluation.model_dump_json(indent=1) + "\n").encode()}, kept="")
    return path


def load_evaluations(folder: Path) -> tuple[list[Evaluation], list[str]]:
    """Every valid evaluation in ``folder``, ordered by id, and what is wrong with the others."""
    evaluations: list[Evaluation] = []
    problems: list[str] = []
    for path in sorted(folder.glob("*.json")):
        try:
            evaluation = Evaluation.model_validate_json(path.read_bytes())
        except OSError as error:
            why = error.strerror or str(error)
        except ValidationError as error:
            first = error.errors()[0]
            why = ": ".join([*(str(part) for part in first["loc"]), first["msg"]])
        else:
            if evaluation.id == path.stem:
                evaluations.append(evaluation)
                continue
            why = f"it is that of {evaluation.id}"
        problems.append(
            f"{path} is not a valid evaluation: {why}. Delete it and evaluate the checkpoint again."
        )
    return evaluations, problems
