"""The only writer and reader of the files in a results folder. No torch here.

Cells are stored as ``runs/<cell id>/record.json``, ``epochs.jsonl``, ``predictions.npy`` and
``weights.safetensors``; evaluations as ``evaluations/<id>.json`` and ``.npy``; workloads as
``speed/<id>.json``, with what the machine can do at most in ``speed/machine.json``. What is read
back is complete and proven to be what was written, or named with what is wrong.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from bench.config.cell import Cell
from bench.errors import BenchError
from bench.records.classes import Classes, decode, encode
from bench.records.evaluations import Evaluation
from bench.records.migrate import READABLE_VERSIONS, to_current
from bench.records.schema import Predictions, Record, Weights
from bench.records.speed import Limits, SpeedRecord
from bench.records.writing import write_files
from resnet_models.text import readable

RUNS: Final = "runs"
EVALUATIONS: Final = "evaluations"
SPEED: Final = "speed"
"""Folders in a results folder."""

RECORD_FILE: Final = "record.json"
EPOCHS_FILE: Final = "epochs.jsonl"
PREDICTIONS_FILE: Final = "predictions.npy"
WEIGHTS_FILE: Final = "weights.safetensors"
BLOCKS_FILE: Final = "blocks.json"
"""What pytest-benchmark writes beside the speed records; ``blocks`` reads it."""

# What pydantic calls a dictionary or a tuple where it did not read the file itself.
_IN_JSON: Final = {
    "model_type": "Input should be an object", "tuple_type": "Input should be a valid array",
}  # fmt: skip
Result = TypeVar("Result", Evaluation, SpeedRecord, Limits)


def save(
    folder: Path, record: Record, classes: Classes | None = None, weights: bytes | None = None
) -> Path:
    """Store ``record``, with ``classes`` and a file of ``weights`` where there are any.

    Returns the cell's folder. record.json goes last, as the sign that the cell is whole, and holds
    the hashes of the others: a process killed between two renames cannot leave a mixture that
    passes for a record.
    """
    cell_folder = folder / record.cell.id
    epochs = "".join(epoch.model_dump_json() + "\n" for epoch in record.epochs).encode()
    beside = {PREDICTIONS_FILE: None, WEIGHTS_FILE: weights}
    kept = "; finished cells are kept"
    if classes is not None:
        beside[PREDICTIONS_FILE], named = encode(classes)
        record = record.model_copy(update={"predictions": named})
    if weights is not None:
        told = Weights(size_bytes=len(weights), sha256=_sha256(weights))
        record = record.model_copy(update={"weights": told})
        kept += ", and --no-weights needs less"
    files = {cell_folder / name: content for name, content in beside.items() if content is not None}
    fields = record.model_dump(mode="json", exclude={"epochs"})
    fields["epochs_sha256"] = _sha256(epochs)
    text = json.dumps(fields, indent=1) + "\n"
    files |= {cell_folder / EPOCHS_FILE: epochs, cell_folder / RECORD_FILE: text.encode()}
    write_files(files, kept)
    for name, content in beside.items():
        if content is None:
            (cell_folder / name).unlink(missing_ok=True)  # of the record that was replaced
    return cell_folder


class ForeignRecordError(BenchError):
    """A whole record, but of a newer version, or of a network or recipe that this one has not."""


def load(cell_folder: Path) -> Record:
    """Read and validate one record.

    Raises:
        ForeignRecordError: another version's, and nothing is wrong with it.
        BenchError: unreadable, not JSON, of another schema version or incomplete, with the remedy.
    """
    path = cell_folder / RECORD_FILE
    try:
        return _read(path, cell_folder / EPOCHS_FILE)
    except ForeignRecordError:
        raise
    except BenchError as error:
        why = str(error)
    except OSError as error:
        why = f"cannot read {error.filename}: {error.strerror}"
    except ValidationError as error:
        why = f"{path} is not a valid record: {complaint(error)}"
        if all(_is_foreign(each) for each in error.errors()):
            raise ForeignRecordError(
                f"{path} is of a network or a recipe that this version does not know "
                f"({complaint(error)}). Another version made it, which reads it: it stays."
            ) from None
    except ValueError as error:  # JSON or UTF-8
        why = f"{path} or its {EPOCHS_FILE} is damaged: {error}"
    raise BenchError(f"{why}. Delete the folder {cell_folder} and run its cell again.")


def _is_foreign(problem: ErrorDetails) -> bool:
    """Whether it is a name or a setting that another version may know, and not a damage."""
    where, kinds = problem["loc"][:1], ("value_error", "literal_error", "extra_forbidden")
    return where in (("cell",), ("recipe",)) and problem["type"] in kinds


def _read(path: Path, epochs_path: Path) -> Record:
    content, epochs = from_json(path.read_bytes()), epochs_path.read_bytes()
    if not isinstance(content, dict):
        raise BenchError(f"{path} does not hold a record (a JSON object)")
    version = content.get("schema_version")
    newest = READABLE_VERSIONS[-1]
    if isinstance(version, int) and version > newest:
        raise ForeignRecordError(
            f"{path} has schema version {version}, this program reads up to {newest}. "
            "A newer version of it made the record, and reads it: it stays."
        )
    if version not in READABLE_VERSIONS:
        known = ", ".join(map(str, READABLE_VERSIONS))
        raise BenchError(f"{path} has schema version {version!r}, this program reads {known}")
    if content.pop("epochs_sha256", None) != _sha256(epochs):
        raise BenchError(f"{epochs_path} does not belong to the {RECORD_FILE} beside it")
    lines = [from_json(line) for line in epochs.splitlines()]
    content, content["epochs"] = to_current(content, lines)
    record = Record.model_validate(content)
    if record.cell.id != path.parent.name:
        raise BenchError(f"{path} is the record of {record.cell.id}, not of its folder")
    return record


def find(folder: Path, cell: Cell) -> Record | None:
    """The stored record of ``cell``, or None where it has none yet."""
    cell_folder = folder / cell.id
    return load(cell_folder) if (cell_folder / RECORD_FILE).exists() else None


def load_each(folder: Path, problems: list[str]) -> Iterator[Record]:
    """Every valid record below ``folder``, ordered by cell id; one at a time is in memory.

    What is wrong with the others is added to ``problems``, for the report and the terminal.
    """
    for path in sorted(folder.glob(f"*/{RECORD_FILE}")):
        try:
            yield load(path.parent)
        except BenchError as error:
            problems.append(str(error))


def load_all(folder: Path) -> tuple[list[Record], list[str]]:
    """Every valid record below ``folder``, and what is wrong with the others."""
    problems: list[str] = []
    return list(load_each(folder, problems)), problems


def load_predictions(folder: Path, record: Record) -> Classes | None:
    """Predicted and true classes (2, images) of ``record``'s network; None where it has none.

    Raises:
        BenchError: the file is missing or is not the one that was written with the record.
    """
    path = folder / record.cell.id / PREDICTIONS_FILE
    return _load_classes(path, record.predictions, "Run its cell again.")


def _load_classes(path: Path, named: Predictions | None, remedy: str) -> Classes | None:
    if named is None:
        return None
    try:
        return decode(path.read_bytes(), named.sha256)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BenchError(f"cannot read {path}: {reason}. {remedy}") from error


def prepare_evaluations(folder: Path) -> None:
    """Make ``folder`` and try to write to it, so that long work is not in vain."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BenchError(
            f"cannot write to {folder}: {error.strerror or error}. Name another folder with --out."
        ) from error


def save_evaluation(folder: Path, evaluation: Evaluation, classes: Classes) -> Path:
    """Store ``evaluation`` under its id, with ``classes`` beside it, and return its file.

    Raises:
        StorageError: the two cannot be written; those of an earlier evaluation are kept.
    """
    content, named = encode(classes)
    evaluation = evaluation.model_copy(update={"predictions": named})
    path, text = folder / f"{evaluation.id}.json", evaluation.model_dump_json(indent=1) + "\n"
    write_files({folder / f"{evaluation.id}.npy": content, path: text.encode()}, kept="")
    return path


def load_evaluation_predictions(folder: Path, evaluation: Evaluation) -> Classes | None:
    """Predicted and true classes (2, images) of the chosen score; None in older evaluations.

    Raises:
        BenchError: the file is missing or is not the one that was written with the record.
    """
    path = folder / f"{evaluation.id}.npy"
    return _load_classes(path, evaluation.predictions, "Evaluate the checkpoint again.")


def save_file(folder: Path, result: Evaluation | SpeedRecord | Limits) -> Path:
    """Store ``result`` under its id and return its file; StorageError where it cannot be."""
    path, content = folder / f"{result.id}.json", result.model_dump_json(indent=1) + "\n"
    kept = "" if isinstance(result, Evaluation) else "; finished workloads are kept"
    write_files({path: content.encode()}, kept)
    return path


def load_evaluations(folder: Path) -> tuple[list[Evaluation], list[str]]:
    """Every valid evaluation in ``folder``, ordered by id, and what is wrong with the others."""
    words = "evaluation", "Delete it and evaluate the checkpoint again."
    return _load_files(Evaluation, sorted(folder.glob("*.json")), *words)


def load_speed(folder: Path) -> tuple[list[SpeedRecord], Limits | None, list[str]]:
    """Every valid speed record by id, the machine's limits, and what is wrong with the rest."""
    machine = list(folder.glob("machine.json"))
    paths = sorted({*folder.glob("*.json")} - {*machine, folder / BLOCKS_FILE})
    words = "speed record", "Delete it, and python -m bench speed measures it again."
    limits, problems = _load_files(Limits, machine, *words)
    records, more = _load_files(SpeedRecord, paths, *words)
    return records, limits[0] if limits else None, problems + more


def _load_files(
    kind: type[Result], paths: Iterable[Path], what: str, remedy: str
) -> tuple[list[Result], list[str]]:
    results: list[Result] = []
    problems: list[str] = []
    for path in paths:
        try:
            result = kind.model_validate_json(path.read_bytes())
        except OSError as error:
            why = error.strerror or str(error)
        except ValidationError as error:
            why = complaint(error)
        else:
            if result.id == path.stem:
                results.append(result)
                continue
            why = f"it is that of {result.id}"
        problems.append(f"{path} is not a valid {what}: {why}. {remedy}")
    return results, problems


def complaint(error: ValidationError) -> str:
    """What is wrong; another schema version explains whatever else does not fit."""
    problems = error.errors()
    for each in problems:
        if each["loc"] == ("schema_version",) and each["type"] == "literal_error":
            version, known = readable(str(each["input"])), each["ctx"]["expected"]
            return f"it has schema version {version}, this program reads {known}"
    first = problems[0]
    where, what = ".".join(str(part) for part in first["loc"]), _IN_JSON.get(first["type"])
    return f"{readable(where)}: {what or first['msg']}" if where else first["msg"]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
