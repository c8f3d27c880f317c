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
from bench.report.figures import findings
from bench.report.figures.chart import Chart, Rows, dot, legend, make_chart, name_rows, panels
from bench.report.figures.readings import Reading
from bench.report.figures.svg import OURS, PAGE, PAPER, SIZE, TEXT, depth_colour

_ERROR: Final = "Test error (%)"
_ROW_INCHES: Final = 0.42
_NAMES: Final = ("panel", "network", "shortcut", "title", "depth", "variant", "seeds", "images")


def error_charts(rows: Sequence[Row]) -> list[Chart]:
    """Our test errors beside the printed ones, and those of plain nets beside residual ones.

    Args:
        rows: of ``baselines.table6``.
    """
    done = pd.DataFrame(
        {
            **{name: getattr(row, name) for name in _NAMES},
            "test_error": row.test_error,
            "error_low": 100 - row.test_high,
            "error_high": 100 - row.test_low,
            "printed": row.printed.expected if row.printed else math.nan,
            "printed_std": (row.printed.std if row.printed else None) or math.nan,
        }
        for row in rows
        if row.test_high is not None and row.test_low is not None
    )
    if done.empty:
        return []
    return [
        *_beside_printed(done, findings.beside_printed(rows)),
        *_plain_beside_residual(done, findings.plain_beside_residual(rows)),
    ]


def _beside_printed(done: pd.DataFrame, finding: str) -> list[Chart]:
    """A row for each network and variant of which the paper prints an error."""
    rows = done.dropna(subset=["printed"])
    if rows.empty:
        return []
    columns = ["depth", "variant", "seeds", "test_error", "error_low", "error_high", "printed",
               "printed_std"]  # fmt: skip
    listed = "; ".join(
        f"{row['title']}{row['variant'] and ' (' + row['variant'] + ')'} "
        f"{number(row['test_error'])}, printed {number(row['printed'])}"
        for row in rows.to_dict("records")
    )
    return [
        make_chart(
            "errors-printed",
            "CIFAR-10",
            "Test error, ours and printed",
            f"Test errors in percent with their 95 % intervals, beside those of Table 6: {listed}",
            partial(_draw_beside_printed, rows=rows.to_dict("records")),
            rows[columns],
            finding=finding,
            size=(SIZE[0], 0.75 + _ROW_INCHES * (len(rows) + 1)),
        )
    ]


def _draw_beside_printed(axes: Axes, rows: Rows) -> None:
    """Dots with intervals: ours; squares: printed, with a deviation where there is one."""
    depths = [row["depth"] for row in rows]
    for place, row in enumerate(rows):
        depth, span = row["depth"], (row["error_low"], row["error_high"])
        reading = Reading(
            who=f"{row['title']}, ours", value=row["test_error"], span=span, images=row["images"],
            seeds=row["seeds"], note=row["variant"],
        )  # fmt: skip
        dot(axes, (row["test_error"], place - 0.12), span, OURS, reading=reading, depth=depth,
            linewidth=2.5, alpha=0.4)  # fmt: skip
        printed, std = row["printed"], row["printed_std"]
        reading = Reading(who=f"{row['title']}, paper", value=printed,
                          span=(printed - std, printed + std))  # fmt: skip
        dot(axes, (printed, place + 0.2), reading.span, PAPER, marker="s", size=5,
            reading=reading, depth=depth, linewidth=1)  # fmt: skip
        if depths.count(row["depth"]) > 1:
            axes.annotate(row["variant"], (row["error_low"], place - 0.36), fontsize=7.5,
                          va="center")  # fmt: skip
    name_rows(axes, [str(depth) for depth in depths], _ERROR)
    # The legend stands below the last row.
    axes.set_ylim(len(rows) + 0.35, -0.7)
    axes.margins(x=0.08)
    legend(
        axes,
        "lower right",
        Line2D([], [], marker="o", color=OURS, linewidth=2.5, alpha=0.6, label="ours, 95 %"),
        Line2D(
            [], [], marker="s", color=PAPER, linewidth=1, label="printed, ± std where given",
        ),
    )  # fmt: skip


def _plain_beside_residual(done: pd.DataFrame, finding: str) -> list[Chart]:
    """Where both kinds were trained: a line for each group of cells that differ in depth alone.

    Shortcut options other than the paper's A are left out, as in its Figure 6.
    """
    done = done[done["shortcut"].isin(["A", "none"])]
    if done["network"].nunique() < 2:
        return []
    lines = {
        " · ".join(panel.split(" · ")[1:]): rows.sort_values("depth")
        for _, panel, rows in panels(done)
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
            done[columns],
            finding=finding,
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
            span = (row["error_low"], row["error_high"])
            reading = Reading(
                who=f"{row['title']}, test error", value=row["test_error"], span=span,
                images=row["images"], seeds=row["seeds"], note=row["variant"],
            )  # fmt: skip
            dot(axes, (x, row["test_error"]), span, colour, upright=True, marker=marker,
                face=PAGE if is_plain else colour, reading=reading, depth=row["depth"],
                linewidth=1.1)  # fmt: skip
    axes.set_xticks(range(len(depths)), [str(depth) for depth in depths])
    axes.margins(x=0.08, y=0.12)
    bottom, top = axes.get_ylim()
    # Room for a line of the legend each.
    axes.set_ylim(bottom, top + (top - bottom) * len(lines) / 10)
    axes.set(xlabel="Depth (layers)", ylabel=_ERROR)
    legend(axes, "upper left", *handles)
