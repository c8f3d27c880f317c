"""Layer responses and gradients of every network: a table of means, and Figure 7's kind of drawing.

No torch here.
"""

from collections.abc import Sequence
from functools import partial
from statistics import fmean
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bench.claims.measures import MEASURES
from bench.records.schema import Record
from bench.report.figures.chart import (
    Chart,
    depth_lines,
    label_ends,
    last_points,
    listing,
    make_chart,
    over_seeds,
    panels,
    rows_of,
)
from bench.report.figures.svg import PAGE, depth_colour

MEANS: Final = ("response_std", "gradient_drift_initial", "gradient_drift_final")
"""Measures of the table, one number per network."""

_DRAWN: Final = {
    ("response", "final"): (
        "Layer responses after training",
        "3×3 convolution, from the input",
        "Standard deviation of the output",
    ),
    ("gradient", "initial"): (
        "Gradient before training",
        "Block, from the input",
        "Norm of the gradient by its input",
    ),
    ("gradient", "final"): (
        "Gradient after training",
        "Block, from the input",
        "Norm of the gradient by its input",
    ),
}


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
    """Responses and gradients along each network, the depths of a panel overlaid."""
    values = _values(records, summary)
    charts = []
    for number, panel, rows in panels(values):
        for (quantity, moment), (title, x_label, y_label) in _DRAWN.items():
            frame = rows[(rows["quantity"] == quantity) & (rows["moment"] == moment)]
            if frame.empty:
                continue
            medians = frame.groupby("depth")["value"].median()
            charts.append(
                make_chart(
                    f"signal-{quantity}-{moment}-{number}",
                    panel,
                    title,
                    f"{y_label}, of each {x_label.partition(',')[0]}, on {panel}. "
                    f"Medians: {listing(frame, medians)}",
                    partial(_draw, frame=frame, x_label=x_label, y_label=y_label),
                    over_seeds(frame, "position", "value"),
                )
            )
    return charts


def _values(records: Sequence[Record], summary: pd.DataFrame) -> pd.DataFrame:
    """One row per network, seed, moment and layer or block, but what no log scale can show."""
    named = summary.set_index("cell_id")[["panel", "network", "depth", "seed"]]
    rows = [
        named.loc[record.cell.id].to_dict()
        | {"moment": each.moment, "quantity": quantity, "position": position, "value": value}
        for record in records
        for each in record.signals
        for quantity, series in (
            ("response", each.response_std),
            ("gradient", each.input_gradient_norm),
        )
        for position, value in enumerate(series, start=1)
        if 0 < value < float("inf")
    ]
    columns = [*named.columns, "moment", "quantity", "position", "value"]
    return pd.DataFrame(rows, columns=columns)


def _draw(axes: Axes, frame: pd.DataFrame, x_label: str, y_label: str) -> None:
    depth_lines(axes, frame, "position", "value", linewidth=1.1)
    if (frame["quantity"] == "gradient").all():
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)  # as in Figure 7
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.margins(x=0.05, y=0.08)
    axes.set(xlabel=x_label, ylabel=y_label)
    ends = last_points(frame, "position", "value")
    # Labels of one position may lie on one another.
    for _, there in ends.groupby("position"):
        points = [(row["depth"], row["position"], row["value"]) for row in rows_of(there)]
        for depth, position, height in points:
            colour = depth_colour(depth)
            axes.plot(position, height, "o", color=colour, markeredgecolor=PAGE, markersize=4)
        label_ends(axes, points)
