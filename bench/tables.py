"""Records -> tidy DataFrames. Accuracies are percent, losses mean cross-entropy per image.

Nothing is rounded here and no torch is imported. A cell that failed or never ran keeps its row: its
numbers are NaN and ``status`` says why.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from bench.records import EpochRecord, Record, Speed
from bench.reference.loader import dataset_title, load_paper, load_project2022

# A group of cells that differ in depth and seed only, so that their numbers may be compared.
VARIANT: Final = ["dataset", "lineage", "stem", "recipe"]
NOT_RUN: Final = "not run"
# Budgets closer than this (relative) count as equal.
BUDGET_TOLERANCE: Final = 0.02

_IDENTITY: Final = ["cell_id", "depth", *VARIANT, "panel", "seed"]
_BUDGET: Final = ["epochs", "images", "passes"]
_SCORES: Final = ["train_accuracy", "train_loss", "test_accuracy", "test_loss"]
_INTERVAL: Final = ["test_low", "test_high"]
_TRAINING: Final = ["training_images_per_second", "training_low", "training_high"]
_INFERENCE: Final = ["inference_images_per_second", "inference_low", "inference_high"]
_LATENCY: Final = ["latency_ms", "latency_low", "latency_high"]
_SPEED: Final = [*_TRAINING, *_INFERENCE, *_LATENCY, "inference_batch_size", "speed_samples"]
_MEMORY: Final = ["peak_memory_bytes", "peak_memory_source"]
_COST: Final = ["parameters", "macs", "table1_parameters", "table1_macs"]
_RUN: Final = ["status", "reason", "precision", "device", "batch_size", "train_seconds"]
_TEST: Final = [*_INTERVAL, "test_images"]
_SUMMARY: Final = [*_IDENTITY, *_RUN, *_BUDGET, *_SCORES, *_TEST, *_SPEED, *_MEMORY, *_COST]
_SEEDS: Final = ["cell_ids", "status", "seeds", "test_min", "test_max"]
_GRID: Final = ["depth", *VARIANT, *_SEEDS, *_BUDGET, *_SCORES, *_TEST]
_CURVES: Final = [*_IDENTITY, "epoch", "images", *_SCORES]


def wilson_interval(accuracy: float, images: float) -> tuple[float, float]:
    """95 % interval, in percent, of an ``accuracy`` in percent measured on ``images`` images.

    It covers the noise of a finite test set only, not that of seeds, recipes or machines.
    """
    correct = round(accuracy / 100 * images)
    interval = binomtest(correct, int(images)).proportion_ci(0.95, method="wilson")
    return 100 * float(interval.low), 100 * float(interval.high)


def difference_interval(
    ours: float, our_images: float, theirs: float, their_images: float
) -> tuple[float, float]:
    """95 % interval, in points, of ours minus theirs, two accuracies in percent.

    Newcombe's hybrid of two Wilson intervals (Statistics in Medicine 17, 1998, method 10): the test
    set noise of both, as if they were tested on different images.
    """
    our_low, our_high = wilson_interval(ours, our_images)
    their_low, their_high = wilson_interval(theirs, their_images)
    difference = ours - theirs
    below = math.hypot(ours - our_low, their_high - theirs)
    above = math.hypot(our_high - ours, theirs - their_low)
    return difference - below, difference + above


def unequal_conditions(records: Sequence[Record]) -> list[str]:
    """What differs between cells of one data set that should differ in depth and seed alone."""
    problems = []
    for dataset in sorted({record.cell.dataset for record in records}):
        conditions: dict[str, set[str]] = {}
        for record in records:
            if record.cell.dataset != dataset:
                continue
            values = {name: str(value) for name, value in record.recipe.model_dump().items()}
            values |= {"device": record.environment.device_name, "precision": record.precision}
            values |= {"PyTorch": record.environment.torch}
            for name, value in values.items():
                conditions.setdefault(name.replace("_", " "), set()).add(value)
        differing = [
            f"{name} ({', '.join(sorted(values))})"
            for name, values in conditions.items()
            if len(values) > 1
        ]
        if differing:
            problems.append(f"The {dataset_title(dataset)} cells differ in {'; '.join(differing)}.")
    return problems


def summarize(records: Sequence[Record]) -> pd.DataFrame:
    """One row per record: what a reader compares, derived from the raw values."""
    rows = [_summary_row(record) for record in records]
    frame = _with_panels(pd.DataFrame(rows, columns=_SUMMARY))
    return frame.sort_values([*VARIANT, "depth", "seed"], ignore_index=True)


def curves(records: Sequence[Record]) -> pd.DataFrame:
    """One row per finished epoch of every record; ``images`` counts training images seen so far."""
    rows = []
    for record in records:
        images = 0
        for epoch in record.epochs:
            images += epoch.train_images
            rows.append(_identity(record) | _scores(epoch) | {"images": images})
    return _with_panels(pd.DataFrame(rows, columns=_CURVES))


def grid_table(summary: pd.DataFrame) -> pd.DataFrame:
    """One row per (data set, depth, variant): ours averaged over seeds beside the 2022 project's.

    ``difference`` is ours minus theirs in points of test accuracy, ``within_noise`` whether the
    noise of the two test sets alone could make it; ``equal_budget`` says whether both saw equally
    many training images. ``theirs_*`` are NaN where they have no such cell.
    """
    groups = summary.groupby([*VARIANT, "depth"], sort=True)
    ours = pd.DataFrame([_grid_row(group) for _, group in groups], columns=_GRID)
    theirs = pd.DataFrame([cell.model_dump() for cell in load_project2022().cells()])
    theirs = theirs.rename(columns=lambda name: f"theirs_{name}").rename(
        columns={"theirs_dataset": "dataset", "theirs_depth": "depth"}
    )
    keys = ["dataset", "depth"]
    grid = theirs.merge(ours.astype({"depth": "int64"}), on=keys, how="outer", sort=True)
    grid["status"] = grid["status"].fillna(NOT_RUN)
    grid["difference"] = grid["test_accuracy"] - grid["theirs_test_accuracy"]
    grid["within_noise"] = [
        math.isfinite(row["difference"]) and _within_noise(row) for row in grid.to_dict("records")
    ]
    ratio = grid["images"] / grid["theirs_images"]
    grid["equal_budget"] = (ratio - 1).abs() <= BUDGET_TOLERANCE
    return grid


def _within_noise(row: dict[Any, Any]) -> bool:
    low, high = difference_interval(
        row["test_accuracy"],
        row["test_images"],
        row["theirs_test_accuracy"],
        row["theirs_test_images"],
    )
    return low <= 0 <= high


def table1(summary: pd.DataFrame) -> pd.DataFrame:
    """Table 1: measured parameters and MACs beside the printed FLOPs, a row per depth and lineage.

    ``difference_percent`` is measured MACs against the printed value, ``expected_*`` the exact
    count of the lineage (that of the paper where nothing ran).
    """
    paper = load_paper()
    keys = ["depth", "lineage"]
    measured = summary.dropna(subset=["table1_macs"]).drop_duplicates(keys)
    measured = measured[[*keys, "cell_id", "table1_parameters", "table1_macs"]]
    printed = pd.DataFrame(
        {"depth": depth} | column.model_dump()
        for depth, column in paper.tables.table1.depths.items()
    )
    table = printed.merge(measured.astype({"depth": "int64"}), on="depth", how="left")
    lineages = table["lineage"].fillna("paper")
    expected = [
        paper.cost(depth, lineage) for depth, lineage in zip(table["depth"], lineages, strict=True)
    ]
    table["expected_parameters"] = [cost.params for cost in expected]
    table["expected_macs"] = [cost.macs_total for cost in expected]
    table["difference_percent"] = 100 * (table["table1_macs"] / table["flops_printed"] - 1)
    return table.sort_values(keys, ignore_index=True)


def _identity(record: Record) -> dict[str, object]:
    """What names a record, without the schema's nesting."""
    cell = record.cell
    return cell.model_dump() | {"cell_id": cell.id, "depth": cell.depth}


def _with_panels(frame: pd.DataFrame) -> pd.DataFrame:
    """Fill ``panel``: the data set's title, with the variant where there are several of them."""
    several = frame[VARIANT].drop_duplicates().groupby("dataset").size() > 1
    rows: list[dict[Any, Any]] = frame[VARIANT].to_dict("records")
    frame["panel"] = [_panel(**row, several=several[row["dataset"]]) for row in rows]
    return frame


def _panel(*, dataset: str, lineage: str, stem: str, recipe: str, several: bool) -> str:
    title = dataset_title(dataset)
    return f"{title} · {lineage} · {stem} stem · {recipe}" if several else title


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
        "precision": record.precision,
        "device": record.environment.device_name,
        "batch_size": record.recipe.batch_size,
        "epochs": len(record.epochs),
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
    if record.cost is not None:
        row |= record.cost.model_dump(exclude={"input_shape"})
    if record.speed is not None:
        row |= _speed_columns(record.speed)
    if record.peak_memory is not None:
        row["peak_memory_bytes"] = record.peak_memory.size_bytes
        row["peak_memory_source"] = record.peak_memory.source
    return row


def _speed_columns(speed: Speed) -> dict[str, float]:
    """Medians with their quartiles; a rate's low quartile is the time's high one."""
    train = _quartiles(speed.train_step_seconds)
    inference = _quartiles(speed.inference_batch_seconds)
    latency = 1000 * _quartiles(speed.latency_seconds)
    return {
        "training_high": speed.batch_size / train[0],
        "training_images_per_second": speed.batch_size / train[1],
        "training_low": speed.batch_size / train[2],
        "inference_batch_size": speed.inference_batch_size,
        "inference_high": speed.inference_batch_size / inference[0],
        "inference_images_per_second": speed.inference_batch_size / inference[1],
        "inference_low": speed.inference_batch_size / inference[2],
        "latency_low": latency[0],
        "latency_ms": latency[1],
        "latency_high": latency[2],
        "speed_samples": len(speed.train_step_seconds),
    }


def _quartiles(seconds: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if not seconds:
        return np.full(3, np.nan)
    return np.asarray(np.quantile(seconds, [0.25, 0.5, 0.75]), dtype=np.float64)


def _grid_row(group: pd.DataFrame) -> dict[str, object]:
    """Seeds of one cell: means over those that finished, the reason where one did not."""
    done = group[group["status"] == "completed"]
    first = group.iloc[0]
    row: dict[str, object] = {name: first[name] for name in ["depth", *VARIANT]}
    row |= {"cell_ids": list(group["cell_id"]), "seeds": len(done), "status": _status(group, done)}
    if done.empty:
        return row
    row |= {name: done[name].mean() for name in [*_SCORES, *_BUDGET]}
    images = done["test_images"].min()
    low, high = wilson_interval(done["test_accuracy"].mean(), images)
    row |= {"test_low": low, "test_high": high, "test_images": images}
    return row | {"test_min": done["test_accuracy"].min(), "test_max": done["test_accuracy"].max()}


def _status(group: pd.DataFrame, done: pd.DataFrame) -> str:
    failed = group[group["status"] == "failed"]
    if failed.empty:
        return "completed"
    failure = f"failed: {failed.iloc[0]['reason'] or 'no reason was recorded'}"
    return f"{len(done)} of {len(group)} seeds completed; {failure}" if len(done) else failure
