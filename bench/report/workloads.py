"""Speed records -> what the page shows of them. Rounding is left to the template. No torch here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.analysis.speed import limits_line, notes, summarize, unusual, work_title
from bench.records.schema import Environment
from bench.records.speed import Limits, SpeedRecord
from bench.report.figures.chart import Chart
from bench.report.figures.roofline import roofline_charts
from bench.report.results import rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What the page shows.

    Attributes:
        groups: rows of ``summary.summarize`` by title, a missing number as None.
        records: by the id of their row.
        limits: one sentence.
        notes: failures, warnings and contradictions.
    """

    groups: dict[str, list[dict[Any, Any]]]
    records: dict[str, SpeedRecord]
    limits: str | None
    notes: list[str]
    charts: list[Chart]
    machines: list[Environment]


def section(records: Sequence[SpeedRecord], limits: Limits | None) -> Section:
    """The section of at least one record."""
    summary = summarize(records, limits)
    order = ["direction", "precision", "batch_size", "depth", "stem"]
    ordered = summary.sort_values(order, ascending=[False, True, False, True, True])
    groups: dict[str, list[dict[Any, Any]]] = {}
    for row in rows(ordered):
        usual = work_title(row["direction"], row["precision"], row["batch_size"])
        groups.setdefault(", ".join([usual, *unusual(row)]), []).append(row)
    return Section(
        groups=groups,
        records={record.workload.id: record for record in records},
        limits=limits_line(limits) if limits else None,
        notes=notes(records, limits),
        charts=roofline_charts(summary, limits),
        machines=list(dict.fromkeys(record.environment for record in records)),
    )
