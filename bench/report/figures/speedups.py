"""How many times faster one results folder is than another, network by network. No torch here."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MultipleLocator, NullFormatter

from bench.report.figures.chart import Chart, make_chart
from bench.report.figures.svg import PAGE, SIZE, SOFT, TEXT, depth_colour

_ROW_INCHES: Final = 0.19
_TITLE_ROWS: Final = 1.5  # a title is this many rows high
_MARGIN_INCHES: Final = 0.615  # above and below the axes, of ``bench.report.figures.svg``
_STEPS: Final = (0.02, 0.05, 0.1, 0.2)  # between ticks, each of which divides 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedUp:
    """One row of the figure.

    Attributes:
        group: title of the rows that stand together.
        speedup: above 1 where the judged side is faster.
        low: of the 95 % interval.
        floor: 0.03 where two runs of the same thing differ by up to 3 %.
        verdict: in one word or a few.
        decided: whether it is called faster or slower.
    """

    group: str
    network: str
    depth: int
    speedup: float
    low: float
    high: float
    floor: float
    verdict: str
    decided: bool


def speedup_chart(key: str, title: str, points: Sequence[SpeedUp]) -> Chart:
    """A row for each of ``points``, of which those of one group follow each other."""
    groups = [(name, list(rows)) for name, rows in groupby(points, lambda point: point.group)]
    listed = ". ".join(
        f"{name}: " + ", ".join(f"{row.network} {row.speedup:.3g} {row.verdict}" for row in rows)
        for name, rows in groups
    )
    height = _MARGIN_INCHES + _ROW_INCHES * (len(points) + _TITLE_ROWS * len(groups))
    return make_chart(
        key,
        "",
        title,
        f"Speed-up of this run over the other, logarithmic scale; 1 is equal. {listed}",
        partial(_draw, groups=groups),
        pd.DataFrame(asdict(point) for point in points).drop(columns="decided"),
        size=(SIZE[0], height),
    )


def _draw(axes: Axes, groups: Sequence[tuple[str, Sequence[SpeedUp]]]) -> None:
    """Dots with intervals; filled where faster or slower, the noise floor as a band behind."""
    place, places, labels = -0.5, [], []
    for name, rows in groups:
        axes.annotate(
            name, (0, place + _TITLE_ROWS / 2 + 0.1), xycoords=axes.get_yaxis_transform(),
            va="center", fontsize=8.5,
        )  # fmt: skip
        place += _TITLE_ROWS
        axes.plot([1, 1], [place, place + len(rows)], color=TEXT, linewidth=0.8)
        for row in rows:
            _draw_row(axes, row, place + 0.5)
            places.append(place + 0.5)
            labels.append(str(row.depth))
            place += 1
    axes.set_yticks(places, labels)
    for label, row in zip(
        axes.get_yticklabels(), (r for _, rows in groups for r in rows), strict=True
    ):
        label.set(color=depth_colour(row.depth), fontsize=8, fontweight="bold")
    axes.set_ylim(place, -0.5)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    axes.set(xlabel="Speed-up of this run (log scale)", ylabel="")
    _scale(axes, [row for _, rows in groups for row in rows])


def _draw_row(axes: Axes, row: SpeedUp, place: float) -> None:
    colour = depth_colour(row.depth)
    low, high = 1 / (1 + row.floor), 1 + row.floor
    axes.barh(place, high - low, left=low, height=1, color=SOFT, alpha=0.2, linewidth=0)
    axes.plot([row.low, row.high], [place, place], color=colour, linewidth=1.6)
    face = colour if row.decided else PAGE
    axes.plot(row.speedup, place, "o", color=colour, markerfacecolor=face, markersize=5.5)


def _scale(axes: Axes, rows: Sequence[SpeedUp]) -> None:
    """As far to the left of 1 as to the right of it, with ticks that the range has room for."""
    ends = [end for row in rows for end in (row.low, row.high, row.speedup, 1 + row.floor)]
    reach = 1.1 * max(abs(math.log(end)) for end in ends)
    axes.set_xscale("log")
    axes.set_xlim(math.exp(-reach), math.exp(reach))
    step = next((step for step in _STEPS if reach < 4 * step), None)
    axes.xaxis.set_major_locator(MultipleLocator(step) if step else LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
