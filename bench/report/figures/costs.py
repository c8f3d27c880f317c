"""Speed, and accuracy against what it costs: a point for each depth, one panel a chart."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter

from bench.formats import significant
from bench.report.figures.chart import (
    MARKERS,
    Chart,
    Rows,
    dot,
    listing,
    make_chart,
    name_rows,
    panels,
    rows_of,
)
from bench.report.figures.svg import PAGE, depth_colour

# Key, title, axis and the medians to draw, columns of the summary beside their quartiles.
_SPEEDS: Final = (
    (
        "speed",
        "throughput, filled = training, hollow = inference",
        "Images per second",
        ("training_images_per_second", "inference_images_per_second"),
    ),
    ("latency", "latency of one image", "Milliseconds", ("latency_ms",)),
)
# A hollow point for what is live is drawn where this share, or more, is not.
_DEAD_SHARE: Final = 0.05
# Column of the summary -> key, axis, words.
_COSTS: Final = {
    "macs": ("cost", "Multiply-adds per image (MACs)", "MACs per image"),
    "parameters": ("parameters", "Parameters", "parameters"),
}


def speed_charts(summary: pd.DataFrame) -> list[Chart]:
    """Median throughput of each depth, and its latency: two charts per panel."""
    charts = []
    measured = summary.dropna(subset=[name for *_, columns in _SPEEDS for name in columns])
    for number, panel, frame in panels(measured):
        for key, title, axis, columns in _SPEEDS:
            drawn = [name for column in columns for name in _with_quartiles(column)]
            medians = frame.groupby("depth")[drawn].median()
            listed = ". ".join(
                f"{name.partition('_')[0].capitalize()}: {listing(frame, medians[name])}"
                for name in columns
            )
            charts.append(
                make_chart(
                    f"{key}-{number}",
                    panel,
                    title,
                    f"{axis} on {panel}, logarithmic scale. {listed}",
                    partial(_draw_speed, rows=rows_of(medians), axis=axis, columns=columns),
                    medians.reset_index(),
                )
            )
    return charts


def _with_quartiles(column: str) -> tuple[str, str, str]:
    """The columns of the summary that belong to a median."""
    kind = column.partition("_")[0]
    return column, f"{kind}_low", f"{kind}_high"


def cost_charts(summary: pd.DataFrame) -> list[Chart]:
    """Test accuracy against MACs per image at the training resolution, and against parameters.

    Two charts per panel. Hollow points stand at what of the cost is live, where that is less.
    """
    charts = []
    measured = summary.dropna(subset=["macs", "test_accuracy"])
    for number, panel, frame in panels(measured):
        rows = frame.groupby("depth").agg(
            {"macs": "mean", "parameters": "mean", "live_macs": "mean", "live_parameters": "mean",
             "test_accuracy": "mean", "test_low": "min", "test_high": "max"}
        )  # fmt: skip
        for column, (key, label, words) in _COSTS.items():
            live = rows[f"live_{column}"]
            dead = bool((live < (1 - _DEAD_SHARE) * rows[column]).any())
            title = f"test accuracy (95 % interval) against {words}"
            description = f"Test accuracy in percent against {words}, on {panel}. "
            if dead:
                title += ", hollow = live ones alone"
                description += (
                    f"Hollow points stand at the live {words}, which meet more than padding. "
                )
            charts.append(
                make_chart(
                    f"{key}-{number}",
                    panel,
                    title,
                    description + listing(frame, rows["test_accuracy"]),
                    partial(_draw_cost, rows=rows_of(rows), column=column, label=label, live=dead),
                    rows.reset_index()[
                        ["depth", column, live.name, "test_accuracy", "test_low", "test_high"]
                    ],
                )
            )
    return charts


def _draw_speed(axes: Axes, rows: Rows, axis: str, columns: Sequence[str]) -> None:
    """A row per depth; a second value is hollow; bars span the quartiles."""
    for position, row in enumerate(rows):
        colour = depth_colour(row["depth"])
        for column, face in zip(columns, (colour, PAGE), strict=False):
            value, low, high = (row[name] for name in _with_quartiles(column))
            dot(axes, (value, position), (low, high), colour, face=face, linewidth=3, alpha=0.35)
            axes.annotate(
                significant(value), (value, position), xytext=(0, 6), textcoords="offset points",
                ha="center", fontsize=8,
            )  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    name_rows(axes, [str(row["depth"]) for row in rows], f"{axis} (log scale)")
    axes.set_ylim(len(rows) - 0.5, -0.7)
    axes.margins(x=0.12)


def _draw_cost(axes: Axes, rows: Rows, column: str, label: str, *, live: bool) -> None:
    """A point per depth with the 95 % interval of its test accuracy (of all its seeds').

    Where it is to be ``live`` too, a hollow one on a line to the left of it.
    """
    width = max(row[column] for row in rows) - min(row[column] for row in rows)
    for row, neighbour in zip(rows, [*rows[1:], None], strict=True):
        depth, colour = row["depth"], depth_colour(row["depth"])
        point = (row[column], row["test_accuracy"])
        if live:
            hollow = row[f"live_{column}"], row["test_accuracy"]
            dot(axes, hollow, (math.nan, math.nan), colour, face=PAGE, size=5,
                marker=MARKERS.get(depth, "o"))  # fmt: skip
            axes.plot(*zip(point, hollow, strict=True), ":", color=colour, linewidth=1, zorder=1)
        dot(axes, point, (row["test_low"], row["test_high"]), colour, upright=True,
            marker=MARKERS.get(depth, "o"), linewidth=1)  # fmt: skip
        # The label stands left of its point where the next one is close on the right.
        is_close = neighbour is not None and neighbour[column] - row[column] < width / 8
        axes.annotate(
            f"{depth}", point, textcoords="offset points",
            xytext=(-7, 7 if live else 0) if is_close else (7, 0),
            ha="right" if is_close else "left", va="center", color=colour, fontweight="bold",
        )  # fmt: skip
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.margins(x=0.1, y=0.12)
    axes.set(xlabel=label, ylabel="Test accuracy (%)")
