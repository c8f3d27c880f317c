"""Layer responses and gradients of every network: a table of means, and Figure 7's kind of drawing.

Responses are sorted by size, as in the lower half of Figure 7, and the first layers of blocks stand
apart from the last ones: in the order of the network the two would draw zigzags. No torch here.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from statistics import fmean
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from bench.analysis.labels import model_title
from bench.claims.measures import MEASURES
from bench.records.schema import Record, Signals
from bench.report.figures import findings
from bench.report.figures.chart import (
    Chart,
    depth_lines,
    drawable,
    label_ends,
    last_points,
    legend,
    listing,
    log_scale,
    make_chart,
    over_seeds,
    panels,
    rows_of,
)
from bench.report.figures.readings import Crosshair, across
from bench.report.figures.svg import PAGE, TEXT, depth_colour

MEANS: Final = ("response_std", "gradient_drift_initial", "gradient_drift_final")
"""Measures of the table, one number per network."""

_GRADIENTS: Final = {
    "initial": "Gradient before training, by block from the input",
    "final": "Gradient after training, by block from the input",
}
_RESPONSES: Final = "Layer responses after training, sorted by size"
_DEVIATION: Final = "Standard deviation of the output"
_NORM: Final = "Norm of the gradient by its input"


def signal_table(records: Sequence[Record], summary: pd.DataFrame) -> list[dict[str, object]]:
    """Each network's means over its seeds, in the order of ``summary``; None without signals."""
    by_id = {record.cell.id: record for record in records if record.signals}
    rows = []
    for _, cells in summary.groupby(["panel", "variant", "depth"], sort=False):
        found = [by_id[name] for name in cells["cell_id"] if name in by_id]
        if not found:
            continue
        first = cells.iloc[0]
        row = {name: first[name] for name in ("network", "depth", "panel", "variant")}
        for name in MEANS:
            figures = [figure for each in found if (figure := MEASURES[name].of(each))]
            row[name] = fmean(figure.value for figure in figures) if figures else None
        rows.append(row | {"cell_ids": [each.cell.id for each in found]})
    return rows


def signal_charts(records: Sequence[Record], summary: pd.DataFrame) -> list[Chart]:
    """Responses and gradients of each network, the depths of a panel overlaid."""
    responses, gradients = _responses(records, summary), _gradients(records, summary)
    numbers = {panel: number for number, panel, _ in panels(summary)}
    charts = []
    for panel, number in numbers.items():
        rows = responses[responses["panel"] == panel]
        if len(rows):
            charts.append(_response_chart(f"signal-response-final-{number}", panel, rows))
        for moment in _GRADIENTS:
            there = (gradients["panel"] == panel) & (gradients["moment"] == moment)
            if there.any():
                key = f"signal-gradient-{moment}-{number}"
                charts.append(_gradient_chart(key, panel, gradients[there]))
    return charts


def _response_chart(key: str, panel: str, rows: pd.DataFrame) -> Chart:
    medians = rows.groupby("depth")["value"].median()
    by_place = rows.groupby("place")["value"].apply(list).to_dict()
    ranked = (
        rows.groupby(["place", "depth", "rank"])["value"].agg(["mean", "min", "max"]).reset_index()
    )
    return make_chart(
        key,
        panel,
        _RESPONSES,
        f"{_DEVIATION} of each 3×3 convolution, sorted by size, on {panel}; first and last layers "
        f"of blocks apart. Medians: {listing(rows, medians)}",
        partial(_draw_responses, network=rows["network"].iloc[0], ranked=ranked),
        ranked,
        finding=findings.responses(
            by_place.get("first", []),
            by_place.get("last", []),
            {int(str(depth)): value for depth, value in medians.items()},
        ),
    )


def _gradient_chart(key: str, panel: str, rows: pd.DataFrame) -> Chart:
    medians = rows.groupby("depth")["value"].median()
    means = over_seeds(rows, "position", "value")
    return make_chart(
        key,
        panel,
        _GRADIENTS[rows["moment"].iloc[0]],
        f"{_NORM}, of each block, on {panel}. Medians: {listing(rows, medians)}",
        partial(_draw_gradients, network=rows["network"].iloc[0], means=means),
        means,
        finding=findings.gradients(
            each["mean"].to_list() for _, each in means.groupby("depth") if len(each) > 1
        ),
    )


def _places(signals: Signals) -> list[str]:
    """``first`` or ``last`` in its block for each layer, ``only`` where a block has one of them."""
    blocks = [name.rpartition(".")[0] for name in signals.layers]
    counts = Counter(blocks)
    seen: Counter[str] = Counter()
    places = []
    for block in blocks:
        seen[block] += 1
        if counts[block] == 1 or not block:
            places.append("only")
        else:
            places.append("first" if seen[block] == 1 else "last")
    return places


def _responses(records: Sequence[Record], summary: pd.DataFrame) -> pd.DataFrame:
    """A row for each layer after training, ranked among those of its network and place."""
    rows = [
        {"cell_id": record.cell.id, "place": place, "value": value}
        for record in records
        for each in record.signals
        if each.moment == "final"
        for place, value in zip(_places(each), each.response_std, strict=True)
    ]
    frame = _named(pd.DataFrame(rows, columns=["cell_id", "place", "value"]), summary)
    frame = frame.sort_values("value", ascending=False, kind="stable")
    ranks = frame.groupby(["cell_id", "place"]).cumcount() + 1
    return frame.assign(rank=ranks)


def _gradients(records: Sequence[Record], summary: pd.DataFrame) -> pd.DataFrame:
    """A row for each block, before training and after it."""
    rows = [
        {"cell_id": record.cell.id, "moment": each.moment, "position": position, "value": value}
        for record in records
        for each in record.signals
        for position, value in enumerate(each.input_gradient_norm, start=1)
    ]
    columns = ["cell_id", "moment", "position", "value"]
    return _named(pd.DataFrame(rows, columns=columns), summary)


def _named(frame: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """With the panel, network, depth and seed of each row, without what no axis can show."""
    named = summary[["cell_id", "panel", "network", "depth", "seed"]]
    return drawable(frame, "value", positive=True).merge(named, on="cell_id")


def _draw_responses(axes: Axes, network: str, ranked: pd.DataFrame) -> Crosshair:
    """Solid: first layers of blocks, and those that are alone in theirs; dashed: last ones."""
    named = []
    for place, rows in ranked.groupby("place"):
        last = place == "last"
        depth_lines(
            axes, rows, "rank", linewidth=1.2, linestyle="--" if last else "-", marker="o",
            markersize=3, **({"markerfacecolor": PAGE} if last else {}),
        )  # fmt: skip
        what = {"first": ", first layers", "last": ", last layers"}.get(str(place), "")
        names = [f"{model_title(network, depth)}{what}" for depth in rows["depth"]]
        named.append(rows.assign(name=names))
    axes.set_ylim(bottom=0)  # as in Figure 7
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.margins(x=0.05, y=0.08)
    axes.set(xlabel="Rank among the layers alike of a network", ylabel=_DEVIATION)
    lines = pd.concat(named)
    _label(axes, lines.sort_values("rank").drop_duplicates(["place", "depth"], keep="last"), "rank")
    if {"first", "last"} & set(lines["place"]):
        legend(
            axes, "center right",
            Line2D([], [], color=TEXT, marker="o", markersize=3, label="first or only layer"),
            Line2D([], [], color=TEXT, marker="o", markersize=3, markerfacecolor=PAGE,
                   linestyle="--", label="last layer of its block"),
        )  # fmt: skip
    return across(lines, "rank", "mean", "rank {}")


def _draw_gradients(axes: Axes, network: str, means: pd.DataFrame) -> Crosshair:
    depth_lines(axes, means, "position", linewidth=1.1)
    log_scale(axes, "y")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.margins(x=0.05, y=0.08)
    axes.set(xlabel="Block, from the input", ylabel=_NORM)
    _label(axes, last_points(means, "position", "mean").reset_index(), "position")
    lines = means.assign(name=[model_title(network, depth) for depth in means["depth"]])
    return across(lines, "position", "mean", "block {}")


def _label(axes: Axes, ends: pd.DataFrame, x: str) -> None:
    """Dots with their depth at the ends of lines; those of one place may lie on one another."""
    for _, there in ends.groupby(x):
        points = [(row["depth"], row[x], row["mean"]) for row in rows_of(there)]
        for depth, position, height in points:
            colour = depth_colour(depth)
            axes.plot(position, height, "o", color=colour, markeredgecolor=PAGE, markersize=4)
        label_ends(axes, points)
