"""Pages made of synthetic records, and what a reader finds on them."""

from contextlib import contextmanager, nullcontext
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from bench.records import blocks
from bench.records.folder import Results
from bench.records.schema import Predictions
from bench.report import chapters
from bench.report import page as report
from bench.report.against import set_beside
from bench.report.contents import Contents
from bench.report.guard import collecting
from bench.report.results import gather
from tests.support import block_files
from tests.support.block_files import content, four_timings, timing
from tests.support.factories import (
    ENVIRONMENT,
    START,
    make_evaluation,
    make_failed,
    make_grid,
    make_profile,
    make_record,
    make_signals,
)
from tests.support.results import make_results
from tests.support.speeds import QUIET, make_limits, make_speed_record, make_workload
from tests.support.tools import HOSTILE, parsed


@contextmanager
def without_figures():
    """Within it an empty <svg> of the right form stands for each figure.

    Matplotlib takes three quarters of the time of a page: only tests of the figures themselves, of
    the whole page in a browser and of its HTML need them.
    """
    # What a process draws once, for pages with figures too.
    chapters._audit()
    chapters._others_alone()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.report.figures.chart.draw_svg", _empty_svg)
        yield


def _empty_svg(_draw, key, _size=None):
    return (
        f'<svg viewBox="0 0 338.4 216" role="img" aria-labelledby="{key}-title {key}-description">'
        "</svg>"
    )


def render(
    records, problems=(), *, profile=None, figures=False, against=None,
    predictions=lambda _record: None, **found,
):  # fmt: skip
    """The page of these records and of what else a results folder holds."""
    held = Contents(
        found=Results(folder=Path(), runs=Path("runs"), cells=records, **found),
        problems=problems,
        against=against,
        predictions=predictions,
        path_to=Path.as_posix,
    )
    with nullcontext() if figures else without_figures():
        return report.draw(held, gather(records, profile))


def write_page(*arguments, **options):
    """``bench.report.page.write`` without figures."""
    with without_figures():
        return report.write(*arguments, **options)


def changed(record, *, slower=1.0, more_correct=0):
    """``record`` as another machine with a hostile name may make it."""
    environment = record.environment.model_copy(update={"device_name": HOSTILE, "torch": "3.0"})
    times = {
        name: tuple(slower * second for second in seconds)
        for name, seconds in record.speed
        if name.endswith("_seconds")
    }
    *first, last = record.epochs
    final = last.model_copy(update={"test_correct": last.test_correct + more_correct})
    return record.model_copy(
        update={
            "environment": environment,
            "speed": record.speed.model_copy(update=times),
            "epochs": (*first, final),
        }
    )


RECORDS = {
    "empty": [],
    "one": [make_record()],
    "one of table 6": [make_record(56, network="cifar_plain")],
    "failed": [make_failed(reason=HOSTILE)],
    "ten": make_grid(),
    "mixed": [*make_grid()[2:], make_failed(18), make_record(50, lineage="torchvision")],
    "fifty": make_grid(seeds=5),
    "full": make_profile("full"),
    "lecture": make_profile("lecture"),
    "table6": make_profile("table6"),
    "table6 with seeds": [r for r in make_profile("table6", seeds=3) if r.cell.depth < 40],
    "project2022": make_profile("project2022"),
    "signals": [r.model_copy(update={"signals": make_signals(r)}) for r in make_grid(seeds=2)],
}


EVERYTHING = [
    record.model_copy(
        update={
            "signals": make_signals(record) if record.cell.depth == 20 else (),
            "predictions": Predictions(images=40, sha256="0" * 64),
        }
    )
    for record in (
        *make_grid(),
        *(make_record(20, seed=seed, network="cifar_resnet") for seed in (0, 1)),
    )
]


@cache
def page_of(name, *, figures=False):
    """The page of RECORDS[name], with a damaged record; "everything" has every section once."""
    problems = ["runs/x/record.json is damaged: " + HOSTILE]
    if name != "everything":
        return render(RECORDS[name], problems, figures=figures)
    return render(
        EVERYTHING,
        problems,
        figures=figures,
        evaluations=[make_evaluation()],
        blocks=make_blocks(*four_timings()),
        workloads=[make_speed_record()],
        limits=make_limits(),
        against=beside(
            EVERYTHING, [changed(record, slower=1.3, more_correct=50) for record in EVERYTHING]
        ),
        predictions=lambda record: np.array([[record.cell.depth % 10] * 40, range(40)]) % 10,
    )


def make_blocks(*timings, **machine):
    """Timings of blocks as they are read from a file."""
    with TemporaryDirectory() as folder:
        info = content()["machine_info"] | machine
        block_files.write(Path(folder), content(*timings, machine_info=info))
        return blocks.find(Path(folder))[0]


def beside(these, those):
    """The section that sets cells beside others, of the folder ``other``."""
    folders = make_results(Path("this"), these), make_results(Path("other"), those)
    return set_beside(*folders, {record.cell.id for record in these}, Path.as_posix)


def page_with_a_failed_figure():
    """Of one record: those of its accuracy by cost could not be drawn."""

    def fail(*_arguments, **_options):
        raise OverflowError(HOSTILE)

    with pytest.MonkeyPatch.context() as patch, collecting():
        patch.setattr("bench.report.figures.costs._draw_cost", fail)
        return render([make_record()], figures=True)


@cache
def odd_page(text):
    """A page with ``text`` wherever a record, an evaluation or a timing holds a free text."""
    timed = timing(0.1, **dict.fromkeys(("stage", "block", "lineage", "dtype"), text))
    names = [
        name for name, each in ENVIRONMENT if isinstance(each, str | None) and name != "device"
    ]
    environment = ENVIRONMENT.model_copy(update=dict.fromkeys(names, text))
    made = {"environment": environment, "command": text}
    start = START + timedelta(days=9)
    newest = {"profile": text, "started_at": start, "finished_at": start}
    failed = {"status": "failed", "reason": text, "rounds": (), "warmup": (), "peak_memory": None}
    workloads = [
        make_speed_record(conditions=QUIET.model_copy(update={"warnings": (text,)}), **made),
        make_speed_record(make_workload(model="resnet34"), **made, **failed),
    ]
    return render(
        [
            make_record(18, **made, **newest),
            make_failed(34, reason=text).model_copy(update=made | newest),
            make_record(50, profile=f"{text} too"),
        ],
        [text],
        evaluations=[make_evaluation(file_name=text, **made)],
        blocks=make_blocks(timed, device_name=text),
        workloads=workloads,
        limits=make_limits(**made),
    )


def table_of(page, label):
    """The rows of the table in the scroll box with this label, each a list of its cells' texts."""
    (box,) = parsed(page).findall(f".//div[@aria-label='{label}']")
    return [["".join(cell.itertext()) for cell in row] for row in box.findall(".//tbody/tr")]
