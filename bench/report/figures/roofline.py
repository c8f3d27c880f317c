"""The roofline: what networks do a second, under what the machine can do. No torch here."""

from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bench.analysis.roofline import Roof, roof
from bench.analysis.speed import best_batches
from bench.formats import number, significant
from bench.records.schema import Precision
from bench.records.speed import Limits
from bench.report.figures import speed_findings
from bench.report.figures.chart import (
    MARKERS,
    Chart,
    drawable,
    legend,
    log_scale,
    make_chart,
    spread,
)
from bench.report.figures.readings import Reading, tell
from bench.report.figures.svg import PAGE, SOFT, TEXT, depth_colour

_COLUMNS: Final = ["model", "depth", "stem", "direction", "batch_size", "precision", "intensity",
                   "operations_per_second", "attainable_per_second", "limit_share",
                   "lineage", "shortcut", "resolution"]  # fmt: skip
_FACES: Final = {"training": None, "inference": PAGE}  # filled or hollow


def roofline_charts(summary: pd.DataFrame, limits: Limits | None) -> list[Chart]:
    """One chart per precision: each network at its fastest batch, in both directions.

    Args:
        summary: of ``bench.analysis.speed.summarize``, with these ``limits``.
    """
    if limits is None or summary.empty:
        return []
    points = drawable(
        best_batches(summary),
        "attainable_per_second", "operations_per_second", "intensity",
        positive=True,
    )  # fmt: skip
    charts = []
    for precision, frame in points.groupby("precision", sort=False):
        named: Precision = frame["precision"].iloc[0]
        top = roof(limits, named)
        if top is None:
            continue
        charts.append(
            make_chart(
                f"roofline-{precision}",
                "",
                f"Roofline in {precision}",
                f"Operations a second against operations for each byte moved, in {precision}, both "
                f"logarithmic, under a roof of {top.bytes_per_second / 1e9:.3g} GB/s and "
                f"{top.operations_per_second / 1e9:.4g} GFLOP/s. {_listing(frame)}",
                partial(_draw, frame=frame, top=top),
                frame[_COLUMNS],
                finding=speed_findings.limit(
                    {
                        direction: frame.loc[
                            frame["direction"] == direction, "limit_share"
                        ].to_list()
                        for direction in _FACES
                    }
                ),
            )
        )
    return charts


def _listing(frame: pd.DataFrame) -> str:
    return ", ".join(
        f"{row['model']} {row['direction']} {row['operations_per_second'] / 1e9:.3g}"
        for row in frame.to_dict("records")
    )


def _draw(axes: Axes, frame: pd.DataFrame, top: Roof) -> None:
    """A point for each network and direction; the roof above them."""
    ridge = top.operations_per_second / top.bytes_per_second
    left = min(frame["intensity"].min(), ridge) / 2
    right = max(frame["intensity"].max(), ridge) * 2
    xs = np.array([left, ridge, right])
    roof_line = np.minimum(xs * top.bytes_per_second, top.operations_per_second) / 1e9
    axes.plot(xs, roof_line, color=SOFT, linewidth=1.2)
    for row in frame.to_dict("records"):
        colour = depth_colour(row["depth"])
        height = row["operations_per_second"] / 1e9
        (mark,) = axes.plot(
            row["intensity"],
            height,
            MARKERS.get(row["depth"], "o"),
            color=colour,
            markerfacecolor=_FACES[row["direction"]] or colour,
            markersize=6,
        )
        reading = Reading(
            who=f"{row['model']}, {row['direction']}", value=height, unit=" GFLOP/s",
            write=significant, note=f"{number(100 * row['limit_share'], 0)} % of the limit, "
            f"batches of {row['batch_size']}",
        )  # fmt: skip
        tell(mark, reading, row["depth"])
    log_scale(axes, "x")
    log_scale(axes, "y")
    axes.margins(y=0.15)
    # Nothing lies above the roof: that is where the legend has its place. Labels need some below.
    bottom, ceiling = axes.get_ylim()
    span = ceiling / bottom
    axes.set_ylim(bottom / span**0.15, ceiling * span**0.25)
    axes.set(xlabel="Operations for each byte moved", ylabel="GFLOP/s")
    # Each direction on the side where it is, so that no label lies among the points of the other.
    sides = frame.groupby("direction")["intensity"].median()
    for direction, points in frame.groupby("direction"):
        _label(axes, points, left=bool(sides[direction] == sides.min()))
    marker = partial(Line2D, [], [], linestyle="none", marker="o", color=TEXT)
    legend(
        axes, "upper left", marker(label="training"),
        marker(label="inference", markerfacecolor=PAGE),
    )  # fmt: skip


def _label(axes: Axes, points: pd.DataFrame, *, left: bool) -> None:
    """Write the depths of ``points`` in a column beside all of them, each with a line to its point.

    Points of a machine lie close, so that labels beside each would lie on one another.
    """
    if points.empty:
        return
    column = points["intensity"].min() / 1.5 if left else points["intensity"].max() * 1.5
    bottom, top = np.log(axes.get_ylim())
    # A label needs about a fifteenth of the height.
    logs = spread(list(np.log(points["operations_per_second"] / 1e9)), (top - bottom) / 15)
    for row, height in zip(points.to_dict("records"), np.exp(logs), strict=True):
        axes.annotate(
            f"{row['depth']}",
            (row["intensity"], row["operations_per_second"] / 1e9),
            xytext=(column, height),
            ha="right" if left else "left",
            va="center",
            color=depth_colour(row["depth"]),
            fontsize=8,
            fontweight="bold",
            arrowprops={"arrowstyle": "-", "color": SOFT, "linewidth": 0.5, "shrinkB": 3},
        )
