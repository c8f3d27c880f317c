"""Records -> one self-contained HTML page. Rounding and wording happen here and in the templates.

The page depends on nothing but the records and the reference files: the same records give the same
bytes, and no torch is imported.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import pandas as pd
from jinja2 import Environment as Jinja
from jinja2 import PackageLoader, StrictUndefined, Template

from bench import stats
from bench.analysis import baselines, labels, networks, reproductions, tables
from bench.analysis import blocks as block_tables
from bench.analysis.conditions import unequal_conditions
from bench.analysis.logs import run_logs
from bench.analysis.paired import Load, compare_pairs
from bench.analysis.tables import Row
from bench.audit.checks import audit_project2022
from bench.errors import BenchError
from bench.formats import duration, fit_for_html, number, period, significant, size
from bench.records import blocks as block_times
from bench.records import folder, store
from bench.records.blocks import BlockTimes
from bench.records.evaluations import Evaluation
from bench.records.predictions import Classes
from bench.records.schema import Record
from bench.records.speed_store import SPEED, load_speed
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
from bench.report.results import Results, by_dataset, distinct, gather, rows
from bench.report.workloads import NO_WORKLOADS, Workloads
from resnet_models import MODELS, define


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Folders of the files that the page links to, as seen from it."""

    records: str = "runs"
    evaluations: str = store.EVALUATIONS
    speed: str = SPEED


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
    records, damaged = store.load_all(results_folder)
    evaluations_folder = results_folder.parent / store.EVALUATIONS
    evaluations, more_damaged = store.load_evaluations(evaluations_folder)
    blocks, block_problems = block_times.find(results_folder.parent)
    timed, limits, speed_problems = load_speed(results_folder.parent / SPEED)
    problems = damaged + more_damaged + block_problems + speed_problems

    def load(record: Record) -> Classes | None:
        try:
            return store.load_predictions(results_folder, record)
        except BenchError as error:
            problems.append(str(error))
            return None

    results = gather(records, profile)
    this = folder.Results(results_folder.parent, records, timed, limits, [], results_folder.name)
    links = Links(
        {record.cell.id for record in results.records}, lambda path: _path_from(out_file, path)
    )
    beside = set_beside(this, folder.read(against), links) if against else None
    page = _page(
        results,
        problems,
        evaluations=evaluations,
        blocks=blocks,
        workloads=Workloads(timed, limits),
        against=beside,
        predictions=load,
        paths=Paths(
            records=_path_from(out_file, results_folder),
            evaluations=_path_from(out_file, evaluations_folder),
            speed=_path_from(out_file, results_folder.parent / SPEED),
        ),
    )
    for name, content in summaries.files(results, len(damaged)).items():
        store.write_atomic(out_file.with_name(name), content)
    store.write_atomic(out_file, page)
    return [*problems, *(beside.problems if beside else ())]


def _path_from(page: Path, path: Path) -> str:
    return Path(os.path.relpath(path, page.parent)).as_posix()


def render(
    records: Sequence[Record],
    problems: Sequence[str],
    *,
    evaluations: Sequence[Evaluation] = (),
    blocks: BlockTimes | None = None,
    workloads: Workloads = NO_WORKLOADS,
    against: Beside | None = None,
    predictions: Load = lambda _record: None,
    profile: str | None = None,
    paths: Paths = Paths(),
) -> str:
    """The page for the records of one profile, by default that of the newest record.

    Args:
        records: of any profiles; the page notes what it leaves out.
        problems: what is wrong with records that could not be read.
        evaluations: of checkpoints; of any profile.
        blocks: timings of blocks, where there are any.
        workloads: what ``bench speed`` measured.
        against: these results beside another folder's.
        predictions: gives what a record's network took each test image for, if it is stored.
        profile: the profile to show.
        paths: where the files lie, as seen from the page.

    Raises:
        UsageError: no record of ``profile`` is there.
    """
    return _page(
        gather(records, profile),
        problems,
        evaluations=evaluations,
        blocks=blocks,
        workloads=workloads,
        against=against,
        predictions=predictions,
        paths=paths,
    )


def _page(
    results: Results,
    problems: Sequence[str],
    *,
    evaluations: Sequence[Evaluation],
    blocks: BlockTimes | None,
    workloads: Workloads,
    against: Beside | None,
    predictions: Load,
    paths: Paths,
) -> str:
    shown, summary = results.records, results.summary
    grid, table6 = rows(results.grid), baselines.table6(results.grid)
    return _template().render(
        profile=results.profile,
        banner=_banner(results) if shown else None,
        headline=results.headline,
        conclusion=CONCLUSIONS.get(results.profile or "", OTHER_CONCLUSION),
        unequal=unequal_conditions(shown),
        other_profiles=results.others,
        problems=problems,
        against=against,
        grid=by_dataset(grid),
        beside=any(row["theirs_images"] is not None for row in grid),
        footnotes=footnotes(grid),
        pairs=compare_pairs(shown, predictions),
        table1=rows(results.table1),
        table6=rows(networks.table6()),
        table6_results=rows(table6),
        error_charts=error_charts(table6, load_paper().tables.table6),
        networks=_networks(shown),
        paper=load_paper(),
        project=load_project2022(),
        speeds=by_dataset(rows(summary)),
        speed_charts=speed_charts(summary),
        curve_charts=by_panel(curve_charts(tables.curves(shown), baselines.project_curves())),
        cost_charts=cost_charts(summary),
        signals=signal_table(shown, summary),
        signal_charts=by_panel(signal_charts(shown, summary)),
        cells=_cells(shown, summary),
        environments=results.environments,
        evaluations=evaluations,
        blocks=block_tables.section(blocks) if blocks else None,
        workloads=speed_tables.section(workloads) if workloads.records else None,
        claims=claims.sections(results.verdicts, on_page={record.cell.id for record in shown}),
        claim_counts=claims.counts(results.verdicts),
        marks=MARKS,
        verdict_chart=verdict_chart(results.verdicts),
        audit=audit_project2022(),
        freeze_charts=freeze_charts(run_logs(load_project2022())),
        others=_others(rows(table6)),
        paths=paths,
    )


FILTERS: Final = {
    "number": number,
    "significant": significant,
    "size": size,
    "duration": duration,
    "period": period,
    "dataset_title": dataset_title,
    "interval": stats.wilson_interval,
    "stacked": networks.stacked,
}


@cache
def _template() -> Template:
    jinja = Jinja(
        loader=PackageLoader("bench.report"), undefined=StrictUndefined, autoescape=True,
        trim_blocks=True, lstrip_blocks=True, finalize=fit_for_html,
    )  # fmt: skip
    jinja.filters |= FILTERS
    jinja.globals["words"] = labels
    return jinja.get_template("report.html.j2")


def _networks(records: Sequence[Record]) -> dict[str, Any]:
    """The networks of Table 1 by formula, in the lineage of ``records`` where all share one."""
    table1 = [cell for cell in (r.cell for r in records) if MODELS[cell.model].family == "table1"]
    lineages = {cell.lineage for cell in table1}
    lineage = lineages.pop() if len(lineages) == 1 else "paper"
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


def _cells(records: Sequence[Record], summary: pd.DataFrame) -> list[tuple[Record, Row]]:
    """Each record with its summary, in the order of the summary."""
    by_id = {record.cell.id: record for record in records}
    return [(by_id[row["cell_id"]], row) for row in rows(summary)]
