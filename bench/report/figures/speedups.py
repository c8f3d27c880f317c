"""How many times faster one results folder is than another, network by network. No torch here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MultipleLocator, NullFormatter

from bench.compare.finding import Finding
from bench.report.figures import speed_findings
from bench.report.figures.chart import Chart, dot, make_chart
from bench.report.figures.readings import Reading
from bench.report.figures.svg import PAGE, SIZE, SOFT, TEXT, depth_colour

_ROW_INCHES: Final = 0.19
_TITLE_ROWS: Final = 1.5  # a title is this many rows high
_MARGIN_INCHES: Final = 0.615  # above and below the axes, of ``bench.report.figures.svg``
_STEPS: Final = (0.02, 0.05, 0.1, 0.2)  # between ticks, each of which divides 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One quantity of one network; the links lead to the records of both sides."""

    network: str
    depth: int
    found: Finding
    links: Sequence[str]
    other_links: Sequence[str]


Rows = dict[str, list[Row]]
"""By the title of those that stand together."""


def speedup_chart(key: str, title: str, groups: Rows) -> Chart:
    """A line for each row, all of them of speeds."""
    listed = ". ".join(
        f"{name}: "
        + ", ".join(f"{row.network} {row.found.effect:.3g} {row.found.verdict}" for row in rows)
        for name, rows in groups.items()
    )
    data = pd.DataFrame(
        {"group": name, "network": row.network, "depth": row.depth, "speedup": row.found.effect,
         "low": row.found.interval.low, "high": row.found.interval.high,
         "same": row.found.same, "verdict": row.found.verdict}
        for name, rows in groups.items()
        for row in rows
    )  # fmt: skip
    return make_chart(
        key,
        "",
        title,
        f"Speed-up of this run over the other, logarithmic scale; 1 is equal. {listed}",
        partial(_draw, groups=groups),
        data,
        finding=speed_findings.speedups(
            [row.found.verdict for rows in groups.values() for row in rows]
        ),
        size=(SIZE[0], _MARGIN_INCHES + _ROW_INCHES * (len(data) + _TITLE_ROWS * len(groups))),
    )


def _draw(axes: Axes, groups: Rows) -> None:
    """Dots with intervals; filled where faster or slower; what is the same is a band behind."""
    drawn = [row for rows in groups.values() for row in rows]
    place, places = -0.5, []
    for name, rows in groups.items():
        axes.annotate(
            name, (0, place + _TITLE_ROWS / 2 + 0.1), xycoords=axes.get_yaxis_transform(),
            va="center", fontsize=8.5,
        )  # fmt: skip
        place += _TITLE_ROWS
        axes.plot([1, 1], [place, place + len(rows)], color=TEXT, linewidth=0.8)
        for row in rows:
            _draw_row(axes, row, place + 0.5, name)
            places.append(place + 0.5)
            place += 1
    axes.set_yticks(places, [str(row.depth) for row in drawn])
    for label, row in zip(axes.get_yticklabels(), drawn, strict=True):
        label.set(color=depth_colour(row.depth), fontsize=8, fontweight="bold")
    axes.set_ylim(place, -0.5)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    axes.set(xlabel="Speed-up of this run (log scale)", ylabel="")
    _scale(axes, [row.found for row in drawn])


def _draw_row(axes: Axes, row: Row, place: float, group: str) -> None:
    colour, found = depth_colour(row.depth), row.found
    low, high = 1 / found.same, found.same
    axes.barh(place, high - low, left=low, height=1, color=SOFT, alpha=0.2, linewidth=0)
    face = colour if found.verdict in ("faster", "slower") else PAGE
    span = (found.interval.low, found.interval.high)
    reading = Reading(who=f"{row.network}, {group}", value=found.effect, span=span, unit="×",
                      note=found.verdict)  # fmt: skip
    dot(axes, (found.effect, place), span, colour, face=face, size=5.5, reading=reading,
        depth=row.depth, linewidth=1.6)  # fmt: skip


def _scale(axes: Axes, findings: Sequence[Finding]) -> None:
    """As far to the left of 1 as to the right of it, with ticks that the range has room for."""
    ends = [
        end
        for found in findings
        for end in (found.interval.low, found.interval.high, found.effect, found.same)
    ]
    reach = 1.1 * max(abs(math.log(end)) for end in ends)
    axes.set_xscale("log")
    axes.set_xlim(math.exp(-reach), math.exp(reach))
    step = next((step for step in _STEPS if reach < 4 * step), None)
    axes.xaxis.set_major_locator(MultipleLocator(step) if step else LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
