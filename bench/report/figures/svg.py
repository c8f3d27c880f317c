"""A matplotlib drawing -> one <svg> element for a page, in the page's colours, light or dark.

Matplotlib draws with sentinel colours, which are swapped for CSS variables of the page:
``--grid``, ``--page`` (the background), ``--ours``, ``--depth-18`` and so on; text and axes follow
the page's text colour. Text stays text. Same drawing, same bytes.
"""

import html
import re
from collections.abc import Callable
from io import StringIO
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.report.figures.readings import Crosshair, group

TEXT: Final = "#0b0001"
_GRID: Final = "#0b0002"
PAGE: Final = "#0b0003"
SOFT: Final = "#0b0004"
UP: Final = "#0b0005"
DOWN: Final = "#0b0006"
OURS: Final = "#0b0007"
PROJECT: Final = "#0b0008"
PAPER: Final = "#0b0009"
OTHERS: Final = "#0b000a"
_VARIABLES: Final = {
    TEXT: "currentColor",
    _GRID: "var(--grid)",
    PAGE: "var(--page)",
    SOFT: "var(--soft)",
    UP: "var(--up)",
    DOWN: "var(--down)",
    OURS: "var(--ours)",
    PROJECT: "var(--project2022)",
    PAPER: "var(--paper)",
    OTHERS: "var(--others)",
}
SIZE: Final = (4.7, 3.0)
"""Inches of a usual figure. Margins below are for it; ``draw_svg`` keeps them as wide in others."""
Draw = Callable[[Axes], Crosshair | None]
_STYLE: Final[dict[Any, Any]] = {
    "axes.edgecolor": TEXT,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": TEXT,
    "axes.labelsize": 10.0,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "font.size": 9.5,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.5,
    "lines.markersize": 4.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "resnet-bench",
    "text.color": TEXT,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "xtick.major.width": 0.6,
}


def depth_colour(depth: int) -> str:
    """The sentinel that becomes ``var(--depth-<depth>)``."""
    return f"#d0{depth:04x}"


def draw_svg(draw: Draw, key: str, size: tuple[float, float] = SIZE) -> str:
    """Let ``draw`` fill one pair of axes; ``key`` makes the element's ids unique in the page.

    What ``draw`` returns is read at a crosshair. The element is labelled by the ids
    ``<key>-title`` and ``<key>-description`` of the page.
    """
    # Matplotlib reads its settings from one global; the context puts them back.
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=size, dpi=72)  # that of every SVG
        figure.subplots_adjust(**_margins(size))
        axes = figure.add_subplot()
        lines = draw(axes)
        data = lines.data(axes) if lines else ""
        buffer = StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return _inline(buffer.getvalue(), key, data)


def _margins(size: tuple[float, float]) -> dict[str, float]:
    """Room for labels, as fractions of the figure: as many inches whatever its ``size``."""
    width, height = size
    return {
        "left": 0.6345 / width,
        "right": 1 - 0.3525 / width,
        "bottom": 0.51 / height,
        "top": 1 - 0.105 / height,
    }


def _inline(svg: str, key: str, lines: str) -> str:
    """Make a stand-alone SVG file part of a page: no prologue, page colours, ids of its own."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<(metadata|style)\b.*?</\1>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    # With double quotes inside, an id stands in single ones.
    svg = re.sub(r"<g id=([\"'])(.*?)\1>", lambda match: group(html.unescape(match[2])), svg)
    svg = re.sub(r' id="', f' id="{key}-', svg)
    svg = svg.replace("url(#", f"url(#{key}-").replace('xlink:href="#', f'href="#{key}-')
    svg = re.sub(r"#d0([0-9a-f]{4})\b", _depth_variable, svg)
    for sentinel, variable in _VARIABLES.items():
        svg = svg.replace(sentinel, variable)
    svg = re.sub(r" font-family: [^;\"]*;", "", svg)
    viewbox = re.search(r'viewBox="[^"]*"', svg)
    assert viewbox, "matplotlib writes a viewBox"
    opening = f'<svg {viewbox[0]} role="img" aria-labelledby="{key}-title {key}-description"'
    if lines:
        opening += f' data-lines="{html.escape(lines)}"'
    opening += ">"
    return re.sub(r"<svg\b[^>]*>", lambda _: opening, svg, count=1)


def _depth_variable(match: re.Match[str]) -> str:
    return f"var(--depth-{int(match[1], 16)}, currentColor)"
