"""Training error of plain and residual networks in one figure, as in Figure 6 of the paper."""

from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter

from bench.analysis.labels import model_title
from bench.report.figures.chart import (
    MARKERS,
    Chart,
    last_points,
    legend,
    listing,
    make_chart,
)
from bench.report.figures.readings import Crosshair, across
from bench.report.figures.svg import PAGE, depth_colour


def lesson_chart(curves: pd.DataFrame) -> Chart | None:
    """Training error against images seen, the mean over seeds: of every network one line.

    Args:
        curves: of ``tables.curves``. Of several recipes that with the most images is drawn.
    """
    if curves.empty:
        return None
    recipe = curves.nlargest(1, "images")["recipe"].iloc[0]
    frame = curves[curves["recipe"] == recipe].assign(error=lambda f: 100 - f["train_accuracy"])
    lines = {str(network): rows for network, rows in frame.groupby("network")}
    last = "; ".join(
        listing(rows, last_points(rows, "images", "error")["error"]) for rows in lines.values()
    )
    means = frame.groupby(["network", "depth", "images"])["error"].mean().reset_index()
    return make_chart(
        "lesson",
        "CIFAR-10",
        "Training error, plain and residual",
        f"Training error in percent against training images seen. Last values: {last}",
        partial(_draw, means=means),
        means,
    )


def _draw(axes: Axes, means: pd.DataFrame) -> Crosshair:
    """Residual nets: solid with filled markers; plain nets: dashed and hollow."""
    handles = []
    for (network, _), rows in means.groupby(["network", "depth"]):
        depth = int(rows["depth"].iloc[0])
        colour, is_plain = depth_colour(depth), str(network).endswith("plain")
        line = Line2D(
            rows["images"], rows["error"], color=colour, linestyle="--" if is_plain else "-",
            linewidth=1.4, marker=MARKERS.get(depth, "o"), markersize=5,
            markerfacecolor=PAGE if is_plain else colour, markevery=max(1, len(rows) // 10),
            label=model_title(str(network), depth),
        )  # fmt: skip
        axes.add_line(line)
        handles.append(line)
    axes.autoscale_view()
    axes.margins(x=0.03, y=0.08)
    axes.set(xlabel="Training images seen", ylabel="Training error (%)")
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_xlim(left=0)
    legend(axes, "upper right", *handles)
    names = [model_title(each["network"], each["depth"]) for each in means.to_dict("records")]
    return across(means.assign(name=names), "images", "error", "{} training images")
