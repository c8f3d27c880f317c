"""JSON Schema of the files that this version writes, from the models that write them. No torch.

Each is committed as ``docs/schemas/NAME.schema.json``.
"""

from collections.abc import Callable
from typing import Any, Final

from bench.records.evaluations import Evaluation
from bench.records.schema import EpochRecord, Record, Stored
from bench.records.speed import SpeedRecord
from bench.report.summaries import Summary

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def _of(model: type[Stored], file: str) -> Schema:
    found = model.model_json_schema(mode="serialization")
    return {"$schema": DIALECT, **found, "description": f"{found['description']}\n\nFile: {file}"}


def _record() -> Schema:
    """As it is stored: epochs are a file of their own, which it holds the hash of."""
    found = _of(Record, "runs/<cell id>/record.json in a results folder")
    del found["properties"]["epochs"], found["$defs"]["EpochRecord"]
    sha256 = {"type": "string", "pattern": "^[0-9a-f]{64}$", "title": "Epochs Sha256"}
    found["properties"]["epochs_sha256"] = sha256 | {"description": "of epochs.jsonl beside it"}
    required = ["epochs_sha256" if name == "epochs" else name for name in found["required"]]
    return found | {"required": required}


SCHEMAS: Final[dict[str, Callable[[], Schema]]] = {
    "record": _record,
    "epoch": lambda: _of(
        EpochRecord,
        "a line of runs/<cell id>/epochs.jsonl. A loss that is not finite is written as NaN or "
        "Infinity, which Python reads and JSON does not know.",
    ),
    "workload": lambda: _of(SpeedRecord, "speed/<workload id>.json in a results folder"),
    "evaluation": lambda: _of(Evaluation, "evaluations/<id>.json in a results folder"),
    "summary": lambda: _of(Summary, "summary.json beside the page"),
}
"""What a file holds -> its schema."""
