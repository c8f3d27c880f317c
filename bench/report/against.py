"""What the page shows of another results folder beside its own. Rounding is left to the template.

The other folder is the baseline of the comparison, the page's own the candidate. No torch here.
"""

from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bench.analysis import tables
from bench.analysis.labels import NETWORKS, model_title
from bench.analysis.speed import work_title
from bench.compare.accuracy import QUANTITY
from bench.compare.comparison import Comparison, compare
from bench.compare.finding import VERDICTS, Finding, Kind, Verdict
from bench.compare.tables import notes
from bench.errors import UsageError
from bench.records import store
from bench.records.folder import Results
from bench.records.schema import Record
from bench.records.speed import SpeedRecord, Workload
from bench.records.store import SPEED
from bench.report.figures.chart import Chart
from bench.report.figures.speedups import Row, Rows, speedup_chart
from resnet_models.text import readable

TIMED: Final = {
    "training": "training step",
    "inference": "inference",
    "latency": "latency of one image",
}
"""What is timed of a cell, in the order of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the page shows.

    Attributes:
        name: of the other folder.
        path: of it, as seen from the page.
        problems: what of it could not be read.
        nothing: why nothing was compared; the rest is then empty.
        totals: how many have each verdict.
        notes: what else a reader should know, with what it is about.
        left_out: what was not compared, by the reason.
    """

    name: str
    path: str
    problems: Sequence[str]
    nothing: str = ""
    comparison: Comparison | None = None
    totals: Mapping[Kind, Mapping[Verdict, int]] = field(default_factory=dict)
    accuracy: Rows = field(default_factory=dict)
    speed: Rows = field(default_factory=dict)
    charts: Sequence[Chart] = ()
    notes: Sequence[tuple[str, str]] = ()
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict)


def set_beside(
    this: Results, other: Results, shown: Container[str], path_to: Callable[[Path], str]
) -> Beside:
    """Everything that is alike in both, this run judged beside the other.

    Args:
        shown: ids of the cells that have an entry on the page.
        path_to: a file or folder as seen from the page.
    """
    name, path = readable(other.folder.resolve().name), path_to(other.folder)
    try:
        comparison = compare(other, this)
    except UsageError as error:
        why = str(error)
        nothing = f"{why[0].upper()}{why[1:]}."
        return Beside(name=name, path=path, problems=other.problems, nothing=nothing)

    def link(record: Record | SpeedRecord) -> str:
        """To its entry on the page, or to its file where it has none."""
        if isinstance(record, SpeedRecord):
            return f"#workload-{record.workload.id}"
        cell = record.cell.id
        return f"#cell-{cell}" if cell in shown else quote(path_to(_file(this, record)))

    def row(found: Finding) -> Row:
        first = found.candidate.records[0]
        cell = first.cell if isinstance(first, Record) else first.workload
        return Row(
            network=model_title(cell.network, cell.depth),
            depth=cell.depth,
            found=found,
            links=[link(record) for record in found.candidate.records],
            other_links=[quote(path_to(_file(other, each))) for each in found.baseline.records],
        )

    accuracy, of_cells = _cells(comparison, row)
    of_workloads = _workloads(comparison, row)
    left_out: dict[str, list[str]] = {}
    for each in comparison.left_out:
        left_out.setdefault(each.why, []).append(each.name)
    timed = (("cells", "cells", of_cells), ("workloads", "timed workloads", of_workloads))
    return Beside(
        name=name,
        path=path,
        problems=other.problems,
        comparison=comparison,
        totals=_totals(comparison),
        accuracy=accuracy,
        speed=of_cells | of_workloads,
        charts=[
            speedup_chart(f"speedup-{key}", f"Speed-up of the {title}", rows)
            for key, title, rows in timed
            if rows
        ],
        notes=notes(comparison),
        left_out=left_out,
    )


def _file(results: Results, record: Record | SpeedRecord) -> Path:
    if isinstance(record, SpeedRecord):
        return results.folder / SPEED / f"{record.workload.id}.json"
    return results.runs / record.cell.id / store.RECORD_FILE


def _totals(comparison: Comparison) -> dict[Kind, dict[Verdict, int]]:
    counts = Counter((each.kind, each.verdict) for each in comparison.findings)
    return {
        kind: {word: counts[kind, word] for word in VERDICTS if counts[kind, word]}
        for kind in sorted({each.kind for each in comparison.findings})
    }


def _cells(comparison: Comparison, row: Callable[[Finding], Row]) -> tuple[Rows, Rows]:
    """Accuracies by panel, and speeds by panel and quantity, in the order of the page."""
    found = {(each.name, each.quantity): each for each in comparison.findings}
    records = {each.name: each.candidate.records[0] for each in comparison.findings}
    cells = {each.cell.id: name for name, each in records.items() if isinstance(each, Record)}
    shown = [each for each in records.values() if isinstance(each, Record)]
    accuracy: Rows = {}
    speed: Rows = {}
    for place in tables.summarize(shown).to_dict("records"):
        name, panel = cells[place["cell_id"]], place["panel"]
        if each := found.get((name, QUANTITY)):
            accuracy.setdefault(panel, []).append(row(each))
        for quantity, title in TIMED.items():
            if each := found.get((name, quantity)):
                speed.setdefault(f"{panel}: {title}", []).append(row(each))
    return accuracy, speed


def _workloads(comparison: Comparison, row: Callable[[Finding], Row]) -> Rows:
    """Speeds by what was timed, in the order of the page."""
    listed = [
        (record.workload, each)
        for each in comparison.findings
        for record in each.candidate.records
        if isinstance(record, SpeedRecord)
    ]
    listed.sort(key=lambda pair: _order(pair[0]))
    settings = [_setting(workload) for workload, _ in listed]
    differs = [len(set(column)) > 1 for column in zip(*settings, strict=True)]
    rows: Rows = {}
    for (workload, each), setting in zip(listed, settings, strict=True):
        usual = work_title(workload.direction, workload.precision, workload.batch_size)
        title = ", ".join([usual, *compress(setting, differs)])
        rows.setdefault(title, []).append(row(each))
    return rows


def _order(workload: Workload) -> tuple[object, ...]:
    inference = workload.direction == "inference"
    return inference, workload.precision, -workload.batch_size, workload.depth


def _setting(workload: Workload) -> list[str]:
    """What else two workloads may differ in, in words."""
    pixels = f"{workload.resolution}×{workload.resolution}"
    return [
        NETWORKS[workload.network],
        f"lineage {workload.lineage}",
        f"{workload.stem} stem",
        f"shortcut {workload.shortcut}",
        f"{workload.in_channels}×{pixels}",
        f"{workload.classes} classes",
        workload.memory_format.replace("_", " "),
        "compiled" if workload.compiled else "not compiled",
        "CUDA graph" if workload.cuda_graph else "no CUDA graph",
    ]
