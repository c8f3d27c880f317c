"""The chapters of the page and their parts: for each its template and what that shows."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from bench.analysis import baselines, networks, reproductions, tables
from bench.analysis import blocks as block_tables
from bench.analysis.baselines import Row
from bench.analysis.conditions import unequal_conditions
from bench.analysis.logs import run_logs
from bench.analysis.paired import compare_pairs
from bench.analysis.speed import summarize
from bench.audit.checks import audit_project2022
from bench.claims import published
from bench.records import folder
from bench.records.schema import Record
from bench.reference.loader import load_project2022
from bench.report import claims
from bench.report import workloads as speed_tables
from bench.report.answer import answer, budgets, cost_figures, sentence, six
from bench.report.contents import Contents
from bench.report.figures import findings
from bench.report.figures.answer import answer_charts
from bench.report.figures.chart import by_panel
from bench.report.figures.costs import cost_charts, speed_charts
from bench.report.figures.curves import curve_charts
from bench.report.figures.errors import error_charts
from bench.report.figures.freezes import freeze_charts
from bench.report.figures.lesson import lesson_chart
from bench.report.figures.others import others_charts
from bench.report.figures.signals import signal_charts, signal_table
from bench.report.headlines import footnotes, lesson, untrained
from bench.report.results import Results, rows
from resnet_models import MODELS, define
from resnet_models.spec import Lineage

Part = tuple[str, str, str, Callable[[], dict[str, Any]]]
"""Its id, its title, its template and what makes that needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """What answers one question of a reader.

    Attributes:
        name: its id.
        title: in the navigation.
        note: what the navigation tells of it.
        heading: makes its finding, a sentence; the chapter of the answer has its own.
        parts: in order; one whose template gives no text is left out of the page.
    """

    name: str
    title: str
    note: str = ""
    heading: Callable[[], str]
    parts: Sequence[Part]


def chapters(contents: Contents, results: Results) -> list[Chapter]:
    """Every chapter in order; one without a part that has text is left out of the page."""
    verdicts, found = results.verdicts, contents.found
    rest = [each.word for each in verdicts]
    agree, counted = cost_figures(verdicts)
    records = len(results.records) + len(found.workloads) + len(found.evaluations)
    return [
        Chapter(
            name="answer", title="Answer", heading=lambda: answer(results),
            parts=[("answer", "Answer", "answer", lambda: _answer(contents, results))],
        ),
        Chapter(
            name="accuracy", title="Accuracy", parts=_accuracy(contents, results),
            heading=lambda: results.headline or untrained(found),
            note=f"{len(results.summary)} cells" if results.records else "nothing trained",
        ),
        Chapter(
            name="other-run", title="Other run", heading=lambda: "This run beside another one",
            parts=[("against", "Other run", "against", lambda: {"against": contents.against})],
        ),
        Chapter(
            name="cost", title="Cost and speed", parts=_cost(contents, results),
            heading=lambda: f"{agree} of {counted} cost figures of the paper agree with a count "
            "of our networks’ layers",
            note=f"{agree} of {counted} figures agree",
        ),
        Chapter(
            name="claims", title="The paper’s claims", parts=_claims(contents, results),
            heading=lambda: f"{findings.ledger(Counter(rest))}; costs are counted, the others "
            "need runs",
            note=f"{len(rest) - rest.count('not run')} of {len(rest)} judged",
        ),
        Chapter(
            name="project2022", title="The 2022 project", heading=_audit_heading,
            parts=[("audit", "Audit", "audit", _audit)],
            note=f"{len(_audit()['audit'].findings)} findings" if _audit()["audit"] else "",
        ),
        Chapter(
            name="reproduce", title="Reproduce", parts=_reproduce(contents, results),
            heading=lambda: f"Every measured number comes from one of {records} records, each made "
            "again by one command" if records else "Two commands make the records of this page",
            note=f"{records} record{'s' if records != 1 else ''}",
        ),
    ]  # fmt: skip


def _answer(contents: Contents, results: Results) -> dict[str, Any]:
    found, grid = contents.found, results.grid
    is_lesson = results.profile == "lecture"
    return {
        "sentence": sentence(results), "six": six(
            results, summarize(found.workloads, found.limits), len(contents.coming)
        ),
        "lesson": lesson_chart(tables.curves(results.records)) if is_lesson else None,
        "charts": answer_charts(grid, baselines.table6(grid)),
        "headline": results.headline or untrained(found), "budgets": budgets(grid),
        "measured": lesson(grid)[0],
        "conclusion": results.conclusion, "profile": results.profile,
        "holds_records": found.holds_records, "unequal": unequal_conditions(results.records),
        "other_profiles": results.others, "problems": contents.problems,
        "coming": contents.coming,
    }  # fmt: skip


def _accuracy(contents: Contents, results: Results) -> list[Part]:
    shown, grid = results.records, results.grid
    beside = any(row.theirs for row in grid)
    return [
        ("results", "Accuracy and loss", "results", lambda: {
            "grid": grid, "beside": beside, "footnotes": footnotes(grid),
            "project": load_project2022(),
        }),
        ("curves", "Curves", "curves", lambda: {
            "curve_charts": by_panel(curve_charts(tables.curves(shown), _project_curves())),
            "beside": beside, "trained": bool(shown),
        }),
        ("pairs", "Image by image", "pairs", lambda: {
            "pairs": compare_pairs(shown, contents.predictions),
        }),
    ]  # fmt: skip


def _cost(contents: Contents, results: Results) -> list[Part]:
    shown, summary, found = results.records, results.summary, contents.found
    return [
        ("table-1", "Table 1", "cost", lambda: {
            "table1": results.table1, "networks": _networks(_lineage(shown)),
        }),
        ("speed", "Throughput", "speed", lambda: {
            "speeds": rows(summary), "speed_charts": speed_charts(summary),
            "cost_charts": cost_charts(summary),
        }),
        ("workloads", "Roofline", "workloads", lambda: {"workloads": _workloads(found)}),
        ("blocks", "Blocks", "blocks", lambda: {
            "blocks": found.blocks and block_tables.section(found.blocks),
            "paths": contents.paths,
        }),
    ]  # fmt: skip


def _claims(contents: Contents, results: Results) -> list[Part]:
    shown, verdicts, table6 = results.records, results.verdicts, baselines.table6(results.grid)
    others = cache(lambda: _others(table6) if table6 else _others_alone())
    return [
        ("table-6", "Table 6", "table6", lambda: {
            "table6": _printed_table6(), "table6_results": table6,
            "error_charts": error_charts(table6),
            "others": others(),
        }),
        ("others", "Others", "others", lambda: {"others": others()}),
        ("shortcuts", "Shortcuts", "shortcuts", lambda: {
            "signals": signal_table(shown, results.summary),
            "signal_charts": by_panel(signal_charts(shown, results.summary)),
        }),
        ("checkpoints", "Checkpoints", "evaluations", lambda: {
            "evaluations": contents.found.evaluations, "paths": contents.paths,
        }),
        ("ledger", "Ledger", "claims", lambda: {
            "claims": claims.by_title(verdicts), "on_page": {record.cell.id for record in shown},
            "claim_counts": claims.counts(verdicts), "parts": claims.PARTS, "marks": claims.MARKS,
            "origins": claims.ORIGINS, "needed": claims.needed, "total": len(verdicts),
            "published": published.load_published(),
            "published_at": published.FOLDER.is_dir() and contents.path_to(published.FOLDER),
        }),
    ]  # fmt: skip


def _reproduce(contents: Contents, results: Results) -> list[Part]:
    return [
        ("problems", "Records left out", "problems", lambda: {"problems": contents.problems}),
        ("records", "Records", "reproduce", lambda: {
            "cells": _cells(results.records, results.summary), "profile": results.profile,
            "environments": results.environments, "workloads": _workloads(contents.found),
            "paths": contents.paths, "facts": results.facts, "blocks": contents.found.blocks,
        }),
    ]  # fmt: skip


def _workloads(found: folder.Results) -> speed_tables.Section | None:
    return speed_tables.section(found.workloads, found.limits) if found.workloads else None


def _audit_heading() -> str:
    made = _audit()
    if not made["audit"]:
        return "Its logs are not here"
    bear = sum(each.severity == "conclusion" for each in made["audit"].findings)
    return (
        f"{made['freeze_charts'][0].finding} on CIFAR-10, and {bear} findings in all bear on its "
        "conclusion that deeper networks are worse"
    )


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
