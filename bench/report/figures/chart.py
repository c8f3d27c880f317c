"""What the figures share: type, looks of a depth, labels. How they become SVG: ``svg``.

What their points and lines say: ``readings``; what their titles say: ``findings``.

A depth has one colour, one marker and one dash pattern everywhere, and each line is labelled with
its depth. The depths of Table 6 look like those of Table 1: no panel has both.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote

import numpy as np
import pandas as pd
import seaborn as sns
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.analysis.labels import model_title
from bench.report.figures.readings import Reading, belongs, tell
from bench.report.figures.svg import PAGE, SIZE, Draw, depth_colour, draw_svg
from bench.report.guard import attempt

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

LARGEST: Final = 1e30
"""Of what is drawn: no axis has room for what comes close to the largest float."""

Corner = Literal["lower right", "upper left", "upper right", "center right"]
# A frame's rows as dicts, its index included.
Rows = list[dict[Any, Any]]


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure.

    Attributes:
        panel: the networks or the data set that it is about.
        title: what is drawn, the axes in words.
        svg: a single <svg> element to stand inside an HTML page; a note where it failed.
        csv: what it draws, for those who want the numbers.
        finding: a sentence with what it shows, to stand above ``title``; empty where no record
            supports one.
    """

    key: str
    panel: str
    title: str
    description: str
    svg: str
    csv: str
    finding: str = ""

    @property
    def data_uri(self) -> str:
        """``csv`` as a link that needs no file and no request."""
        return "data:text/csv;charset=utf-8," + quote(self.csv, safe=",.:;()/")


def make_chart(
    key: str,
    panel: str,
    title: str,
    description: str,
    draw: Draw,
    data: pd.DataFrame,
    *,
    finding: str = "",
    size: tuple[float, float] = SIZE,
) -> Chart:
    """What ``draw`` draws into one pair of axes, with an id, a text alternative and its data.

    Args:
        data: what is drawn, a row per point; nine digits are kept, more than any figure shows.
        size: width and height, in inches at the page's usual scale.
    """
    csv = data.to_csv(index=False, float_format="%.9g", lineterminator="\n")
    named = ", ".join(filter(None, [f"The figure “{title}”", panel]))
    svg = attempt(
        named,
        lambda: draw_svg(draw, key, size),
        lambda why: f'<p class="failed">{escape(why)}.</p>',
    )
    return Chart(key, panel, title, description, svg, csv, finding)


def drawable(frame: pd.DataFrame, *columns: str, positive: bool = False) -> pd.DataFrame:
    """Its rows with nothing in ``columns`` but what an axis can show.

    Args:
        positive: the axis is logarithmic.
    """
    values = frame[list(columns)].astype(float)
    fine = values.abs() < LARGEST
    if positive:
        fine &= values > 1 / LARGEST
    return frame[fine.all(axis=1)]


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
    reading: Reading | None = None,
    depth: int | None = None,
    **line: Any,
) -> None:
    """A point with its interval ``span`` along the x axis, along the y axis where ``upright``.

    Nothing is drawn of a span without two ends that an axis can show; ``line`` is how it looks.
    ``reading`` is what the point says; it comes and goes with its ``depth``.
    """
    x, y = point
    if all(abs(end) < LARGEST for end in span):
        ends = ((x, x), span) if upright else (span, (y, y))
        (interval,) = axes.plot(*ends, color=colour, **line)
        if depth is not None:
            belongs(interval, depth)
    (mark,) = axes.plot(x, y, marker, color=colour, markerfacecolor=face or colour, markersize=size)
    if reading is not None:
        tell(mark, reading, depth)


def depth_lines(axes: Axes, means: pd.DataFrame, x: str, **style: Any) -> None:
    """A line for each depth, of several seeds their mean and a band from the lowest to the highest.

    Args:
        means: of ``over_seeds``.
        style: of the lines, more arguments of ``seaborn.lineplot``.
    """
    depths = sorted(means["depth"].unique())
    for depth, rows in means.groupby("depth"):
        if (rows["max"] > rows["min"]).any():
            colour = depth_colour(int(str(depth)))
            axes.fill_between(
                rows[x], rows["min"], rows["max"], color=colour, alpha=0.2, linewidth=0
            )
    dashed: dict[str, Any] = {} if "linestyle" in style else {"style": "depth", "dashes": DASHES}
    sns.lineplot(
        means, x=x, y="mean", hue="depth", hue_order=depths,
        palette={depth: depth_colour(depth) for depth in depths},
        errorbar=None, estimator=None, legend=False, ax=axes, **dashed, **style,
    )  # fmt: skip


def log_scale(axes: Axes, which: Literal["x", "y"]) -> None:
    """A logarithmic axis with 1, 2 and 5 of each power of ten, as plain numbers."""
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_formatter(NullFormatter())


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
