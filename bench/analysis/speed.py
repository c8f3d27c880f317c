"""Speed records -> one tidy DataFrame: statistics are derived here, never rounded. No torch."""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from bench.analysis.roofline import roof, roof_of, whole, work_of
from bench.formats import significant
from bench.records.schema import Precision
from bench.records.speed import USUAL, Direction, Limits, SpeedRecord, StepSplit, Workload
from resnet_models import MODELS

PHASES: Final = tuple(StepSplit.model_fields)
# Columns that make a workload what it is, all but its batch size.
KIND: Final = [name for name in Workload.model_fields if name != "batch_size"]


def summarize(records: Sequence[SpeedRecord], limits: Limits | None) -> pd.DataFrame:
    """One row per record; NaN where something was not measured.

    Columns: the fields of ``Workload``, ``id``, ``status``, ``reason``, and

    - ``images_per_second`` (median) with ``_q1`` and ``_q3``, ``samples``, ``rounds``;
    - ``round_spread``: the greatest median of a round less the least, as a share of the median;
    - ``latency_p50_ms``, ``_p95_ms``, ``_p99_ms``: of a repetition, a whole batch;
    - ``operations_per_second``, ``intensity`` (operations a byte), ``attainable_per_second`` (by
      the single point of the roofline), ``limit_seconds`` (part by part, of a repetition),
      ``limit_share`` (of that limit, reached);
    - ``data_share``, ``forward_share``, ``backward_share``, ``optimizer_share`` of a split step;
    - ``peak_memory_bytes``, ``joules_per_image``.
    """
    return pd.DataFrame([_row(record, limits) for record in records])


def _row(record: SpeedRecord, limits: Limits | None) -> dict[str, Any]:
    memory = record.peak_memory
    images = len(record.samples) * record.workload.batch_size
    energy = record.energy_joules
    return {
        "id": record.workload.id,
        **record.workload.model_dump(),
        "depth": record.workload.depth,
        "status": record.status,
        "reason": record.reason,
        "parameters": record.parameters,
        "macs": record.macs,
        **_rates(record),
        **_limits(record, limits),
        **_shares(record.split),
        "peak_memory_bytes": memory.size_bytes if memory else math.nan,
        "joules_per_image": energy / images if energy is not None and images else math.nan,
    }


def _rates(record: SpeedRecord) -> dict[str, float]:
    # A failed record may have no sample: statistics of nothing are NaN.
    samples = np.array(record.samples or (math.nan,))
    first, median, third, p95, p99 = np.quantile(samples, [0.25, 0.5, 0.75, 0.95, 0.99])
    medians = [statistics.median(seconds) for seconds in record.rounds if seconds]
    batch = record.workload.batch_size
    return {
        "images_per_second": batch / median,
        "images_per_second_q1": batch / third,
        "images_per_second_q3": batch / first,
        "samples": len(record.samples),
        "rounds": len(medians),
        "round_spread": (max(medians) - min(medians)) / median if medians else math.nan,
        "latency_p50_ms": 1000 * median,
        "latency_p95_ms": 1000 * p95,
        "latency_p99_ms": 1000 * p99,
    }


def _limits(record: SpeedRecord, limits: Limits | None) -> dict[str, float]:
    parts = work_of(record.workload)
    total, roof = whole(parts), roof_of(record, limits)
    seconds = statistics.median(record.samples or (math.nan,))
    least = roof.least_seconds(parts) if roof else math.nan
    return {
        "operations_per_second": total.operations / seconds,
        "intensity": total.intensity,
        "attainable_per_second": roof.attainable(total) if roof else math.nan,
        "limit_seconds": least,
        "limit_share": least / seconds,
    }


def _shares(split: StepSplit | None) -> dict[str, float]:
    medians = {
        name: statistics.median(getattr(split, name)) if split else math.nan for name in PHASES
    }
    total = sum(medians.values())
    return {f"{name}_share": seconds / total for name, seconds in medians.items()}


def best_batches(summary: pd.DataFrame) -> pd.DataFrame:
    """Of each kind of workload the row with the highest median throughput, from ``summarize``."""
    measured = summary[summary["images_per_second"].notna()]
    best = measured.groupby(KIND, sort=False)["images_per_second"].idxmax()
    return measured.loc[best]


def contradictions(records: Sequence[SpeedRecord], limits: Limits | None) -> list[str]:
    """Workloads that do more operations a second than the machine's own limit, in words."""
    found = []
    for record in records:
        roof = roof_of(record, limits)
        if roof is None or not record.samples:
            continue
        operations = whole(work_of(record.workload)).operations
        rate = operations / statistics.median(record.samples)
        if rate > roof.operations_per_second:
            found.append(
                f"{record.workload.id} does {rate / 1e9:.4g} GFLOP/s, more than the machine's "
                f"limit ({roof.operations_per_second / 1e9:.4g}): that was disturbed when it was "
                "measured. Measure again while nothing else runs."
            )
    return found


def work_title(direction: Direction, precision: Precision, batch_size: int) -> str:
    """``Training, float32, 32 images at a time``."""
    images = "one image" if batch_size == 1 else f"{batch_size} images"
    return f"{direction.capitalize()}, {precision}, {images} at a time"


def unusual(row: dict[Any, Any]) -> list[str]:
    """What of the workload in ``row`` of a summary is not as it usually is, in words."""
    published = MODELS[row["model"]].shortcuts[0]
    words = {
        f"lineage {row['lineage']}": row["lineage"] != USUAL.lineage,
        f"option {row['shortcut']}": row["shortcut"] != published,
        f"{row['resolution']}×{row['resolution']} pixels": row["resolution"] != USUAL.resolution,
        row["memory_format"]: row["memory_format"] != USUAL.memory_format,
        "compiled": row["compiled"],
        "captured": row["cuda_graph"],
    }
    return [text for text, holds in words.items() if holds]


def limits_line(limits: Limits) -> str:
    roofs = {precision: roof(limits, precision) for precision in limits.product_seconds}
    rates = [
        f"{significant(found.operations_per_second / 1e9)} GFLOP/s in {precision}"
        for precision, found in roofs.items()
        if found
    ]
    moved = limits.copy_bytes / min(limits.copy_seconds)
    return (
        f"The machine's limits: {', '.join(rates)} (a matrix product or a convolution, whichever "
        f"is faster), {significant(moved / 1e9)} GB/s (copies)."
    )


def notes(records: Sequence[SpeedRecord], limits: Limits | None) -> list[str]:
    """Failures, warnings (each once, with the number of records that have it), contradictions."""
    failed = [f"failed: {each.workload.id}: {each.reason}" for each in records if each.reason]
    counted = Counter(text for record in records for text in record.conditions.warnings)
    warnings = [
        f"warning ({number} of {len(records)} workloads): {text}"
        for text, number in counted.items()
    ]
    return [*failed, *warnings, *(f"problem: {each}" for each in contradictions(records, limits))]
