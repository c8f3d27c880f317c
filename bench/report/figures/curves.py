"""Learning curves: ours, and faintly those of the 2022 project where its networks are ours."""

import math
from functools import partial
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, MaxNLocator

from bench.analysis.labels import model_title
from bench.analysis.order import Share
from bench.formats import number
from bench.report.figures import findings
from bench.report.figures.chart import (
    MARKERS,
    Chart,
    depth_lines,
    dot,
    drawable,
    label_ends,
    last_points,
    legend,
    listing,
    make_chart,
    over_seeds,
    panels,
)
from bench.report.figures.readings import Crosshair, Reading, across, name_line
from bench.report.figures.svg import TEXT, depth_colour

_CURVES: Final = {
    "test_accuracy": "Test accuracy (%)",
    "train_accuracy": "Train accuracy (%)",
    "test_loss": "Test loss (nats per image)",
    "train_loss": "Train loss (nats per image)",
}
_FAINT: Final = 0.45
_FLATTENED: Final = 100
"""Losses so many times apart get a log scale: the smaller ones would all lie on the axis."""
_SAME: Final = ["dataset", "network", "stem", "shortcut", "depth"]
"""What a run of the 2022 project must share with one of ours to be drawn behind it."""


def curve_charts(curves: pd.DataFrame, theirs: pd.DataFrame) -> list[Chart]:
    """Accuracy and loss against training images seen, all depths overlaid, four per panel.

    Several seeds are drawn as their mean and a band from the lowest to the highest.

    Args:
        curves: ours, of ``tables.curves``.
        theirs: the 2022 project's, of ``baselines.project_curves``; drawn as far as ours reach.
    """
    charts = []
    for place, panel, rows in panels(curves):
        beside = theirs.merge(rows[_SAME].drop_duplicates(), on=_SAME)
        beside = beside[beside["images"] <= rows["images"].max()]
        for metric, label in _CURVES.items():
            # A diverged loss ends its line; the table says what became of it.
            frame = drawable(rows, metric)
            if frame.empty:
                continue
            charts.append(
                make_chart(
                    f"{metric.replace('_', '-')}-{place}",
                    panel,
                    label.partition(" (")[0],
                    _description(panel, label, frame, beside, metric),
                    partial(_draw, frame=frame, theirs=beside, metric=metric),
                    _data(frame, beside, metric),
                    finding=_finding(frame) if metric == "test_accuracy" else "",
                )
            )
    return charts


def _description(
    panel: str, label: str, frame: pd.DataFrame, theirs: pd.DataFrame, metric: str
) -> str:
    text = f"{label} against training images seen, on {panel}. Last values: "
    text += listing(frame, last_points(frame, "images", metric)[metric])
    if theirs.empty:
        return text
    last = listing(frame, last_points(theirs, "images", metric)[metric])
    return f"{text}. Faint lines: the 2022 project's runs as far as ours reach, last values: {last}"


def _finding(frame: pd.DataFrame) -> str:
    """Of the first and the last place that all depths share; empty where they share none."""
    depths = frame["depth"].nunique()
    shared = frame.groupby("images").filter(lambda rows: rows["depth"].nunique() == depths)
    if shared.empty:
        return ""
    ends = (shared["images"].min(), shared["images"].max())
    first, last = (
        [
            Share(rows["test_accuracy"].mean(), rows["test_images"].min())
            for _, rows in shared[shared["images"] == images].groupby("depth")
        ]
        for images in ends
    )
    return findings.over_time(first, last, ends)


def _data(frame: pd.DataFrame, theirs: pd.DataFrame, metric: str) -> pd.DataFrame:
    ours = over_seeds(frame, "images", metric).assign(source="ours")
    if theirs.empty:
        return ours
    return pd.concat([ours, over_seeds(theirs, "images", metric).assign(source="2022 project")])


def _draw(axes: Axes, frame: pd.DataFrame, theirs: pd.DataFrame, metric: str) -> Crosshair:
    means = over_seeds(frame, "images", metric)
    depth_lines(axes, means, "images")
    label = _CURVES[metric]
    if metric.endswith("loss") and frame[metric].max() > _FLATTENED * frame[metric].min() > 0:
        axes.set_yscale("log")
        label = label.replace(")", ", log scale)")
    _mark(axes, frame, means, metric)
    axes.margins(x=0.03, y=0.08)
    if not theirs.empty:
        _draw_theirs(axes, theirs, metric)
    axes.set(xlabel="Training images seen", ylabel=label)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlim(left=0)
    ends = last_points(frame, "images", metric).itertuples()
    label_ends(axes, [(int(depth), images, value) for depth, images, value in ends])
    return _crosshair(frame, theirs, means, metric)


def _mark(axes: Axes, frame: pd.DataFrame, means: pd.DataFrame, metric: str) -> None:
    """About ten markers a line, the last point among them, that say their value."""
    network, unit = frame["network"].iloc[0], " %" if metric.endswith("accuracy") else " nats"
    seeds = frame.groupby("depth")["seed"].nunique()
    for depth, rows in means.groupby("depth"):
        layers = int(str(depth))
        for row in rows.iloc[:: -max(1, round(len(rows) / 10))].to_dict("records"):
            spread = (row["min"], row["max"]) if row["max"] > row["min"] else (math.nan, math.nan)
            reading = Reading(
                who=f"{model_title(network, layers)}, {metric.replace('_', ' ')}",
                value=row["mean"], span=spread, unit=unit, images=row["images"],
                seeds=int(seeds[layers]),
            )  # fmt: skip
            dot(axes, (row["images"], row["mean"]), (math.nan, math.nan), depth_colour(layers),
                marker=MARKERS.get(layers, "o"), size=4.5, reading=reading,
                depth=layers)  # fmt: skip


def _crosshair(
    frame: pd.DataFrame, theirs: pd.DataFrame, means: pd.DataFrame, metric: str
) -> Crosshair:
    """Of ours and of the 2022 project's."""
    network = frame["network"].iloc[0]
    lines = [means.assign(name=[model_title(network, depth) for depth in means["depth"]])]
    if not theirs.empty:
        behind = drawable(theirs, metric).rename(columns={metric: "mean"})
        lines.append(behind.assign(name=[f"{depth}, 2022 project" for depth in behind["depth"]]))
    shown = pd.concat([each[["name", "depth", "images", "mean"]] for each in lines])
    return across(shown, "images", "mean", "{} training images")


def _draw_theirs(axes: Axes, theirs: pd.DataFrame, metric: str) -> None:
    """Thin lines without markers behind ours, and a legend that tells the two apart."""
    bottom, top = axes.get_ylim()
    for depth, run in theirs.groupby("depth"):
        (line,) = axes.plot(
            run["images"],
            run[metric],
            color=depth_colour(int(str(depth))),
            alpha=_FAINT,
            linewidth=0.8,
            # A single epoch makes no line.
            marker="." if len(run) == 1 else "",
            zorder=1,
        )
        name_line(
            line,
            f"2022 project, {depth} layers, {metric.replace('_', ' ')}: "
            f"{number(run[metric].iloc[-1])} after {number(run['images'].iloc[-1], 0)} images",
        )
    if metric.endswith("loss"):
        # Losses of first epochs would flatten all others.
        low, high = theirs[metric].quantile([0, 0.95])
        axes.set_ylim(min(bottom, low), max(top, high))
    legend(
        axes,
        "lower right" if metric.endswith("accuracy") else "upper right",
        Line2D([], [], color=TEXT, label="ours"),
        Line2D([], [], color=TEXT, linewidth=0.8, alpha=_FAINT, label="2022 project"),
    )
