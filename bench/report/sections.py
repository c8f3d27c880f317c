"""The sections of the page: for each its title, its template and what that shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from bench.analysis import baselines, networks, reproductions, tables
from bench.analysis import blocks as block_tables
from bench.analysis.baselines import Row
from bench.analysis.logs import run_logs
from bench.analysis.paired import Load, compare_pairs
from bench.audit.checks import audit_project2022
from bench.records import folder, store
from bench.records.schema import Record
from bench.reference.loader import load_project2022
from bench.report import claims
from bench.report import workloads as speed_tables
from bench.report.against import Beside
from bench.report.figures.chart import by_panel
from bench.report.figures.costs import cost_charts, speed_charts
from bench.report.figures.curves import curve_charts
from bench.report.figures.errors import error_charts
from bench.report.figures.freezes import freeze_charts
from bench.report.figures.lesson import lesson_chart
from bench.report.figures.others import others_charts
from bench.report.figures.signals import signal_charts, signal_table
from bench.report.figures.verdicts import MARKS, verdict_chart
from bench.report.headlines import footnotes
from bench.report.results import Results, rows
from resnet_models import MODELS, define
from resnet_models.spec import Lineage


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a page is drawn from.

    Attributes:
        found: records of any profiles; the page notes what it leaves out.
        problems: what is wrong with files that could not be read.
        against: these results beside another folder's.
        predictions: gives what a record's network took each test image for, if it is stored; what
            cannot be read of it may be added to ``problems``.
        path_to: a file or folder as seen from the page.
    """

    found: folder.Results
    problems: Sequence[str]
    against: Beside | None
    predictions: Load
    path_to: Callable[[Path], str]


Section = tuple[str, str, str, Callable[[], dict[str, Any]]]
"""Its id, its title in the navigation, its template and what makes what that needs."""


def sections(contents: Contents, results: Results) -> list[Section]:
    """Every section in order; one whose template then gives no text is left out of the page."""
    shown, summary, verdicts = results.records, results.summary, results.verdicts
    grid, table6 = results.grid, baselines.table6(results.grid)
    beside = any(row.theirs for row in grid)
    found = contents.found
    paths = _paths(contents)
    # What sections share fails in each of them, and not before the first.
    curves = cache(lambda: tables.curves(shown))
    workloads = cache(
        lambda: found.workloads and speed_tables.section(found.workloads, found.limits)
    )
    return [
        ("lesson", "Lesson", "lesson", lambda: {
            "chart": lesson_chart(curves()) if results.profile == "lecture" else None,
        }),
        ("results", "Results", "results", lambda: {
            "grid": grid, "beside": beside, "footnotes": footnotes(grid),
            "project": load_project2022(),
        }),
        ("against", "Other run", "against", lambda: {"against": contents.against}),
        ("claims", "Claims", "claims", lambda: {
            "claims": claims.by_title(verdicts), "on_page": {record.cell.id for record in shown},
            "claim_counts": claims.counts(verdicts), "parts": claims.PARTS, "marks": MARKS,
            "origins": claims.ORIGINS,
            "verdict_chart": verdict_chart(verdicts),
        }),
        ("table-1", "Table 1", "cost", lambda: {
            "table1": results.table1, "networks": _networks(_lineage(shown)),
        }),
        ("table-6", "Table 6", "table6", lambda: {
            "table6": _printed_table6(), "table6_results": table6,
            "error_charts": error_charts(table6),
        }),
        ("pairs", "Image by image", "pairs", lambda: {
            "pairs": compare_pairs(shown, contents.predictions),
        }),
        ("curves", "Curves", "curves", lambda: {
            "curve_charts": by_panel(curve_charts(curves(), _project_curves())),
            "beside": beside, "trained": bool(shown),
        }),
        ("speed", "Throughput", "speed", lambda: {
            "speeds": rows(summary), "speed_charts": speed_charts(summary),
            "cost_charts": cost_charts(summary),
        }),
        ("workloads", "Roofline", "workloads", lambda: {"workloads": workloads()}),
        ("blocks", "Blocks", "blocks", lambda: {
            "blocks": found.blocks and block_tables.section(found.blocks), "paths": paths,
        }),
        ("shortcuts", "Shortcuts", "shortcuts", lambda: {
            "signals": signal_table(shown, summary),
            "signal_charts": by_panel(signal_charts(shown, summary)),
        }),
        ("audit", "Audit", "audit", _audit),
        ("others", "Others", "others", lambda: {
            "others": _others(table6) if table6 else _others_alone(),
        }),
        ("checkpoints", "Checkpoints", "evaluations", lambda: {
            "evaluations": found.evaluations, "paths": paths,
        }),
        ("problems", "Records left out", "problems", lambda: {"problems": contents.problems}),
        ("reproduce", "Reproduce", "reproduce", lambda: {
            "cells": _cells(shown, summary), "environments": results.environments,
            "workloads": workloads(), "paths": paths,
        }),
    ]  # fmt: skip


def _paths(contents: Contents) -> dict[str, str]:
    found = contents.found
    folders = {
        "records": found.runs,
        "evaluations": found.folder / store.EVALUATIONS,
        "speed": found.folder / store.SPEED,
    }
    return {name: contents.path_to(folder) for name, folder in folders.items()}


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
    lineages = {
        cell.lineage
        for cell in (record.cell for record in records)
        if cell.lineage != "custom" and MODELS[cell.model].family == "table1"
    }
    return lineages.pop() if len(lineages) == 1 else "paper"


@cache
def _networks(lineage: Lineage) -> dict[str, Any]:
    """The networks that Table 1 prints, by formula."""
    printed = "family == 'table1' and shortcut != 'none' and printed_flops.notna()"
    costs = networks.catalog(lineage).query(printed)
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


def _cells(records: Sequence[Record], summary: pd.DataFrame) -> list[tuple[Record, dict[str, Any]]]:
    """Each record with its summary, in the order of the summary."""
    by_id = {record.cell.id: record for record in records}
    return [(by_id[row["cell_id"]], row) for row in rows(summary)]
