"""What the figures share: type, looks of a depth, labels. How they become SVG: ``svg``.

A depth has one colour, one marker and one dash pattern everywhere, and each line is labelled with
its depth. The depths of Table 6 look like those of Table 1: no panel has both.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bench.analysis.labels import model_title
from bench.report.figures.svg import PAGE, SIZE, depth_colour, draw_svg

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

Corner = Literal["lower right", "upper left", "upper right"]
# A frame's rows as dicts, its index included.
Rows = list[dict[Any, Any]]


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure: ``svg`` is a single <svg> element to stand inside an HTML page.

    ``csv`` is what it draws, for those who want the numbers.
    """

    key: str
    panel: str
    title: str
    description: str
    svg: str
    csv: str

    @property
    def data_uri(self) -> str:
        """``csv`` as a link that needs no file and no request."""
        return "data:text/csv;charset=utf-8," + quote(self.csv, safe=",.:;()/")


def make_chart(
    key: str,
    panel: str,
    title: str,
    description: str,
    draw: Callable[[Axes], None],
    data: pd.DataFrame,
    *,
    size: tuple[float, float] = SIZE,
) -> Chart:
    """What ``draw`` draws into one pair of axes, with an id, a text alternative and its data.

    Args:
        data: what is drawn, a row per point; nine digits are kept, more than any figure shows.
        size: width and height, in inches at the page's usual scale.
    """
    csv = data.to_csv(index=False, float_format="%.9g", lineterminator="\n")
    return Chart(key, panel, title, description, draw_svg(draw, key, size), csv)


def panels(frame: pd.DataFrame) -> Iterator[tuple[int, str, pd.DataFrame]]:
    """Number, from 1, title and rows of each panel, in the order of ``frame``."""
    for number, (panel, rows) in enumerate(frame.groupby("panel", sort=False), start=1):
        yield number, str(panel), rows


def by_panel(charts: Iterable[Chart]) -> dict[str, list[Chart]]:
    """Charts by their panel, in the order of their first."""
    groups: dict[str, list[Chart]] = {}
    for chart in charts:
        groups.setdefault(chart.panel, []).append(chart)
    return groups


def rows_of(frame: pd.DataFrame) -> Rows:
    """Its rows as dicts, index included."""
    return frame.reset_index().to_dict("records")


def listing(frame: pd.DataFrame, values: "pd.Series[float]") -> str:
    """Values by depth, with the name of the network in ``frame``, of which a panel has one."""
    network = frame["network"].iloc[0]
    rows = values.reset_index().itertuples(index=False)
    return ", ".join(f"{model_title(network, depth)} {value:.3g}" for depth, value in rows)


def over_seeds(frame: pd.DataFrame, position: str, value: str) -> pd.DataFrame:
    """Mean, lowest and highest ``value`` over seeds, for each depth and ``position``."""
    groups = frame.groupby(["depth", position])[value]
    return groups.agg(["mean", "min", "max"]).reset_index()


def last_points(frame: pd.DataFrame, position: str, value: str) -> pd.DataFrame:
    """Where each depth's line ends: ``position`` and the mean of ``value`` over seeds, by depth."""
    means = frame.groupby(["depth", position])[[value]].mean().reset_index()
    last = means.sort_values(position).drop_duplicates("depth", keep="last")
    return last.set_index("depth").sort_index()


def dot(
    axes: Axes,
    point: tuple[float, float],
    span: tuple[float, float],
    colour: str,
    *,
    upright: bool = False,
    marker: str = "o",
    face: str | None = None,
    size: float = 6,
    **line: Any,
) -> None:
    """A point with its interval ``span`` along the x axis, along the y axis where ``upright``.

    Nothing is drawn of a span that is no number; ``line`` is how it looks.
    """
    x, y = point
    if not np.isnan(span[0]):
        ends = ((x, x), span) if upright else (span, (y, y))
        axes.plot(*ends, color=colour, **line)
    axes.plot(x, y, marker, color=colour, markerfacecolor=face or colour, markersize=size)


def depth_lines(axes: Axes, frame: pd.DataFrame, x: str, y: str, **style: Any) -> None:
    """A line for each depth, of several seeds their mean and a band from the lowest to the highest.

    Args:
        style: of the lines, more arguments of ``seaborn.lineplot``.
    """
    depths = sorted(frame["depth"].unique())
    sns.lineplot(
        frame, x=x, y=y, hue="depth", hue_order=depths,
        palette={depth: depth_colour(depth) for depth in depths},
        errorbar=("pi", 100) if frame["seed"].nunique() > 1 else None,
        legend=False, ax=axes, **style,
    )  # fmt: skip


def name_rows(axes: Axes, names: Sequence[str], x_label: str) -> None:
    """Name the rows of a figure that has one for each depth, counted from 0."""
    axes.set_yticks(range(len(names)), names)
    axes.grid(axis="y", visible=False)
    axes.set(xlabel=x_label, ylabel="Depth (layers)")


def label_ends(axes: Axes, ends: Iterable[tuple[int, float, float]]) -> None:
    """Write each depth of (depth, x, y) right of its line's end, apart where heights are close."""
    ends = list(ends)
    scale = axes.yaxis.get_transform()
    bottom, top = scale.transform(np.array(axes.get_ylim()))
    # A label needs about a fifteenth of the height.
    apart = spread(list(scale.transform(np.array([y for _, _, y in ends]))), (top - bottom) / 15)
    heights = scale.inverted().transform(np.array(apart))
    for (depth, x, _), height in zip(ends, heights, strict=True):
        axes.annotate(
            f"{depth}",
            (x, height),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            color=depth_colour(depth),
            fontweight="bold",
            annotation_clip=False,
            bbox={"facecolor": PAGE, "edgecolor": "none", "pad": 0.6},  # lines may go on below it
        )


def legend(axes: Axes, corner: Corner, *handles: Line2D) -> None:
    """What lines of several kinds are, in a corner of the figure."""
    axes.legend(
        handles=handles, loc=corner, fontsize=8.5, facecolor=PAGE, edgecolor="none",
        framealpha=0.8, borderpad=0.2,
    )  # fmt: skip


def spread(heights: list[float], gap: float) -> list[float]:
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
    apart = [mean + gap * (n - (size - 1) / 2) for mean, size in clusters for n in range(size)]
    result = [0.0] * len(heights)
    for index, height in zip(order, apart, strict=True):
        result[index] = height
    return result
