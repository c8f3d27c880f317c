"""Records -> one self-contained HTML page. Rounding and wording happen here and in the templates.

The page depends on nothing but the records and the reference files: the same records give the same
bytes, and no torch is imported.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import pandas as pd
from jinja2 import Environment as Jinja
from jinja2 import PackageLoader, StrictUndefined, Template

from bench import catalog_tables, comparisons, ledger, ledger_tables, store, tables, words
from bench.audit import audit_project2022
from bench.conditions import unequal_conditions
from bench.errors import BenchError, UsageError
from bench.evaluations import Evaluation
from bench.figures import cost_charts, curve_charts, speed_charts
from bench.findings import CONCLUSIONS, OTHER_CONCLUSION, Row, headline
from bench.formats import duration, number, period, significant, size
from bench.pairs import Load, compare_pairs
from bench.performance import block_tables, block_times
from bench.performance.block_times import BlockTimes
from bench.predictions import Classes
from bench.records import Record
from bench.reference.loader import dataset_title, load_paper, load_project2022
from bench.signal_figures import signal_charts, signal_table
from resnet_models import MODELS, define

T = TypeVar("T")


def write(results_folder: Path, out_file: Path, profile: str | None = None) -> list[str]:
    """Render the records below ``results_folder``, and what lies beside it, to ``out_file``.

    Returns:
        What is wrong with records that had to be left out.

    Raises:
        UsageError: no record of ``profile`` is there.
        BenchError: ``out_file`` cannot be written.
    """
    records, problems = store.load_all(results_folder)
    evaluations_folder = results_folder.parent / store.EVALUATIONS
    evaluations, more_problems = store.load_evaluations(evaluations_folder)
    blocks, block_problems = block_times.find(results_folder.parent)
    problems += more_problems + block_problems

    def load(record: Record) -> Classes | None:
        try:
            return store.load_predictions(results_folder, record)
        except BenchError as error:
            problems.append(str(error))
            return None

    page = render(
        records,
        problems,
        evaluations=evaluations,
        blocks=blocks,
        predictions=load,
        profile=profile,
        records_path=_path_from(out_file, results_folder),
        evaluations_path=_path_from(out_file, evaluations_folder),
    )
    store.write_atomic(out_file, page)
    return problems


def _path_from(page: Path, folder: Path) -> str:
    return Path(os.path.relpath(folder, page.parent)).as_posix()


def render(
    records: Sequence[Record],
    problems: Sequence[str],
    *,
    evaluations: Sequence[Evaluation] = (),
    blocks: BlockTimes | None = None,
    predictions: Load = lambda _record: None,
    profile: str | None = None,
    records_path: str = "runs",
    evaluations_path: str = store.EVALUATIONS,
) -> str:
    """The page for the records of one profile, by default that of the newest record.

    Args:
        records: of any profiles; the page notes what it leaves out.
        problems: what is wrong with records that could not be read.
        evaluations: of checkpoints; of any profile.
        blocks: timings of blocks, where there are any.
        predictions: gives what a record's network took each test image for, if it is stored.
        profile: the profile to show.
        records_path: folder of the records, as seen from the page.
        evaluations_path: folder of the evaluations, as seen from the page.

    Raises:
        UsageError: no record of ``profile`` is there.
    """
    chosen = choose_profile(records, profile)
    shown = [record for record in records if record.profile == chosen]
    summary = tables.summarize(shown)
    grid_frame = comparisons.grid_table(summary)
    grid = _rows(grid_frame)
    table1 = _rows(comparisons.table1(summary))
    verdicts = ledger.judge(records)
    return _template().render(
        profile=chosen,
        banner=_banner(shown, summary) if shown else None,
        headline=headline(chosen, grid, table1) if chosen else None,
        conclusion=CONCLUSIONS.get(chosen or "", OTHER_CONCLUSION),
        unequal=unequal_conditions(shown),
        others=_others(records, chosen),
        problems=problems,
        grid=_by_dataset(grid),
        beside=any(row["theirs_images"] is not None for row in grid),
        footnotes=_footnotes(grid),
        pairs=compare_pairs(shown, predictions),
        table1=table1,
        table6=_rows(catalog_tables.table6()),
        table6_results=_rows(comparisons.table6(grid_frame)),
        networks=_networks(shown),
        paper=load_paper(),
        project=load_project2022(),
        speeds=_by_dataset(_rows(summary)),
        speed_charts=speed_charts(summary),
        curve_charts=_by_panel(curve_charts(tables.curves(shown))),
        cost_charts=cost_charts(summary),
        signals=signal_table(shown, summary),
        signal_charts=_by_panel(signal_charts(shown, summary)),
        cells=_cells(shown, summary),
        environments=_distinct(record.environment for record in shown),
        evaluations=evaluations,
        blocks=block_tables.section(blocks) if blocks else None,
        claims=ledger_tables.sections(verdicts, on_page={record.cell.id for record in shown}),
        claim_counts=ledger_tables.counts(verdicts),
        audit=audit_project2022(),
        records_path=records_path,
        evaluations_path=evaluations_path,
    )


def choose_profile(records: Sequence[Record], profile: str | None) -> str | None:
    """``profile``, or that of the record that finished last; None where there is no record.

    Raises:
        UsageError: no record of ``profile`` is there.
    """
    present = sorted({record.profile for record in records})
    if profile is not None and profile not in present:
        found = ", ".join(present) or "no records at all"
        raise UsageError(f"no records of profile {profile!r}; found: {found}.")
    if profile is not None or not records:
        return profile
    return max(records, key=lambda record: (record.finished_at, record.profile)).profile


FILTERS: Final = {
    "number": number,
    "significant": significant,
    "size": size,
    "duration": duration,
    "period": period,
    "dataset_title": dataset_title,
    "interval": tables.wilson_interval,
    "stacked": catalog_tables.stacked,
}


def _template() -> Template:
    jinja = Jinja(
        loader=PackageLoader("bench"), undefined=StrictUndefined, autoescape=True,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    jinja.filters |= FILTERS
    jinja.globals["words"] = words
    return jinja.get_template("report.html.j2")


def _rows(frame: pd.DataFrame) -> list[Row]:
    """Rows as dicts; a missing value is None."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def _networks(records: Sequence[Record]) -> dict[str, Any]:
    """The networks of Table 1 by formula, in the lineage of ``records`` where all share one."""
    table1 = [cell for cell in (r.cell for r in records) if MODELS[cell.model].family == "table1"]
    lineages = {cell.lineage for cell in table1}
    lineage = lineages.pop() if len(lineages) == 1 else "paper"
    costs = catalog_tables.catalog(lineage).query("family == 'table1' and shortcut != 'none'")
    *stages, _, _ = _rows(catalog_tables.table1_structure(lineage))
    definitions = [define(model, lineage=lineage) for model in costs["model"]]
    return {
        "lineage": lineage,
        "costs": _rows(costs),
        "stages": stages,
        "layers": {d.model: _rows(catalog_tables.layer_frame(d)) for d in definitions},
        "block": catalog_tables.block_identity(lineage),
    }


def _by_dataset(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(dataset_title(row["dataset"]), []).append(row)
    return groups


def _by_panel(charts: Iterable[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for chart in charts:
        groups.setdefault(chart.panel, []).append(chart)
    return groups


def _footnotes(grid: Iterable[Row]) -> dict[str, str]:
    """What one must know about the 2022 project's cells: remark -> letter, in order of the rows."""
    remarks: list[str] = []
    for row in grid:
        row["remarks"] = list(_remarks(row))
        remarks += [remark for remark in row["remarks"] if remark not in remarks]
    return {remark: chr(ord("a") + n) for n, remark in enumerate(remarks)}


def _remarks(row: Row) -> Iterable[str]:
    trained, frozen = row["theirs_trained_depth"], row["theirs_frozen_after_epoch"]
    if trained is not None and trained != row["depth"]:
        yield (
            f"The 2022 project labels this cell ResNet-{row['depth']}, but its notebook trains "
            f"ResNet-{trained:.0f}."
        )
    if frozen is not None:
        yield (
            f"The 2022 project resumed after epoch {frozen:.0f} with an optimizer that still held "
            "the discarded network's parameters: no weight moved from there on."
        )


def _distinct(items: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(items))


def _others(records: Sequence[Record], chosen: str | None) -> dict[str, int]:
    """Profiles that the page leaves out, with their number of records."""
    names = sorted({record.profile for record in records} - {chosen})
    return {name: sum(record.profile == name for record in records) for name in names}


def _banner(records: Sequence[Record], summary: pd.DataFrame) -> dict[str, Any]:
    machines = [record.environment for record in records]
    return {
        "devices": _distinct(f"{m.device.upper()}: {m.device_name}" for m in machines),
        "software": _distinct(
            f"resnet-bench {m.resnet_bench}, PyTorch {m.torch}, Python {m.python}"
            + (f", CUDA {m.cuda}" if m.cuda else "")
            for m in machines
        ),
        "commits": _distinct(m.commit or "unknown" for m in machines),
        "precisions": _distinct(record.engine.precision for record in records),
        "first": min(record.started_at for record in records),
        "last": max(record.finished_at for record in records),
        "train_seconds": float(summary["train_seconds"].sum()),
        "completed": int((summary["status"] == "completed").sum()),
        "failed": int((summary["status"] == "failed").sum()),
    }


def _cells(records: Sequence[Record], summary: pd.DataFrame) -> list[tuple[Record, Row]]:
    """Each record with its summary, in the order of the summary."""
    by_id = {record.cell.id: record for record in records}
    return [(by_id[row["cell_id"]], row) for row in _rows(summary)]
