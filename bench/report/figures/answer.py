"""The answer at a glance: accuracy by depth on each data set, and errors beside the paper's."""

from collections.abc import Sequence
from functools import cache, partial
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bench.analysis.baselines import Row
from bench.analysis.labels import model_title
from bench.analysis.order import Share
from bench.formats import number
from bench.reference.loader import dataset_title, load_paper, load_project2022
from bench.reference.project2022 import ProjectCell
from bench.report.figures import findings
from bench.report.figures.chart import Chart, dot, make_chart
from bench.report.figures.readings import Reading, belongs
from bench.report.figures.svg import OURS, PAGE, PAPER, PROJECT, TEXT

_SIZE: Final = (4.2, 3.5)
_TEXT: Final = 11.5
"""Three figures stand beside one another, so that each is drawn smaller than others."""
_EDGES: Final = (0.125, 0.11, 0.865, 0.78)
_TABLE6: Final = {"network": "cifar_resnet", "shortcut": "A"}


def answer_charts(grid: Sequence[Row], table6: Sequence[Row]) -> list[Chart]:
    """Test accuracy on CIFAR-10 and on MNIST beside the 2022 project's, and Table 6 with ours.

    Args:
        grid: of ``baselines.grid``; drawn is the panel that the 2022 project compares with, else
            the first one of its networks.
        table6: of ``baselines.table6``.
    """
    charts = [_accuracy(dataset, grid) for dataset in ("cifar10", "mnist")]
    ours = [
        row
        for row in table6
        if all(getattr(row, name) == value for name, value in _TABLE6.items())
        and row.test_error is not None
    ]
    return [*charts, _errors(ours)]


@cache
def _theirs(dataset: str) -> list[ProjectCell]:
    cells = [cell for cell in load_project2022().cells() if cell.dataset == dataset]
    return sorted(cells, key=lambda cell: cell.depth)


def _accuracy(dataset: str, grid: Sequence[Row]) -> Chart:
    rows = [row for row in grid if (row.dataset, row.network) == (dataset, "resnet")]
    started = [row for row in rows if row.cell_ids]
    panel = next((row.panel for row in started if row.theirs), None)
    if panel is None and started:
        panel = started[0].panel
    ours = sorted(
        (row for row in started if row.panel == panel and row.test_accuracy is not None),
        key=lambda row: row.depth,
    )
    theirs = _theirs(dataset)
    title = dataset_title(dataset)
    listed = [("Ours", [(row.depth, row.test_accuracy) for row in ours])] if ours else []
    listed.append(("2022 project", [(cell.depth, cell.test_accuracy) for cell in theirs]))
    values = ". ".join(
        f"{who}: " + ", ".join(f"{depth} layers {number(value, 1)}" for depth, value in each)
        for who, each in listed
    )
    data = [
        {"source": "ours", "depth": row.depth, "test_accuracy": row.test_accuracy,
         "low": row.test_low, "high": row.test_high, "images": row.images, "seeds": row.seeds}
        for row in ours
    ] + [
        {"source": "2022 project", "depth": cell.depth, "test_accuracy": cell.test_accuracy,
         "images": cell.images}
        for cell in theirs
    ]  # fmt: skip
    return make_chart(
        f"answer-{dataset}",
        panel or title,
        "Test accuracy in % by depth",
        f"Test accuracy in percent by depth, on {title}. {values}",
        partial(_draw_accuracy, ours=ours, theirs=theirs),
        pd.DataFrame(data),
        finding=findings.by_depth(
            ours, [Share(cell.test_accuracy, cell.test_images) for cell in theirs]
        ),
        size=_SIZE,
    )


def _draw_accuracy(axes: Axes, ours: Sequence[Row], theirs: Sequence[ProjectCell]) -> None:
    """Circles on a line: ours, with intervals; diamonds on a dashed line: the 2022 project's."""
    depths = sorted({row.depth for row in ours} | {cell.depth for cell in theirs})
    places = {depth: place for place, depth in enumerate(depths)}
    there = {cell.depth: cell.test_accuracy for cell in theirs}
    here = {row.depth: row.test_accuracy or 0.0 for row in ours}
    axes.plot([places[depth] for depth in there], list(there.values()), "--", color=PROJECT,
              linewidth=1.1, alpha=0.7)  # fmt: skip
    axes.plot([places[depth] for depth in here], list(here.values()), color=OURS, linewidth=1.1,
              alpha=0.6)  # fmt: skip
    for cell in theirs:
        slip = f"trains ResNet-{cell.trained_depth}" if cell.trained_depth != cell.depth else ""
        dot(
            axes, (places[cell.depth], cell.test_accuracy), (float("nan"),) * 2, PROJECT,
            marker="D", face=PAGE, size=6.5, depth=cell.depth,
            reading=Reading(
                who=f"ResNet-{cell.depth}, 2022 project", value=cell.test_accuracy,
                images=cell.images, seeds=1, note=slip,
            ),
        )  # fmt: skip
        is_above = cell.test_accuracy >= here.get(cell.depth, 0)
        _value(axes, places[cell.depth], cell.test_accuracy, PROJECT, cell.depth, above=is_above)
    for row in ours:
        value, span = here[row.depth], (row.test_low or 0.0, row.test_high or 0.0)
        dot(
            axes, (places[row.depth], value), span, OURS, upright=True, size=7, depth=row.depth,
            linewidth=2.2,
            reading=Reading(
                who=f"{row.title}, ours", value=value, span=span, images=row.images,
                seeds=row.seeds,
            ),
        )  # fmt: skip
        is_above = value > there.get(row.depth, 0)
        edge = span[1] if is_above else span[0]
        _value(axes, places[row.depth], edge, OURS, row.depth, above=is_above,
               text=number(value, 1))  # fmt: skip
    marks = [Line2D([], [], marker="D", color=PROJECT, markerfacecolor=PAGE, linestyle="--",
                    label="2022 project")]  # fmt: skip
    if ours:
        marks.insert(0, Line2D([], [], marker="o", color=OURS, label="ours, 95 % interval"))
    _finish(axes, depths, marks)


def _errors(ours: Sequence[Row]) -> Chart:
    printed = load_paper().tables.table6.resnets
    listed = "The paper: " + ", ".join(
        f"{depth} layers {number(printed[depth].expected)}" for depth in sorted(printed)
    )
    if ours:
        listed += ". Ours: " + ", ".join(f"{row.title} {number(row.test_error)}" for row in ours)
    data = [
        {"source": "paper", "depth": depth, "test_error": row.expected, "std": row.std,
         "seeds": row.runs or 1}
        for depth, row in sorted(printed.items())
    ] + [
        {"source": "ours", "depth": row.depth, "test_error": row.test_error,
         "iterations": row.steps, "seeds": row.seeds}
        for row in ours
    ]  # fmt: skip
    return make_chart(
        "answer-table6",
        "CIFAR-10",
        "Test error in % by depth, networks of Table 6",
        f"Test error in percent by depth, of the networks of Table 6 on CIFAR-10. {listed}",
        partial(_draw_errors, ours=ours),
        pd.DataFrame(data),
        finding=findings.paper_errors(printed, ours),
        size=_SIZE,
    )


def _draw_errors(axes: Axes, ours: Sequence[Row]) -> None:
    """Squares: the paper's; circles: ours, a dashed one around the paper's where not trained."""
    printed = dict(sorted(load_paper().tables.table6.resnets.items()))
    depths = sorted({*printed, *(row.depth for row in ours)})
    places = {depth: place for place, depth in enumerate(depths)}
    errors = [row.expected for row in printed.values()]
    axes.plot([places[depth] for depth in printed], errors, color=PAPER, linewidth=1.1, alpha=0.6)
    for depth, row in printed.items():
        std = row.std if row.std is not None else float("nan")
        dot(
            axes, (places[depth], row.expected), (row.expected - std, row.expected + std), PAPER,
            upright=True, marker="s", size=6, depth=depth, linewidth=2,
            reading=Reading(
                who=f"{model_title('cifar_resnet', depth)}, paper", value=row.expected,
                seeds=row.runs or 1, note=f"± {number(std)}" if row.std else "",
            ),
        )  # fmt: skip
        _value(axes, places[depth], row.expected + (row.std or 0), PAPER, depth, above=True,
               text=number(row.expected))  # fmt: skip
    for each in ours:
        span = 100 - (each.test_high or 0.0), 100 - (each.test_low or 0.0)
        dot(
            axes, (places[each.depth], each.test_error or 0.0), span, OURS, upright=True, size=7,
            depth=each.depth, linewidth=2.2,
            reading=Reading(
                who=f"{each.title}, ours", value=each.test_error or 0.0, span=span,
                images=each.images, seeds=each.seeds,
                note=f"{number(each.steps, 0)} of {number(each.paper_steps, 0)} iterations",
            ),
        )  # fmt: skip
    missing = set(printed) - {row.depth for row in ours}
    slot: dict[str, Any] = {"facecolors": "none", "edgecolors": OURS, "linestyles": "dashed",
                            "linewidths": 1.1}  # fmt: skip
    marks: list[Any] = [Line2D([], [], marker="s", color=PAPER, label="paper")]
    if ours:
        marks.append(Line2D([], [], marker="o", color=OURS, label="ours, 95 %"))
    if missing:
        for depth in sorted(missing):
            belongs(axes.scatter(places[depth], printed[depth].expected, 190, **slot), depth)
        marks.append(axes.scatter([], [], 70, label="ours, not run yet", **slot))
    _finish(axes, depths, marks)


def _value(
    axes: Axes, x: float, y: float, colour: str, depth: int, *, above: bool,
    text: str = "",
) -> None:  # fmt: skip
    """Its value beside a point; ``y`` is where the point or its interval ends."""
    label = axes.annotate(
        text or number(y, 1), (x, y), xytext=(0, 9 if above else -9),
        textcoords="offset points", ha="center", va="bottom" if above else "top", color=colour,
        fontsize=_TEXT,
    )  # fmt: skip
    belongs(label, depth)


def _finish(axes: Axes, depths: Sequence[int], marks: list[Any]) -> None:
    axes.set_position(_EDGES)
    axes.set_xticks(range(len(depths)), [str(depth) for depth in depths])
    axes.tick_params(labelsize=_TEXT)
    axes.grid(axis="x", visible=False)
    axes.set_xlim(-0.5, len(depths) - 0.5)
    axes.margins(y=0.2)
    axes.annotate(
        "layers", (1, 0), xycoords="axes fraction", xytext=(0, -34), textcoords="offset points",
        ha="right", fontsize=_TEXT, color=TEXT,
    )  # fmt: skip
    axes.legend(
        handles=marks, loc="lower left", bbox_to_anchor=(-0.14, 1.0), ncol=len(marks),
        fontsize=_TEXT, frameon=False, borderpad=0, borderaxespad=0.3, handlelength=1.6,
        handletextpad=0.5, columnspacing=1.1,
    )  # fmt: skip
