"""Learning curves: ours, and faintly those of the 2022 project where its networks are ours."""

from functools import partial
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, MaxNLocator

from bench.report.figures.chart import (
    DASHES,
    MARKERS,
    Chart,
    depth_lines,
    label_ends,
    last_points,
    legend,
    listing,
    make_chart,
    over_seeds,
    panels,
)
from bench.report.figures.svg import PAGE, TEXT, depth_colour

_CURVES: Final = {
    "test_accuracy": "Test accuracy (%)",
    "train_accuracy": "Train accuracy (%)",
    "test_loss": "Test loss (nats per image)",
    "train_loss": "Train loss (nats per image)",
}
_FAINT: Final = 0.45
_DIVERGED: Final = 1e100  # what no log axis has room for, infinity too
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
    for number, panel, rows in panels(curves):
        beside = theirs.merge(rows[_SAME].drop_duplicates(), on=_SAME)
        beside = beside[beside["images"] <= rows["images"].max()]
        for metric, label in _CURVES.items():
            # A diverged loss ends its line; the table says what became of it.
            frame = rows[rows[metric].abs() < _DIVERGED]
            if frame.empty:
                continue
            charts.append(
                make_chart(
                    f"{metric.replace('_', '-')}-{number}",
                    panel,
                    label.partition(" (")[0],
                    _description(panel, label, frame, beside, metric),
                    partial(_draw, frame=frame, theirs=beside, metric=metric),
                    _data(frame, beside, metric),
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


def _data(frame: pd.DataFrame, theirs: pd.DataFrame, metric: str) -> pd.DataFrame:
    ours = over_seeds(frame, "images", metric).assign(source="ours")
    if theirs.empty:
        return ours
    return pd.concat([ours, over_seeds(theirs, "images", metric).assign(source="2022 project")])


def _draw(axes: Axes, frame: pd.DataFrame, theirs: pd.DataFrame, metric: str) -> None:
    depths = sorted(frame["depth"].unique())
    longest = frame.groupby("depth")["images"].nunique().max()
    depth_lines(
        axes, frame, "images", metric,
        style="depth",
        style_order=depths,
        markers={depth: MARKERS.get(depth, "o") for depth in depths},
        dashes={depth: DASHES.get(depth, ()) for depth in depths},
        markevery=max(1, round(longest / 10)),
        markeredgecolor=PAGE,
        markeredgewidth=0.5,
    )  # fmt: skip
    label = _CURVES[metric]
    if metric.endswith("loss") and frame[metric].max() > _FLATTENED * frame[metric].min() > 0:
        axes.set_yscale("log")
        label = label.replace(")", ", log scale)")
    axes.margins(x=0.03, y=0.08)
    if not theirs.empty:
        _draw_theirs(axes, theirs, metric)
    axes.set(xlabel="Training images seen", ylabel=label)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlim(left=0)
    ends = last_points(frame, "images", metric).itertuples()
    label_ends(axes, [(int(depth), images, value) for depth, images, value in ends])


def _draw_theirs(axes: Axes, theirs: pd.DataFrame, metric: str) -> None:
    """Thin lines without markers behind ours, and a legend that tells the two apart."""
    bottom, top = axes.get_ylim()
    for depth, run in theirs.groupby("depth"):
        axes.plot(
            run["images"],
            run[metric],
            color=depth_colour(int(str(depth))),
            alpha=_FAINT,
            linewidth=0.8,
            # A single epoch makes no line.
            marker="." if len(run) == 1 else "",
            zorder=1,
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
