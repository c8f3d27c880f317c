"""Weights that were kept beside a record: found, and proven to be its own. No torch here."""

import hashlib
from pathlib import Path

from bench.errors import BenchError, UsageError
from bench.records import store
from bench.records.schema import Record
from bench.records.store import RECORD_FILE, RUNS, WEIGHTS_FILE
from resnet_models.text import meant, near, readable


def find(results: Path, cell_id: str) -> tuple[Record, Path]:
    """The record of a cell in the results folder ``results``, and the file of its weights.

    Raises:
        UsageError: there is no such record, or it kept no weights.
        BenchError: the record cannot be read, or the file is not the one that was written with it.
    """
    runs = results / RUNS
    there = sorted(path.parent.name for path in runs.glob(f"*/{RECORD_FILE}"))
    if cell_id not in there:
        hint = meant(near(cell_id, there)) if there else ""
        raise UsageError(
            f"--record {readable(cell_id)}: there is no such record in {runs}{hint}; a record is "
            "named as its folder"
        )
    record = store.load(runs / cell_id)
    if record.weights is None:
        raise UsageError(
            f"--record {cell_id}: no weights were kept with it. Run its cell again with --fresh, "
            "without --no-weights, in another profile than smoke."
        )
    path = runs / cell_id / WEIGHTS_FILE
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BenchError(f"cannot read {path}: {error.strerror}. Run its cell again.") from error
    if sha256 != record.weights.sha256:
        raise BenchError(
            f"{path} is not what was written with its record: its hash is {sha256[:12]}…, that in "
            f"the record {record.weights.sha256[:12]}…. Run its cell again."
        )
    return record, path
