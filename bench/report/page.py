"""Records -> one self-contained HTML page. Rounding and wording happen here and in the templates.

The page depends on nothing but the records and the reference files: the same records give the same
bytes, and no torch is imported.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment as Jinja
from jinja2 import PackageLoader, StrictUndefined
from markupsafe import Markup

from bench import stats
from bench.analysis import baselines, labels, networks, reproductions, tables
from bench.analysis import blocks as block_tables
from bench.analysis.baselines import Row
from bench.analysis.conditions import unequal_conditions
from bench.analysis.logs import run_logs
from bench.analysis.paired import Load, compare_pairs
from bench.audit.checks import audit_project2022
from bench.errors import BenchError
from bench.formats import duration, fit_for_html, number, period, significant, size
from bench.records import folder, store
from bench.records.blocks import BlockTimes
from bench.records.evaluations import Evaluation
from bench.records.schema import Record
from bench.records.store import SPEED, Classes
from bench.reference.loader import dataset_title, load_paper, load_project2022
from bench.report import claims, summaries
from bench.report import workloads as speed_tables
from bench.report.against import Beside, Links, set_beside
from bench.report.figures.chart import by_panel
from bench.report.figures.costs import cost_charts, speed_charts
from bench.report.figures.curves import curve_charts
from bench.report.figures.errors import error_charts
from bench.report.figures.freezes import freeze_charts
from bench.report.figures.others import others_charts
from bench.report.figures.signals import signal_charts, signal_table
from bench.report.figures.verdicts import MARKS, verdict_chart
from bench.report.headlines import CONCLUSIONS, OTHER_CONCLUSION, footnotes
from bench.report.results import Results, distinct, gather, rows
from bench.report.workloads import NO_WORKLOADS, Workloads
from resnet_models import MODELS, define
from resnet_models.spec import Lineage


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Folders of the files that the page links to, as seen from it."""

    records: str = "runs"
    evaluations: str = store.EVALUATIONS
    speed: str = SPEED


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a page is drawn from.

    Attributes:
        records: of any profiles; the page notes what it leaves out.
        problems: what is wrong with files that could not be read.
        evaluations: of checkpoints; of any profile.
        blocks: timings of blocks, where there are any.
        workloads: what ``bench speed`` measured.
        against: these results beside another folder's.
        predictions: gives what a record's network took each test image for, if it is stored; what
            cannot be read of it may be added to ``problems``.
        paths: where the files lie, as seen from the page.
    """

    records: Sequence[Record]
    problems: Sequence[str] = ()
    evaluations: Sequence[Evaluation] = ()
    blocks: BlockTimes | None = None
    workloads: Workloads = NO_WORKLOADS
    against: Beside | None = None
    predictions: Load = lambda _record: None
    paths: Paths = Paths()


def write(
    results_folder: Path, out_file: Path, profile: str | None = None, against: Path | None = None
) -> list[str]:
    """Render the records below ``results_folder``, and what lies beside it, to ``out_file``.

    ``against`` is a results folder that the page sets them beside.

    The summaries (``bench.report.summaries``) are written beside it.

    Returns:
        What is wrong with records that had to be left out.

    Raises:
        UsageError: no record of ``profile`` is there, or nothing in ``against`` can be read.
        BenchError: ``out_file`` cannot be written.
    """
    found = folder.read_beside(results_folder)
    home = found.folder
    problems = [*found.damaged_cells, *found.damaged_others, *found.damaged_workloads]

    def load(record: Record) -> Classes | None:
        try:
            return store.load_predictions(results_folder, record)
        except BenchError as error:
            problems.append(str(error))
            return None

    def from_page(path: Path) -> str:
        return Path(os.path.relpath(path, out_file.parent)).as_posix()

    results = gather(found.cells, profile)
    beside = None
    if against:
        links = Links({record.cell.id for record in results.records}, from_page)
        beside = set_beside(found, folder.read(against), links)
    contents = Contents(
        records=found.cells,
        problems=problems,
        evaluations=found.evaluations,
        blocks=found.blocks,
        workloads=Workloads(found.workloads, found.limits),
        against=beside,
        predictions=load,
        paths=Paths(
            records=from_page(results_folder),
            evaluations=from_page(home / store.EVALUATIONS),
            speed=from_page(home / SPEED),
        ),
    )
    page = _page(contents, results)
    for name, content in summaries.files(results, len(found.damaged_cells)).items():
        store.write_atomic(out_file.with_name(name), content)
    store.write_atomic(out_file, page)
    return [*problems, *(beside.problems if beside else ())]


def render(contents: Contents, profile: str | None = None) -> str:
    """The page for the records of one profile, by default that of the newest record.

    Raises:
        UsageError: no record of ``profile`` is there.
    """
    return _page(contents, gather(contents.records, profile))


def _page(contents: Contents, results: Results) -> str:
    sections = [
        (name, title, Markup(html))
        for name, title, template, context in _sections(contents, results)
        if (html := fill(template, **context))
    ]
    return fill(
        "report",
        sections=sections,
        profile=results.profile,
        banner=_banner(results) if results.records else None,
        headline=results.headline,
        conclusion=CONCLUSIONS.get(results.profile or "", OTHER_CONCLUSION),
        claim_counts=claims.counts(results.verdicts),
        marks=MARKS,
        unequal=unequal_conditions(results.records),
        other_profiles=results.others,
        problems=contents.problems,
        paper=load_paper(),
    )


Section = tuple[str, str, str, dict[str, Any]]
"""Its id, its title in the navigation, its template and what that needs."""


def _sections(contents: Contents, results: Results) -> list[Section]:
    """Every section in order; one whose template then gives no text is left out of the page."""
    shown, summary, verdicts = results.records, results.summary, results.verdicts
    grid, table6 = results.grid, baselines.table6(results.grid)
    beside = any(row.theirs for row in grid)
    workloads = contents.workloads.records and speed_tables.section(contents.workloads)
    blocks = contents.blocks and block_tables.section(contents.blocks)
    return [
        ("results", "Results", "results", {
            "grid": grid, "beside": beside, "footnotes": footnotes(grid),
            "project": load_project2022(),
        }),
        ("against", "Other run", "against", {"against": contents.against}),
        ("claims", "Claims", "claims", {
            "claims": claims.by_title(verdicts), "on_page": {record.cell.id for record in shown},
            "claim_counts": claims.counts(verdicts), "marks": MARKS,
            "verdict_chart": verdict_chart(verdicts),
        }),
        ("table-1", "Table 1", "cost", {
            "table1": results.table1, "networks": _networks(_lineage(shown)),
        }),
        ("table-6", "Table 6", "table6", {
            "table6": _printed_table6(), "table6_results": table6,
            "error_charts": error_charts(table6),
        }),
        ("pairs", "Image by image", "pairs", {
            "pairs": compare_pairs(shown, contents.predictions),
        }),
        ("curves", "Curves", "curves", {
            "curve_charts": by_panel(curve_charts(tables.curves(shown), _project_curves())),
            "beside": beside, "trained": bool(shown),
        }),
        ("speed", "Throughput", "speed", {
            "speeds": rows(summary), "speed_charts": speed_charts(summary),
            "cost_charts": cost_charts(summary),
        }),
        ("workloads", "Roofline", "workloads", {"workloads": workloads}),
        ("blocks", "Blocks", "blocks", {"blocks": blocks, "paths": contents.paths}),
        ("shortcuts", "Shortcuts", "shortcuts", {
            "signals": signal_table(shown, summary),
            "signal_charts": by_panel(signal_charts(shown, summary)),
        }),
        ("audit", "Audit", "audit", _audit()),
        ("others", "Others", "others", {
            "others": _others(table6) if table6 else _others_alone(),
        }),
        ("checkpoints", "Checkpoints", "evaluations", {
            "evaluations": contents.evaluations, "paths": contents.paths,
        }),
        ("problems", "Damaged records", "problems", {"problems": contents.problems}),
        ("reproduce", "Reproduce", "reproduce", {
            "cells": _cells(shown, summary), "environments": results.environments,
            "workloads": workloads, "paths": contents.paths,
        }),
    ]  # fmt: skip


def fill(template: str, **context: Any) -> str:
    """One template of the page with what it shows."""
    return _jinja().get_template(f"{template}.html.j2").render(context)


@cache
def _jinja() -> Jinja:
    jinja = Jinja(
        loader=PackageLoader("bench.report"), undefined=StrictUndefined, autoescape=True,
        trim_blocks=True, lstrip_blocks=True, finalize=fit_for_html,
    )  # fmt: skip
    jinja.filters |= {
        "number": number,
        "significant": significant,
        "size": size,
        "duration": duration,
        "period": period,
        "dataset_title": dataset_title,
        "interval": stats.wilson_interval,
        "stacked": networks.stacked,
    }
    jinja.globals["words"] = labels
    return jinja


# What depends on no record is made once, however many pages a program draws.
_printed_table6 = cache(lambda: rows(networks.table6()))
_project_curves = cache(baselines.project_curves)
_others_alone = cache(lambda: _others(()))


@cache
def _audit() -> dict[str, Any]:
    charts = freeze_charts(run_logs(load_project2022()))
    return {"audit": audit_project2022(), "freeze_charts": charts}


def _lineage(records: Sequence[Record]) -> Lineage:
    """That of the networks of Table 1 where all share one."""
    cells = [record.cell for record in records]
    lineages = {cell.lineage for cell in cells if MODELS[cell.model].family == "table1"}
    return lineages.pop() if len(lineages) == 1 else "paper"


@cache
def _networks(lineage: Lineage) -> dict[str, Any]:
    """The networks of Table 1 by formula."""
    costs = networks.catalog(lineage).query("family == 'table1' and shortcut != 'none'")
    *stages, _, _ = rows(networks.table1_structure(lineage))
    definitions = [define(model, lineage=lineage) for model in costs["model"]]
    return {
        "lineage": lineage,
        "costs": rows(costs),
        "stages": stages,
        "layers": {d.model: rows(networks.layer_frame(d)) for d in definitions},
        "block": networks.block_identity(lineage),
    }


def _others(table6: Sequence[Row]) -> dict[str, Any]:
    """What others got, beside our results of Table 6."""
    digests = reproductions.digests(table6)
    return {
        "digests": digests,
        "charts": others_charts(digests),
        "results": rows(reproductions.all_results()),
    }


def _banner(results: Results) -> dict[str, Any]:
    records, summary = results.records, results.summary
    return {
        "devices": results.devices,
        "software": results.software,
        "commits": distinct(m.commit or "unknown" for m in results.environments),
        "precisions": distinct(record.engine.precision for record in records),
        "first": min(record.started_at for record in records),
        "last": max(record.finished_at for record in records),
        "train_seconds": float(summary["train_seconds"].sum()),
        "completed": int((summary["status"] == "completed").sum()),
        "failed": int((summary["status"] == "failed").sum()),
    }


def _cells(records: Sequence[Record], summary: pd.DataFrame) -> list[tuple[Record, dict[str, Any]]]:
    """Each record with its summary, in the order of the summary."""
    by_id = {record.cell.id: record for record in records}
    return [(by_id[row["cell_id"]], row) for row in rows(summary)]
