"""Speed on the terminal: a table, then what to think of it. Rounding and wording only. No torch."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from bench.analysis.speed import PHASES, best_batches, limits_line, notes, summarize, unusual
from bench.cli.terminal import plain_table, wide
from bench.formats import significant, size
from bench.records.speed import Limits, SpeedRecord

COLUMNS = [
    "Network", "Stem", "Direction", "Batch", "Precision", "Images/s", "Quartiles", "p50, ms",
    "p95, ms", "p99, ms", "GFLOP/s", "Of the limit", "Memory", "Data, fwd, bwd, opt",
]  # fmt: skip


def show(records: Sequence[SpeedRecord], limits: Limits | None, *, sweep: bool) -> None:
    """All of ``records``; after a sweep the best batch sizes too; limits and warnings."""
    frame = summarize(records, limits)
    _show_table(frame)
    if sweep:
        wide.print("\nThe batch size with the highest throughput:", style="bold")
        _show_table(best_batches(frame))
    if limits:
        wide.print(f"\n{limits_line(limits)}")
    for line in notes(records, limits):
        wide.print(line)


def _show_table(frame: pd.DataFrame) -> None:
    table = plain_table(COLUMNS, "lllrlrrrrrrrrl")
    for row in frame.to_dict("records"):
        table.add_row(*_cells(row))
    wide.print(table)


def _cells(row: dict[Any, Any]) -> list[str]:
    name = ", ".join([row["model"], *unusual(row)])
    start = [name, row["stem"], row["direction"], str(row["batch_size"]), row["precision"]]
    if not row["samples"]:
        return [*start, "failed"]
    quartiles = [significant(row[f"images_per_second_{name}"]) for name in ("q1", "q3")]
    return [
        *start,
        significant(row["images_per_second"]),
        "–".join(quartiles),
        *(significant(row[f"latency_{name}_ms"]) for name in ("p50", "p95", "p99")),
        significant(row["operations_per_second"] / 1e9),
        _percent(row["limit_share"]),
        size(None if pd.isna(row["peak_memory_bytes"]) else row["peak_memory_bytes"]),
        ", ".join(_percent(row[f"{phase}_share"]) for phase in PHASES)
        if pd.notna(row["data_share"])
        else "–",
    ]


def _percent(share: float) -> str:
    return "–" if pd.isna(share) else f"{share:.0%}"
