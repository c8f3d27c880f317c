"""Test errors of the networks of Table 6: beside the printed ones, and plain beside residual."""

import math
from collections.abc import Sequence
from functools import partial
from itertools import cycle
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bench.analysis.baselines import Row
from bench.formats import number
from bench.report.figures.chart import Chart, Rows, legend, make_chart
from bench.report.figures.svg import PAGE, SIZE, TEXT, depth_colour

_ERROR: Final = "Test error (%)"
_ROW_INCHES: Final = 0.42


def error_charts(rows: Sequence[Row]) -> list[Chart]:
    """Our test errors beside the printed ones, and those of plain nets beside residual ones.

    Args:
        rows: of ``baselines.table6``.
    """
    done = [row for row in rows if row.test_error is not None]
    return [*_beside_printed(done), *_plain_beside_residual(done)]


def _frame(rows: Sequence[Row]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "panel": row.panel,
            "network": row.network,
            "title": row.title,
            "depth": row.depth,
            "variant": row.variant,
            "seeds": row.seeds,
            "test_error": row.test_error,
            "error_low": 100 - (row.test_high or 0),
            "error_high": 100 - (row.test_low or 0),
            "printed": row.printed_error,
            "printed_std": row.printed and row.printed.std,
        }
        for row in rows
    )


def _beside_printed(done: Sequence[Row]) -> list[Chart]:
    """A row for each network and variant of which the paper prints an error."""
    printed = [row for row in done if row.printed]
    if not printed:
        return []
    rows = _frame(printed).astype({"printed_std": float})
    columns = ["depth", "variant", "seeds", "test_error", "error_low", "error_high", "printed",
               "printed_std"]  # fmt: skip
    listed = "; ".join(
        f"{row.title}{f' ({row.variant})' if row.variant else ''} {number(row.test_error)}, "
        f"printed {number(row.printed_error)}"
        for row in printed
    )
    return [
        make_chart(
            "errors-printed",
            "CIFAR-10",
            "Test error, ours and printed",
            f"Test errors in percent with their 95 % intervals, beside those of Table 6: {listed}",
            partial(_draw_beside_printed, rows=rows.to_dict("records")),
            rows[columns],
            size=(SIZE[0], 0.75 + _ROW_INCHES * (len(rows) + 1)),
        )
    ]


def _draw_beside_printed(axes: Axes, rows: Rows) -> None:
    """Dots with intervals: ours; open diamonds: printed, with a deviation where there is one."""
    depths = [row["depth"] for row in rows]
    for place, row in enumerate(rows):
        colour = depth_colour(row["depth"])
        span = [row["error_low"], row["error_high"]]
        axes.plot(span, [place - 0.12] * 2, color=colour, linewidth=2.5, alpha=0.4)
        axes.plot(row["test_error"], place - 0.12, "o", color=colour, markersize=6)
        if not math.isnan(row["printed_std"]):
            ends = [row["printed"] - row["printed_std"], row["printed"] + row["printed_std"]]
            axes.plot(ends, [place + 0.2] * 2, color=TEXT, linewidth=1)
        axes.plot(row["printed"], place + 0.2, "D", color=TEXT, markerfacecolor=PAGE, markersize=5)
        if depths.count(row["depth"]) > 1:
            axes.annotate(row["variant"], (row["error_low"], place - 0.36), fontsize=7.5,
                          va="center")  # fmt: skip
    axes.set_yticks(range(len(rows)), [str(depth) for depth in depths])
    # The legend stands below the last row.
    axes.set_ylim(len(rows) + 0.35, -0.7)
    axes.margins(x=0.08)
    axes.grid(axis="y", visible=False)
    axes.set(xlabel=_ERROR, ylabel="Depth (layers)")
    legend(
        axes,
        "lower right",
        Line2D([], [], marker="o", color=TEXT, linewidth=2.5, alpha=0.6, label="ours, 95 %"),
        Line2D(
            [], [], marker="D", color=TEXT, markerfacecolor=PAGE, linewidth=1,
            label="printed, ± std where given",
        ),
    )  # fmt: skip


def _plain_beside_residual(done: Sequence[Row]) -> list[Chart]:
    """Where both kinds were trained: a line for each group of cells that differ in depth alone.

    Shortcut options other than the paper's A are left out, as in its Figure 6.
    """
    shown = [row for row in done if row.shortcut in ("A", "none")]
    if len({row.network for row in shown}) < 2:
        return []
    frame = _frame(shown)
    lines = {
        " · ".join(str(panel).split(" · ")[1:]): rows.sort_values("depth")
        for panel, rows in frame.groupby("panel", sort=False)
    }
    listed = ". ".join(
        f"{label}: "
        + ", ".join(
            f"{depth} layers {number(error)}"
            for depth, error in zip(rows["depth"], rows["test_error"], strict=True)
        )
        for label, rows in lines.items()
    )
    columns = ["panel", "network", "depth", "seeds", "test_error", "error_low", "error_high"]
    return [
        make_chart(
            "errors-plain",
            "CIFAR-10",
            "Test error by depth, plain and residual",
            f"Test error in percent by depth. {listed}",
            partial(_draw_by_depth, lines=lines),
            frame[columns],
        )
    ]


def _draw_by_depth(axes: Axes, lines: dict[str, pd.DataFrame]) -> None:
    """Residual nets: filled and solid; plain nets: hollow and dashed."""
    depths = sorted({depth for rows in lines.values() for depth in rows["depth"]})
    places = {depth: place for place, depth in enumerate(depths)}
    handles = []
    for (label, rows), marker in zip(lines.items(), cycle("os^DXPv<>"), strict=False):
        is_plain = rows["network"].iloc[0] == "cifar_plain"
        line = Line2D(
            [places[depth] for depth in rows["depth"]], rows["test_error"], color=TEXT,
            linestyle="--" if is_plain else "-", linewidth=1.1, marker=marker, markersize=5.5,
            markerfacecolor=PAGE if is_plain else TEXT, label=label,
        )  # fmt: skip
        axes.add_line(line)
        handles.append(line)
        for row in rows.to_dict("records"):
            x, colour = places[row["depth"]], depth_colour(row["depth"])
            axes.plot([x, x], [row["error_low"], row["error_high"]], color=colour, linewidth=1.1)
            axes.plot(
                x, row["test_error"], marker, color=colour, markersize=6,
                markerfacecolor=PAGE if is_plain else colour,
            )  # fmt: skip
    axes.set_xticks(range(len(depths)), [str(depth) for depth in depths])
    axes.margins(x=0.08, y=0.12)
    bottom, top = axes.get_ylim()
    # Room for a line of the legend each.
    axes.set_ylim(bottom, top + (top - bottom) * len(lines) / 10)
    axes.set(xlabel="Depth (layers)", ylabel=_ERROR)
    legend(axes, "upper left", *handles)
