"""What the page shows of another results folder beside its own. Rounding is left to the template.

The page's own results are B of the comparison, those of the other folder are A. No torch here.
"""

from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from bench.analysis import tables
from bench.analysis.labels import NETWORKS, model_title
from bench.compare.accuracy import QUANTITY, compared
from bench.compare.comparison import Comparison, compare
from bench.compare.conditions import Condition
from bench.compare.finding import VERDICTS, Judged, Kind, Verdict
from bench.compare.pairing import Group, completed, groups
from bench.compare.tables import sections
from bench.errors import UsageError
from bench.records import store
from bench.records.folder import Results
from bench.records.schema import Record
from bench.records.speed import Workload
from bench.records.speed_store import SPEED
from bench.report.figures.chart import Chart
from bench.report.figures.speedups import SpeedUp, speedup_chart
from resnet_models.text import readable

TIMED: Final = {
    "training": "training step",
    "inference": "inference",
    "latency": "latency of one image",
}
"""What is timed of a cell, in the order of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One quantity of one network; the links lead to the records that it was made from."""

    network: str
    depth: int
    judged: Judged
    links: Sequence[str]
    other_links: Sequence[str]


Rows = dict[str, list[Row]]
"""By the title of those that stand together."""


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
    totals: Mapping[Kind, Mapping[Verdict, int]] = field(default_factory=dict)
    conditions: Sequence[Condition] = ()
    accuracy: Rows = field(default_factory=dict)
    speed: Rows = field(default_factory=dict)
    charts: Sequence[Chart] = ()
    notes: Sequence[tuple[str, str]] = ()
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Links:
    """Where records are to be found from the page.

    Attributes:
        shown: ids of the cells that have an entry on the page.
        path_to: a file or folder as seen from the page.
    """

    shown: Container[str]
    path_to: Callable[[Path], str]

    def file(self, path: Path) -> str:
        """To a file beside the page."""
        return quote(self.path_to(path))

    def record(self, results: Results, record: Record) -> str:
        """To the file of a cell's record."""
        return self.file(results.runs / record.cell.id / store.RECORD_FILE)

    def entry(self, results: Results, record: Record) -> str:
        """To a record's entry on the page, or to its file where it has none."""
        cell = record.cell.id
        return f"#cell-{cell}" if cell in self.shown else self.record(results, record)


class _Found(NamedTuple):
    """A comparison by name and quantity, and what it is made of."""

    judged: dict[tuple[str, str], Judged]
    this: Results
    other: Results
    links: Links


def set_beside(this: Results, other: Results, links: Links) -> Beside:
    """Everything that is alike in both, this run judged beside the other."""
    try:
        comparison = _compare(other, this)
    except UsageError as error:
        why = str(error)
        return _beside(other, links, nothing=f"{why[0].upper()}{why[1:]}.")
    judged = {(each.finding.name, each.finding.quantity): each for each in comparison.judged}
    found = _Found(judged, this, other, links)
    accuracy, of_cells = _cells(found)
    of_workloads = _workloads(found)
    return _beside(
        other,
        links,
        totals=_totals(comparison),
        conditions=comparison.conditions,
        accuracy=accuracy,
        speed=of_cells | of_workloads,
        charts=[
            speedup_chart(f"speedup-{key}", f"Speed-up of the {title}", _points(rows))
            for key, title, rows in (
                ("cells", "cells", of_cells),
                ("workloads", "timed workloads", of_workloads),
            )
            if rows
        ],
        notes=_notes(comparison),
        left_out=_left_out(comparison),
    )


def _beside(other: Results, links: Links, **found: Any) -> Beside:
    name = readable(other.folder.resolve().name)
    path = links.path_to(other.folder)
    return Beside(name=name, path=path, problems=other.problems, **found)


def _compare(other: Results, this: Results) -> Comparison:
    if not (this.cells or this.workloads):
        raise UsageError(f"nothing can be compared: there is no record in {this.folder} yet")
    return compare(other, this)


def _totals(comparison: Comparison) -> dict[Kind, dict[Verdict, int]]:
    kinds: tuple[Kind, ...] = ("accuracy", "speed")
    counts = {
        kind: Counter(each.verdict for each in comparison.judged if each.finding.kind == kind)
        for kind in kinds
    }
    return {
        kind: {verdict: found[verdict] for verdict in VERDICTS if found[verdict]}
        for kind, found in counts.items()
        if found
    }


def _cells(found: _Found) -> tuple[Rows, Rows]:
    """Accuracies by panel, and speeds by panel and quantity, in the order of the page."""
    accuracy: Rows = {}
    speed: Rows = {}
    names = {name for name, _ in found.judged}
    these, those = groups(found.this.cells), groups(found.other.cells)
    firsts = {completed(group)[0].cell.id: name for name, group in these.items() if name in names}
    summary = tables.summarize([r for r in found.this.cells if r.cell.id in firsts])
    for place in summary.to_dict("records"):
        name = firsts[place["cell_id"]]
        for quantity in (QUANTITY, *TIMED):
            judged = found.judged.get((name, quantity))
            if judged is None:
                continue
            row = _cell_row(found, judged, place["network"], (those[name], these[name]))
            if quantity == QUANTITY:
                accuracy.setdefault(place["panel"], []).append(row)
            else:
                speed.setdefault(f"{place['panel']}: {TIMED[quantity]}", []).append(row)
    return accuracy, speed


def _cell_row(found: _Found, judged: Judged, network: str, sides: tuple[Group, Group]) -> Row:
    if judged.finding.kind == "accuracy":
        a, b = compared(*sides)
    else:
        a, b = map(completed, sides)
    depth = b[0].cell.depth
    return Row(
        network=model_title(network, depth),
        depth=depth,
        judged=judged,
        links=[found.links.entry(found.this, record) for record in b],
        other_links=[found.links.record(found.other, record) for record in a],
    )


def _workloads(found: _Found) -> Rows:
    """Speeds by what was timed, in the order of the page."""
    listed = [each.workload for each in found.this.workloads]
    listed = [each for each in listed if (each.id, each.direction) in found.judged]
    listed.sort(key=lambda w: (w.direction == "inference", w.precision, -w.batch_size, w.depth))
    settings = [_setting(workload) for workload in listed]
    differs = [len(set(column)) > 1 for column in zip(*settings, strict=True)]
    rows: Rows = {}
    for workload, setting in zip(listed, settings, strict=True):
        title = ", ".join([_work(workload), *compress(setting, differs)])
        file = found.other.folder / SPEED / f"{workload.id}.json"
        row = Row(
            network=model_title(_network(workload), workload.depth),
            depth=workload.depth,
            judged=found.judged[workload.id, workload.direction],
            links=[f"#workload-{workload.id}"],
            other_links=[found.links.file(file)],
        )
        rows.setdefault(title, []).append(row)
    return rows


def _work(workload: Workload) -> str:
    """``Training, float32, 32 images at a time``."""
    count = workload.batch_size
    images = "one image" if count == 1 else f"{count} images"
    return f"{workload.direction.capitalize()}, {workload.precision}, {images} at a time"


def _setting(workload: Workload) -> list[str]:
    """What else two workloads may differ in, in words."""
    pixels = f"{workload.resolution}×{workload.resolution}"
    return [
        NETWORKS[_network(workload)],
        f"lineage {workload.lineage}",
        f"{workload.stem} stem",
        f"shortcut {workload.shortcut}",
        f"{workload.in_channels}×{pixels}",
        f"{workload.classes} classes",
        workload.memory_format.replace("_", " "),
        "compiled" if workload.compiled else "not compiled",
        "CUDA graph" if workload.cuda_graph else "no CUDA graph",
    ]


def _network(workload: Workload) -> str:
    return workload.model.removesuffix(str(workload.depth))


def _points(rows: Rows) -> list[SpeedUp]:
    return [_point(title, row) for title, listed in rows.items() for row in listed]


def _point(group: str, row: Row) -> SpeedUp:
    finding = row.judged.finding
    assert finding.floor is not None  # of speeds
    return SpeedUp(
        group=group,
        network=row.network,
        depth=row.depth,
        speedup=finding.effect,
        low=finding.interval.low,
        high=finding.interval.high,
        floor=finding.floor,
        verdict=row.judged.verdict,
        decided=row.judged.verdict in ("faster", "slower"),
    )


def _notes(comparison: Comparison) -> list[tuple[str, str]]:
    """Each note once, with what it is about."""
    notes = sections(comparison).get("Notes")
    return (
        [] if notes is None else list(notes[["Note", "About"]].itertuples(index=False, name=None))
    )


def _left_out(comparison: Comparison) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for each in comparison.left_out:
        reasons.setdefault(each.why, []).append(each.name)
    return reasons
