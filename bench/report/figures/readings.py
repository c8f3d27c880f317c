"""What a figure tells beyond its drawing: of points on hover and focus, of lines at a crosshair.

A point is a group of the SVG with a ``<title>``, which browsers show without a script, and with
data attributes. Lines are JSON on the ``<svg>``. The page's ``figures.js`` reads both.
"""

import html
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from bench.formats import number

_UNKNOWN: Final = (math.nan, math.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One point: ``ResNet-18, ours: 40.05 % (39.09 to 41.02), 6,400 training images, 1 seed``.

    Attributes:
        span: interval, quartiles or range; not told where it is not a number.
        images: training images seen.
        note: to stand behind all others.
        write: gives the text of a value.
    """

    who: str
    value: float
    span: tuple[float, float] = _UNKNOWN
    unit: str = " %"
    images: float | None = None
    seeds: int | None = None
    note: str = ""
    write: Callable[[float], str] = number

    @property
    def sentence(self) -> str:
        text = f"{self.who}: {self.write(self.value)}{self.unit}"
        if not math.isnan(self.span[0]):
            text += f" ({self.write(self.span[0])} to {self.write(self.span[1])})"
        parts = [text]
        if self.images is not None:
            parts.append(f"{number(self.images, 0)} training images")
        if self.seeds is not None:
            parts.append(f"{self.seeds} seed{'s' if self.seeds > 1 else ''}")
        return ", ".join([*parts, *([self.note] if self.note else [])])


def tell(artist: Artist, reading: Reading, depth: int | None = None) -> None:
    """Make ``artist`` a point of the figure."""
    low, high = reading.span
    told = {"value": reading.value, "low": low, "high": high, "images": reading.images,
            "seeds": reading.seeds}  # fmt: skip
    numbers = {
        name: f"{value:.6g}" for name, value in told.items() if value is not None and value == value
    }
    _mark(artist, title=reading.sentence, depth=depth, **numbers)


def belongs(artist: Artist, depth: int) -> None:
    """Let ``artist`` go and come with everything else of its ``depth``, whatever its colour."""
    _mark(artist, depth=depth)


def name_line(artist: Artist, sentence: str) -> None:
    """Let a line say ``sentence`` on hover."""
    _mark(artist, line=sentence)


def _mark(artist: Artist, **told: object) -> None:
    # Of all that an artist has, only its id reaches the SVG.
    artist.set_gid(json.dumps({name: value for name, value in told.items() if value is not None}))


def group(gid: str) -> str:
    """The opening tag of a group, from the id that matplotlib has written, unescaped."""
    if not gid.startswith("{"):
        return "<g>"
    told: dict[str, Any] = json.loads(gid)
    title, line = told.pop("title", ""), told.pop("line", "")
    data = "".join(f' data-{name}="{html.escape(str(value))}"' for name, value in told.items())
    point = ' class="point"' if title else ""
    words = title or line
    return f"<g{point}{data}>" + (f"<title>{html.escape(words)}</title>" if words else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crosshair:
    """Lines that are read together, at one place along x.

    Attributes:
        unit: of the places, with braces where their number stands: ``epoch {}``.
        places: along x, rising.
        lines: name, depth, and the value at each place, None where the line has none.
    """

    unit: str
    places: Sequence[float]
    lines: Sequence[tuple[str, int | None, Sequence[float | None]]]

    def data(self, axes: Axes) -> str:
        """JSON of it with where it stands in ``axes``, in units of the drawing from its top left.

        ``axes`` have their final limits, and a figure of 72 dots per inch.
        """
        axes.get_xlim()  # which computes limits that are due
        height = axes.figure.bbox.height
        to_place = axes.get_xaxis_transform().transform
        content = {
            "unit": self.unit,
            "x": [_short(place) for place in self.places],
            "px": [round(float(to_place((place, 0))[0]), 1) for place in self.places],
            "top": round(height - float(axes.bbox.y1), 1),
            "bottom": round(height - float(axes.bbox.y0), 1),
            "lines": [
                [name, depth, [None if value is None else _short(value) for value in values]]
                for name, depth, values in self.lines
            ],
        }
        return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def across(frame: pd.DataFrame, place: str, value: str, unit: str) -> Crosshair:
    """The lines of ``frame``, a row per point with the ``name`` and ``depth`` of its line."""
    table = frame.pivot_table(index=place, columns="name", values=value).sort_index()
    names = frame[["name", "depth"]].drop_duplicates().sort_values("depth", kind="stable")
    return Crosshair(
        unit=unit,
        places=[float(each) for each in table.index],
        lines=[
            (row["name"], int(row["depth"]), [_known(each) for each in table[row["name"]]])
            for row in names.to_dict("records")
        ],
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _short(value: float) -> float:
    """Four digits, more than a reader sees in the figure; a whole number as such."""
    short = value if value == round(value) else float(f"{value:.4g}")
    return int(short) if short == round(short) else short
