"""Records -> one self-contained HTML page. Rounding and wording happen here and in the templates.

The page depends on nothing but the records and the reference files: the same records give the same
bytes, and no torch is imported.
"""

import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment as Jinja
from jinja2 import PackageLoader, StrictUndefined
from markupsafe import Markup

from bench import stats
from bench.analysis import labels, networks
from bench.errors import BenchError
from bench.formats import duration, fit_for_html, number, period, significant, size
from bench.records import folder, store
from bench.records.classes import Classes
from bench.records.schema import Record
from bench.records.writing import write_atomic
from bench.reference.loader import dataset_title, load_paper
from bench.report import summaries
from bench.report.against import set_beside
from bench.report.chapters import Chapter, chapters
from bench.report.contents import Contents
from bench.report.guard import attempt, collecting
from bench.report.results import Results, gather


def write(
    results_folder: Path,
    out_file: Path,
    profile: str | None = None,
    against: Path | None = None,
    *,
    coming: Sequence[str] = (),
) -> list[str]:
    """Render the records below ``results_folder``, and what lies beside it, to ``out_file``.

    ``against`` is a results folder that the page sets them beside, ``coming`` names the cells that
    a run still has to train.

    The summaries (``bench.report.summaries``) are written beside it.

    Returns:
        What had to be left out, a sentence each: records that cannot be read, and what could not
        be drawn.

    Raises:
        UsageError: no record of ``profile`` is there, or nothing in ``against`` can be read.
        BenchError: ``out_file`` cannot be written.
    """
    found = folder.read_beside(results_folder)
    return write_found(found, out_file, profile, against, coming=coming)


def write_found(
    found: folder.Results,
    out_file: Path,
    profile: str | None = None,
    against: Path | None = None,
    *,
    coming: Sequence[str] = (),
) -> list[str]:
    """``write`` for what has been read already."""
    problems = [*found.damaged_cells, *found.damaged_others, *found.damaged_workloads]

    def load(record: Record) -> Classes | None:
        try:
            return store.load_predictions(found.runs, record)
        except BenchError as error:
            problems.append(str(error))
            return None

    def from_page(path: Path) -> str:
        return Path(os.path.relpath(path, out_file.parent)).as_posix()

    with collecting() as failures:
        results = attempt(
            "The table of all records",
            lambda: gather(found.cells, profile),
            lambda _: gather(list(filter(_can_be_tabled, found.cells)), profile),
        )
        problems += failures
        failures.clear()
        beside = None
        if against:
            shown = {record.cell.id for record in results.records}
            other = folder.read(against)
            beside = attempt(
                f"What stands beside {other.folder}",
                lambda: set_beside(found, other, shown, from_page),
                lambda _: None,
            )
        contents = Contents(
            found=found,
            problems=problems,
            against=beside,
            coming=coming,
            predictions=load,
            path_to=from_page,
        )
        page = draw(contents, results)
        summary_files = attempt(
            "The summaries", lambda: summaries.files(results, found), lambda _: {}
        )
    for name, content in summary_files.items():
        write_atomic(out_file.with_name(name), content)
    write_atomic(out_file, page)
    return [*problems, *(beside.problems if beside else ()), *failures]


def _can_be_tabled(record: Record) -> bool:
    return attempt(
        f"The record {record.cell.id}", lambda: bool(gather([record]).records), lambda _: False
    )


def draw(contents: Contents, results: Results) -> str:
    """The page; within ``guard.collecting`` a part that fails is a note in its place."""
    shown = [
        (chapter, _heading(chapter), parts)
        for chapter in chapters(contents, results)
        if (parts := [Markup(html) for each in chapter.parts if (html := _part(*each))])
    ]
    return fill(
        "report",
        chapters=shown,
        profile=results.profile,
        facts=results.facts,
        paper=load_paper(),
    )


def _heading(chapter: Chapter) -> str:
    what = f"The heading of “{chapter.title}”"
    return attempt(what, chapter.heading, lambda _: chapter.title)


def _part(name: str, title: str, template: str, context: Callable[[], dict[str, Any]]) -> str:
    return attempt(
        f"The section “{title}”",
        lambda: fill(template, **context()),
        lambda why: fill("failed", name=name, title=title, why=why),
    )


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
