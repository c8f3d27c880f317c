"""Records -> tidy DataFrames. Accuracies are percent, losses mean cross-entropy per image.

Nothing is rounded here and no torch is imported. A cell that failed or never ran keeps its row: its
numbers are NaN and ``status`` says why.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from bench.analysis import times
from bench.analysis.labels import in_order, network_title
from bench.analysis.networks import live
from bench.config.recipe import WARMUP
from bench.data.datasets import SPECS
from bench.records.pace import pace_problem
from bench.records.schema import EpochRecord, Record, Speed
from bench.reference.loader import dataset_title, load_project2022
from bench.stats import wilson_interval

# A group of cells that differ in depth and seed only, so that their numbers may be compared.
# ``network`` is the model's name without its depth.
VARIANT: Final = ["dataset", "network", "lineage", "stem", "shortcut", "recipe"]
_WORDING: Final = {
    "lineage": "lineage {}",
    "stem": "{} stem",
    "shortcut": "shortcut {}",
    "recipe": "{}",
}

IDENTITY: Final = ["cell_id", "depth", *VARIANT, "variant", "panel", "seed"]
BUDGET: Final = ["epochs", "steps", "images", "passes", "batch_size"]
SCORES: Final = ["train_accuracy", "train_loss", "test_accuracy", "test_loss"]
# Of the final weights, on the images of the last epoch as they are; missing in older records.
CLEAN: Final = ["clean_train_accuracy", "clean_train_loss", "clean_train_images"]
_TRAINING: Final = ["training_images_per_second", "training_low", "training_high"]
_INFERENCE: Final = ["inference_images_per_second", "inference_low", "inference_high"]
_LATENCY: Final = ["latency_ms", "latency_low", "latency_high"]
_SIZES: Final = ["inference_batch_size", "speed_samples"]
_SPEED: Final = [*_TRAINING, *_INFERENCE, *_LATENCY, *_SIZES, "speed_problem"]
_MEMORY: Final = ["peak_memory_bytes", "peak_memory_source"]
_COST: Final = [
    "parameters",
    "macs",
    "live_parameters",
    "live_macs",
    "table1_parameters",
    "table1_macs",
]
_RUN: Final = ["status", "reason", "precision", "device", "train_seconds"]
TEST: Final = ["test_low", "test_high", "test_images"]
_SUMMARY: Final = [
    *IDENTITY, *_RUN, *BUDGET, *SCORES, *CLEAN, *TEST, *times.COLUMNS, *_SPEED, *_MEMORY, *_COST,
]  # fmt: skip
_CURVES: Final = [*IDENTITY, "epoch", "images", *SCORES, "test_images"]


def summarize(records: Sequence[Record]) -> pd.DataFrame:
    rows = [_summary_row(record) for record in in_order(records)]
    return _with_panels(pd.DataFrame(rows, columns=_SUMMARY))


def curves(records: Sequence[Record]) -> pd.DataFrame:
    """One row per finished epoch of every record; ``images`` counts training images seen so far."""
    rows = []
    for record in in_order(records):
        images = 0
        for epoch in record.epochs:
            images += epoch.train_images
            counted = {"images": images, "test_images": epoch.test_images}
            rows.append(_identity(record) | _scores(epoch) | counted)
    return _with_panels(pd.DataFrame(rows, columns=_CURVES))


def _identity(record: Record) -> dict[str, object]:
    cell = record.cell
    named = {"cell_id": cell.id, "depth": cell.depth, "network": cell.network}
    return cell.model_dump() | named


def _with_panels(frame: pd.DataFrame) -> pd.DataFrame:
    """Fill ``variant``, what tells a cell from others of its data set and network, in words.

    And ``panel``, the title of the group of cells whose depths are drawn together.
    """
    frame["variant"] = [", ".join(words) for words in _differences(frame)]
    drawn = frame.assign(recipe=_series(frame))
    several = frame.groupby("dataset")["network"].nunique() > 1
    frame["panel"] = [
        " · ".join(
            [
                dataset_title(dataset),
                *([network_title(network)] if several[dataset] else []),
                *words,
            ]
        )
        for dataset, network, words in zip(
            frame["dataset"], frame["network"], _differences(drawn), strict=True
        )
    ]
    return frame


def _differences(frame: pd.DataFrame) -> list[list[str]]:
    """For each row the parts of its variant that are not the same for its data set and network."""
    differing = {
        dataset: [name for name in _WORDING if cells.groupby("network")[name].nunique().max() > 1]
        for dataset, cells in frame.groupby("dataset")
    }
    return [
        [_WORDING[name].format(row[name]) for name in differing[row["dataset"]]]
        for row in frame.to_dict("records")
    ]


def _series(frame: pd.DataFrame) -> "pd.Series[str]":
    """Recipes, those with an ErrorWarmup by the name without, if no depth was trained with both.

    Only deep networks need it, and the paper's Figure 6 draws them with the others.
    """
    short = frame["recipe"].str.replace(WARMUP, "")
    cells = frame.assign(short=short).groupby([*VARIANT[:-1], "depth", "short"])["recipe"]
    return short if (cells.nunique() <= 1).all() else frame["recipe"]


def _scores(epoch: EpochRecord) -> dict[str, float]:
    return {
        "epoch": epoch.epoch,
        "train_accuracy": 100 * epoch.train_accuracy,
        "train_loss": epoch.train_loss,
        "test_accuracy": 100 * epoch.test_accuracy,
        "test_loss": epoch.test_loss,
    }


def _summary_row(record: Record) -> dict[str, object]:
    facts = load_project2022().meta.datasets.get(record.cell.dataset)
    images = sum(epoch.train_images for epoch in record.epochs)
    row = _identity(record) | {
        "status": record.status,
        "reason": record.reason,
        "precision": record.engine.precision,
        "device": record.environment.device_name,
        "batch_size": record.recipe.batch_size,
        "epochs": len(record.epochs),
        "steps": sum(epoch.steps for epoch in record.epochs),
        "images": images,
        "passes": images / facts.train_images if facts else np.nan,
        "train_seconds": sum(epoch.train_seconds for epoch in record.epochs),
    }
    if record.final is not None:
        low, high = wilson_interval(100 * record.final.test_accuracy, record.final.test_images)
        row |= _scores(record.final) | {
            "test_images": record.final.test_images,
            "test_low": low,
            "test_high": high,
        }
        row |= times.columns(record)
    if record.clean_training is not None:
        row |= {
            "clean_train_accuracy": 100 * record.clean_training.accuracy,
            "clean_train_loss": record.clean_training.loss,
            "clean_train_images": record.clean_training.images,
        }
    if record.cost is not None:
        row |= record.cost.model_dump(exclude={"input_shape"})
        if record.cell.dataset in SPECS and not record.cell.custom:
            channels, pixels, _ = record.cost.input_shape
            classes = SPECS[record.cell.dataset].classes
            found = live(record.cell.define(in_channels=channels, num_classes=classes), pixels)
            row |= {"live_parameters": found.parameters, "live_macs": found.macs}
    if record.speed is not None:
        row |= _speed_columns(record.speed) | {"speed_problem": pace_problem(record)}
    if record.peak_memory is not None:
        row["peak_memory_bytes"] = record.peak_memory.size_bytes
        row["peak_memory_source"] = record.peak_memory.source
    return row


def _speed_columns(speed: Speed) -> dict[str, float]:
    """Medians with their quartiles; a rate's low quartile is the time's high one."""
    columns: dict[str, float] = {
        "inference_batch_size": speed.inference_batch_size,
        "speed_samples": len(speed.train_step_seconds),
    }
    for name, images, seconds in (
        ("training", speed.batch_size, speed.train_step_seconds),
        ("inference", speed.inference_batch_size, speed.inference_batch_seconds),
    ):
        with np.errstate(over="ignore"):  # of a time next to nothing
            low, median, high = images / _quartiles(seconds)[::-1]
        columns |= {
            f"{name}_low": low,
            f"{name}_images_per_second": median,
            f"{name}_high": high,
        }
    with np.errstate(over="ignore"):
        low, median, high = 1000 * _quartiles(speed.latency_seconds)
    return columns | {"latency_low": low, "latency_ms": median, "latency_high": high}


def _quartiles(seconds: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if not seconds:
        return np.full(3, np.nan)
    return np.asarray(np.quantile(seconds, [0.25, 0.5, 0.75]), dtype=np.float64)
