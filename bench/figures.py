"""DataFrames -> figures: what is drawn; how it becomes part of a page stands in ``svg``.

A depth has one colour, one marker and one dash pattern everywhere, and each line is labelled with
its depth. The depths of Table 6 look like those of Table 1: no panel has both.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from bench.svg import PAGE, depth_colour, draw_svg
from bench.words import model_title

_DEPTHS: Final = ((18, 34, 50, 101, 152), (20, 32, 44, 56, 110, 1202))
_MARKERS: Final = "os^DXP"
_DASHES: Final[tuple[tuple[float, ...], ...]] = (
    (),
    (5, 1.5),
    (2, 1.2),
    (6, 1.5, 1.5, 1.5),
    (1, 1),
    (8, 2, 1, 2, 1, 2),
)
MARKERS: Final = {d: mark for depths in _DEPTHS for d, mark in zip(depths, _MARKERS, strict=False)}
DASHES: Final = {d: dash for depths in _DEPTHS for d, dash in zip(depths, _DASHES, strict=False)}

_CURVES: Final = {
    "test_accuracy": "Test accuracy (%)",
    "train_accuracy": "Train accuracy (%)",
    "test_loss": "Test loss (nats per image)",
    "train_loss": "Train loss (nats per image)",
}


# A frame's rows as dicts, its index included.
Rows = list[dict[Any, Any]]


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure: ``svg`` is a single <svg> element to stand inside an HTML page."""

    key: str
    panel: str
    title: str
    description: str
    svg: str


def curve_charts(curves: pd.DataFrame) -> list[Chart]:
    """Accuracy and loss against training images seen, all depths overlaid, four per panel.

    Several seeds are drawn as their mean and a band from the lowest to the highest.
    """
    charts = []
    for number, (panel, rows) in enumerate(curves.groupby("panel", sort=False), start=1):
        for metric, label in _CURVES.items():
            # A diverged loss ends its line; the table says what became of it.
            frame = rows[rows[metric].abs() < math.inf]
            if frame.empty:
                continue
            charts.append(
                make_chart(
                    f"{metric.replace('_', '-')}-{number}",
                    str(panel),
                    label.partition(" (")[0],
                    f"{label} against training images seen, on {panel}. Last values: "
                    + listing(frame, _last_points(frame, metric)[metric]),
                    partial(_draw_curves, frame=frame, metric=metric),
                )
            )
    return charts


def speed_charts(summary: pd.DataFrame) -> list[Chart]:
    """Median training and inference images per second of each depth, one chart per panel."""
    rates = ["training_images_per_second", "inference_images_per_second"]
    charts = []
    measured = summary.dropna(subset=rates)
    for number, (panel, frame) in enumerate(measured.groupby("panel", sort=False), start=1):
        rows = frame.groupby("depth")[
            [*rates, "training_low", "training_high", "inference_low", "inference_high"]
        ].median()
        description = f"Images per second on {panel}, logarithmic scale. Training: "
        training, inference = (listing(frame, rows[rate]) for rate in rates)
        description += f"{training}. Inference: {inference}"
        charts.append(
            make_chart(
                f"speed-{number}",
                str(panel),
                "Throughput (images/s)",
                description,
                partial(_draw_speed, rows=_rows(rows)),
            )
        )
    return charts


def cost_charts(summary: pd.DataFrame) -> list[Chart]:
    """Test accuracy against MACs per image at the training resolution, one chart per panel."""
    charts = []
    measured = summary.dropna(subset=["macs", "test_accuracy"])
    for number, (panel, frame) in enumerate(measured.groupby("panel", sort=False), start=1):
        rows = frame.groupby("depth").agg(
            {"macs": "mean", "test_accuracy": "mean", "test_low": "min", "test_high": "max"}
        )
        charts.append(
            make_chart(
                f"cost-{number}",
                str(panel),
                "Test accuracy against cost",
                f"Test accuracy in percent against multiply-adds per image, on {panel}. "
                + listing(frame, rows["test_accuracy"]),
                partial(_draw_cost, rows=_rows(rows)),
            )
        )
    return charts


def _draw_curves(axes: Axes, frame: pd.DataFrame, metric: str) -> None:
    depths = sorted(frame["depth"].unique())
    longest = frame.groupby("depth")["images"].nunique().max()
    sns.lineplot(
        frame,
        x="images",
        y=metric,
        hue="depth",
        style="depth",
        hue_order=depths,
        style_order=depths,
        palette={depth: depth_colour(depth) for depth in depths},
        markers={depth: MARKERS.get(depth, "o") for depth in depths},
        dashes={depth: DASHES.get(depth, ()) for depth in depths},
        markevery=max(1, round(longest / 10)),
        markeredgecolor=PAGE,
        markeredgewidth=0.5,
        errorbar=("pi", 100) if frame["seed"].nunique() > 1 else None,
        legend=False,
        ax=axes,
    )
    axes.set(xlabel="Training images seen", ylabel=_CURVES[metric])
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.margins(x=0.03, y=0.08)
    axes.set_xlim(left=0)
    ends = _rows(_last_points(frame, metric))
    _label_ends(axes, {row["depth"]: (row["images"], row[metric]) for row in ends})


def _draw_speed(axes: Axes, rows: Rows) -> None:
    """A row per depth; filled: training, hollow: inference; bars span the quartiles."""
    for position, row in enumerate(rows):
        colour = depth_colour(row["depth"])
        for kind, face in (("training", colour), ("inference", PAGE)):
            low, high, value = (
                row[f"{kind}_{name}"] for name in ("low", "high", "images_per_second")
            )
            axes.plot([low, high], [position, position], color=colour, linewidth=3, alpha=0.35)
            axes.plot(value, position, "o", markerfacecolor=face, color=colour, markersize=6)
            axes.annotate(
                f"{value:,.0f}" if value >= 10 else f"{value:.1f}",
                (value, position),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(rows)), [str(row["depth"]) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.7)
    axes.margins(x=0.12)
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="Images per second (log scale)", ylabel="Depth (layers)")


def _draw_cost(axes: Axes, rows: Rows) -> None:
    """A point per depth with the 95 % interval of its test accuracy (of all its seeds')."""
    for row in rows:
        depth, colour = row["depth"], depth_colour(row["depth"])
        point = (row["macs"], row["test_accuracy"])
        axes.plot([row["macs"]] * 2, [row["test_low"], row["test_high"]], color=colour, linewidth=1)
        axes.plot(*point, MARKERS.get(depth, "o"), color=colour, markersize=6)
        axes.annotate(
            f"{depth}",
            point,
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontweight="bold",
        )
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.margins(x=0.1, y=0.12)
    axes.set(xlabel="Multiply-adds per image (MACs)", ylabel="Test accuracy (%)")


def _label_ends(axes: Axes, ends: dict[int, tuple[float, float]]) -> None:
    """Write each depth right of its line's end, moved apart where lines end close together."""
    bottom, top = axes.get_ylim()
    # A label needs about a fifteenth of the height.
    gap = (top - bottom) / 15
    heights = _spread([y for _, y in ends.values()], gap)
    right = max(x for x, _ in ends.values())
    for (depth, _), height in zip(ends.items(), heights, strict=True):
        axes.annotate(
            f"{depth}",
            (right, height),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            color=depth_colour(depth),
            fontweight="bold",
            annotation_clip=False,
        )


def _spread(heights: list[float], gap: float) -> list[float]:
    """Move heights apart until neighbours differ by ``gap``; each cluster keeps its mean."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    clusters: list[tuple[float, int]] = []
    for index in order:
        mean, size = heights[index], 1
        while clusters and mean - clusters[-1][0] < gap * (size + clusters[-1][1]) / 2:
            other, other_size = clusters.pop()
            mean = (mean * size + other * other_size) / (size + other_size)
            size += other_size
        clusters.append((mean, size))
    spread = [mean + gap * (n - (size - 1) / 2) for mean, size in clusters for n in range(size)]
    result = [0.0] * len(heights)
    for index, height in zip(order, spread, strict=True):
        result[index] = height
    return result


def _last_points(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Where each depth's curve ends: ``images`` and the mean of ``metric`` over seeds."""
    means = frame.groupby(["depth", "images"])[[metric]].mean().reset_index()
    last = means.sort_values("images").drop_duplicates("depth", keep="last")
    return last.set_index("depth").sort_index()


def _rows(frame: pd.DataFrame) -> Rows:
    return frame.reset_index().to_dict("records")


def listing(frame: pd.DataFrame, values: "pd.Series[float]") -> str:
    """Values by depth, with the name of the network in ``frame``, of which a panel has one."""
    network = frame["network"].iloc[0]
    rows = values.reset_index().itertuples(index=False)
    return ", ".join(f"{model_title(network, depth)} {value:.3g}" for depth, value in rows)


def make_chart(
    key: str, panel: str, title: str, description: str, draw: Callable[[Axes], None]
) -> Chart:
    """What ``draw`` draws into one pair of axes, with an id and a text alternative."""
    return Chart(key, panel, title, description, draw_svg(draw, key))
