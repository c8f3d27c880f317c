"""Errors that others report, network by network, beside the paper's and ours."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bench.analysis.labels import model_title
from bench.analysis.reproductions import CIFAR10, ONE_CROP, Digest
from bench.formats import number
from bench.report.figures import findings
from bench.report.figures.chart import Chart, dot, legend, make_chart, name_rows
from bench.report.figures.readings import Reading
from bench.report.figures.svg import OTHERS, OURS, PAGE, PAPER, SIZE

_ROW_INCHES: Final = 0.34


def others_charts(digests: Sequence[Digest]) -> list[Chart]:
    """A figure for CIFAR-10 and one for single crops of ImageNet."""
    return [
        _chart(key, panel, [each for each in digests if each.panel == panel])
        for key, panel in (("others-cifar10", CIFAR10), ("others-imagenet", ONE_CROP))
    ]


def _chart(key: str, panel: str, digests: Sequence[Digest]) -> Chart:
    listed = "; ".join(
        f"{model_title(each.network, each.depth)} {number(each.results[0].value)} to "
        f"{number(each.results[-1].value)}, {len(each.results)} results"
        for each in digests
    )
    return make_chart(
        key,
        panel,
        "Errors that others report",
        f"Top-1 errors in percent that others report on {panel}: {listed}",
        partial(_draw, digests=digests),
        _data(digests),
        finding=findings.others(digests),
        size=(SIZE[0], 1.2 + _ROW_INCHES * len(digests)),
    )


def _data(digests: Sequence[Digest]) -> pd.DataFrame:
    return pd.DataFrame(
        {"network": each.model, "error": result.value, "std": result.std, "runs": result.runs,
         "kind": result.kind, "who": result.who, "printed": each.printed}
        for each in digests for result in each.results
    )  # fmt: skip


def _draw(axes: Axes, digests: Sequence[Digest]) -> None:
    """Grey: of others, hollow where picked on test images; squares: printed; above them: ours.

    Ours only where they were trained as long as the paper says: others would not fit the axis.
    """
    for place, each in enumerate(digests):
        title = model_title(each.network, each.depth)
        for result in each.results:
            face = PAGE if result.kind == "best epoch" else OTHERS
            std = math.nan if result.std is None else result.std
            reading = Reading(
                who=f"{title}, {result.who}", value=result.value,
                span=(result.value - std, result.value + std), seeds=result.runs, note=result.kind,
            )  # fmt: skip
            dot(axes, (result.value, place), reading.span, OTHERS, face=face, size=5,
                reading=reading, depth=each.depth, linewidth=1)  # fmt: skip
        if each.printed is not None:
            dot(axes, (each.printed, place), (math.nan, math.nan), PAPER, marker="s",
                reading=Reading(who=f"{title}, paper", value=each.printed),
                depth=each.depth)  # fmt: skip
        for row in each.ours:
            if row.paper_budget and row.test_error is not None:
                reading = Reading(who=f"{title}, ours", value=row.test_error, images=row.images,
                                  seeds=row.seeds)  # fmt: skip
                dot(axes, (row.test_error, place - 0.25), (math.nan, math.nan), OURS,
                    reading=reading, depth=each.depth)  # fmt: skip
    titles = [model_title(each.network, each.depth).replace("ResNet-", "") for each in digests]
    name_rows(axes, titles, "Top-1 error (%)")
    handles = _legend(digests)
    # The legend stands below the last row, a line for each handle.
    axes.set_ylim(len(digests) - 0.4 + 0.6 * len(handles), -0.7)
    axes.margins(x=0.06)
    legend(axes, "lower right", *handles)


def _legend(digests: Sequence[Digest]) -> list[Line2D]:
    """What is there, in the order in which it is drawn."""
    mark = partial(Line2D, [], [], linestyle="")
    marks = {
        "others": mark(marker="o", color=OTHERS),
        "others, best epoch": mark(marker="o", color=OTHERS, markerfacecolor=PAGE),
        "paper": mark(marker="s", color=PAPER),
        "ours": mark(marker="o", color=OURS),
    }
    there = {
        "others": True,
        "others, best epoch": any(each.best_epochs for each in digests),
        "paper": any(each.printed is not None for each in digests),
        "ours": any(row.paper_budget for each in digests for row in each.ours),
    }
    for label, handle in marks.items():
        handle.set_label(label)
    return [handle for label, handle in marks.items() if there[label]]
