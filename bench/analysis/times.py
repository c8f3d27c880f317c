"""Time to accuracy: how long training takes until test accuracy reaches a target and keeps it.

Kept means at every later look at test images too, the last one included: an epoch that happens to
be good does not count. Time is that of training, without looks at test images and checkpoints.
Epochs are the finest that records tell, so a target is reached at the end of one. No torch here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from bench.analysis.labels import in_order, model_title
from bench.records.schema import EpochRecord, Record

TARGETS: Final[dict[str, tuple[float, ...]]] = {"cifar10": (90.0, 91.25, 93.0), "mnist": (99.0,)}
"""Percent. 91.25 is what the paper's ResNet-20 has (Table 6), 93 nearly what its ResNet-56 has."""

NEVER: Final = "targets_never_reached"
COLUMNS: Final = [
    *(f"{unit}_to_{target:g}".replace(".", "_") for targets in TARGETS.values()
      for target in targets for unit in ("seconds", "images")),
    NEVER,
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reached:
    """When a cell had a target for good.

    Attributes:
        epoch: at whose end; the first from which on accuracy is never below.
        images: training images seen by then.
        seconds: of training until then.
    """

    epoch: int
    images: int
    seconds: float


def reached(record: Record, target: float) -> Reached | None:
    """When the cell reached ``target`` percent of the test images and kept it; None: never.

    A cell that failed kept nothing.
    """
    epochs = record.epochs if record.final else ()
    since = len(epochs)
    while since and _has(epochs[since - 1], target):
        since -= 1
    if since == len(epochs):
        return None
    until = epochs[: since + 1]
    return Reached(
        epoch=since + 1,
        images=sum(epoch.train_images for epoch in until),
        seconds=sum(epoch.train_seconds for epoch in until),
    )


def _has(epoch: EpochRecord, target: float) -> bool:
    # Decimal fractions are not exact in binary: 0.9125 of 10,000 images are 9,125.
    return 100 * epoch.test_correct >= round(target * epoch.test_images, 6)


def columns(record: Record) -> dict[str, object]:
    """``COLUMNS`` of one record, but for targets that it never reached, which are told in words."""
    row: dict[str, object] = {}
    never = []
    for target in TARGETS.get(record.cell.dataset, ()):
        name = f"{target:g}".replace(".", "_")
        if found := reached(record, target):
            row |= {f"seconds_to_{name}": found.seconds, f"images_to_{name}": found.images}
        else:
            never.append(f"{target:g} %")
    return row | {NEVER: ", ".join(never) or None}


def table(records: Sequence[Record], targets: Sequence[float] = ()) -> pd.DataFrame:
    """A row per record and target, of ``TARGETS`` where none are given.

    Columns: ``cell_id``, ``model`` (as the paper writes it), ``dataset``, ``recipe``, ``seed``,
    ``device``, ``precision``, ``target`` and ``test_accuracy`` at the end in percent, ``outcome``
    (reached, never reached or failed), and ``epoch``, ``images``, ``seconds`` where it is reached.
    """
    rows = []
    for record in in_order(records):
        cell = record.cell
        for target in targets or TARGETS.get(cell.dataset, ()):
            found = reached(record, target)
            outcome = "reached" if found else "never reached" if record.final else "failed"
            rows.append(
                {
                    "cell_id": cell.id,
                    "model": model_title(cell.network, cell.depth),
                    "dataset": cell.dataset,
                    "recipe": cell.recipe,
                    "seed": cell.seed,
                    "device": record.environment.device_name,
                    "precision": record.engine.precision,
                    "target": target,
                    "test_accuracy": 100 * record.final.test_accuracy if record.final else None,
                    "outcome": outcome,
                    "epoch": found.epoch if found else None,
                    "images": found.images if found else None,
                    "seconds": found.seconds if found else None,
                }
            )
    return pd.DataFrame(rows, columns=_TABLE).astype({"epoch": "Int64", "images": "Int64"})


_TABLE: Final = [
    "cell_id", "model", "dataset", "recipe", "seed", "device", "precision", "target",
    "test_accuracy", "outcome", "epoch", "images", "seconds",
]  # fmt: skip
