"""Speed, and accuracy against what it costs: a point for each depth, one panel a chart."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter

from bench.analysis.labels import model_title
from bench.analysis.order import Share
from bench.formats import significant
from bench.report.figures import findings, speed_findings
from bench.report.figures.chart import (
    MARKERS,
    Chart,
    Rows,
    dot,
    drawable,
    listing,
    log_scale,
    make_chart,
    name_rows,
    panels,
    rows_of,
)
from bench.report.figures.readings import Reading, belongs
from bench.report.figures.speed_findings import Timing
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
    measured = drawable(
        summary, *(name for *_, columns in _SPEEDS for name in columns), positive=True
    )
    for number, panel, frame in panels(measured):
        for key, title, axis, columns in _SPEEDS:
            drawn = [name for column in columns for name in _with_quartiles(column)]
            by_depth = frame.groupby("depth")
            medians = by_depth[drawn].median().assign(seeds=by_depth["seed"].nunique())
            network = str(frame["network"].iloc[0])
            disturbed = frame["speed_problem"].notna().any()
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
                    partial(
                        _draw_speed,
                        rows=rows_of(medians),
                        axis=axis,
                        columns=columns,
                        network=network,
                    ),
                    medians.reset_index(),
                    finding="" if disturbed else _speed_finding(network, medians, columns),
                )
            )
    return charts


def _speed_finding(network: str, medians: pd.DataFrame, columns: Sequence[str]) -> str:
    timings = [
        [
            Timing(network, row["depth"], *(row[name] for name in (low, value, high)))
            for row in rows_of(medians)
        ]
        for value, low, high in map(_with_quartiles, columns)
    ]
    if len(timings) == 1:
        return speed_findings.latency(timings[0])
    return speed_findings.throughput(timings[0], timings[1])


def _with_quartiles(column: str) -> tuple[str, str, str]:
    """The columns of the summary that belong to a median."""
    kind = column.partition("_")[0]
    return column, f"{kind}_low", f"{kind}_high"


def cost_charts(summary: pd.DataFrame) -> list[Chart]:
    """Test accuracy against MACs per image at the training resolution, and against parameters.

    Two charts per panel. Hollow points stand at what of the cost is live, where that is less.
    """
    charts = []
    measured = drawable(summary, "macs", "parameters", "test_accuracy")
    for number, panel, frame in panels(measured):
        rows = frame.groupby("depth").agg(
            {"macs": "mean", "parameters": "mean", "live_macs": "mean", "live_parameters": "mean",
             "test_accuracy": "mean", "test_low": "min", "test_high": "max",
             "test_images": "min", "images": "mean", "seed": "nunique"}
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
                    partial(
                        _draw_cost,
                        rows=rows_of(rows),
                        column=column,
                        label=label,
                        live=dead,
                        network=str(frame["network"].iloc[0]),
                    ),
                    rows.reset_index()[
                        ["depth", column, live.name, "test_accuracy", "test_low", "test_high"]
                    ],
                    finding=findings.along(
                        [Share(row["test_accuracy"], row["test_images"]) for row in rows_of(rows)],
                        words,
                    ),
                )
            )
    return charts


def _draw_speed(axes: Axes, rows: Rows, axis: str, columns: Sequence[str], network: str) -> None:
    """A row per depth; a second value is hollow; bars span the quartiles."""
    for position, row in enumerate(rows):
        colour = depth_colour(row["depth"])
        for column, face in zip(columns, (colour, PAGE), strict=False):
            value, low, high = (row[name] for name in _with_quartiles(column))
            what = column.partition("_")[0]
            reading = Reading(
                who=f"{model_title(network, row['depth'])}, {what}", value=value, span=(low, high),
                unit=" ms" if what == "latency" else " images/s", seeds=row["seeds"],
                note="median and quartiles", write=significant,
            )  # fmt: skip
            dot(axes, (value, position), (low, high), colour, face=face, reading=reading,
                depth=row["depth"], linewidth=3, alpha=0.35)  # fmt: skip
            text = axes.annotate(
                significant(value), (value, position), xytext=(0, 6), textcoords="offset points",
                ha="center", fontsize=8.5,
            )  # fmt: skip
            belongs(text, row["depth"])
    log_scale(axes, "x")
    name_rows(axes, [str(row["depth"]) for row in rows], f"{axis} (log scale)")
    axes.set_ylim(len(rows) - 0.5, -0.7)
    axes.margins(x=0.12)


def _draw_cost(
    axes: Axes, rows: Rows, column: str, label: str, network: str, *, live: bool
) -> None:
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
        span = (row["test_low"], row["test_high"])
        reading = Reading(
            who=f"{model_title(network, depth)}, test accuracy", value=row["test_accuracy"],
            span=span, images=row["images"], seeds=row["seed"],
            note=f"{row[column] / 1e6:,.1f} million {_COSTS[column][2]}",
        )  # fmt: skip
        dot(axes, point, span, colour, upright=True, marker=MARKERS.get(depth, "o"),
            reading=reading, depth=depth, linewidth=1)  # fmt: skip
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
