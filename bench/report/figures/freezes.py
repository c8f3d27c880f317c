"""The 2022 project's training, epoch by epoch, with the place where it stops moving."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from bench.analysis.freezing import can_freeze_be_seen, find_freeze, moving_epochs
from bench.analysis.logs import RunLog, tables
from bench.reference.loader import dataset_title
from bench.report.figures import findings
from bench.report.figures.chart import DASHES, Chart, label_ends, legend, make_chart
from bench.report.figures.readings import Crosshair
from bench.report.figures.svg import PAGE, SOFT, TEXT, depth_colour

_FAINT: Final = 0.35


def freeze_charts(logs: Iterable[RunLog]) -> list[Chart]:
    """Train and test accuracy by epoch, one chart for each data set and recipe.

    Tables in which no run can be judged are left out.
    """
    charts: list[Chart] = []
    for (dataset, recipe), runs in tables(logs).items():
        if not any(can_freeze_be_seen(log) for log in runs):
            continue
        charts.append(
            make_chart(
                f"freeze-{len(charts) + 1}",
                dataset_title(dataset),
                f"{dataset_title(dataset)}, recipe {recipe}",
                "Train accuracy, and faintly test accuracy, in percent by epoch. "
                + " ".join(_found(log) for log in runs),
                partial(_draw, logs=runs),
                _data(runs),
                finding=findings.stops(
                    sum(find_freeze(log) is not None for log in runs),
                    sum(can_freeze_be_seen(log) for log in runs),
                ),
            )
        )
    return charts


def _found(log: RunLog) -> str:
    if freeze := find_freeze(log):
        return (
            f"{log.title} moves until epoch {freeze.after_epoch} of {log.epochs} and stays at "
            f"{freeze.level:.1f} from there on."
        )
    found = "no freeze is seen" if can_freeze_be_seen(log) else "cannot be judged"
    return f"{log.title}: {found} in {log.epochs} epochs, the last {log.train_accuracy[-1]:.1f}."


def _data(logs: Sequence[RunLog]) -> pd.DataFrame:
    return pd.DataFrame(
        {"depth": log.depth, "epoch": epoch, "train_accuracy": train, "test_accuracy": test,
         "moving": epoch <= moving_epochs(log)}
        for log in logs
        for epoch, (train, test) in enumerate(
            zip(log.train_accuracy, log.test_accuracy, strict=True), start=1
        )
    )  # fmt: skip


def _draw(axes: Axes, logs: Sequence[RunLog]) -> Crosshair:
    """A diamond on a dotted line, with its epoch, stands where a run freezes."""
    for log in logs:
        colour, epochs = depth_colour(log.depth), range(1, log.epochs + 1)
        axes.plot(epochs, log.test_accuracy, color=colour, alpha=_FAINT, linewidth=0.7, zorder=1)
        axes.plot(epochs, log.train_accuracy, color=colour, linestyle=_dashes(log), linewidth=1.4)
        if freeze := find_freeze(log):
            place = freeze.after_epoch, log.train_accuracy[freeze.after_epoch - 1]
            axes.plot(*place, "D", color=colour, markersize=6.5, markeredgecolor=PAGE, zorder=3)
    axes.set(xlabel="Epoch", ylabel="Accuracy (%)")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.margins(x=0.03, y=0.13)  # labels of lines that end together spread upwards
    axes.set_xlim(left=0)
    for epoch in sorted({each.after_epoch for log in logs if (each := find_freeze(log))}):
        axes.axvline(epoch, color=SOFT, linewidth=0.8, linestyle=":", zorder=1)
        axes.annotate(
            f"{epoch}", (epoch, 0), xycoords=("data", "axes fraction"), xytext=(-3, 4),
            textcoords="offset points", ha="right", fontsize=8.5,
        )  # fmt: skip
    label_ends(axes, [(log.depth, log.epochs, log.train_accuracy[-1]) for log in logs])
    legend(
        axes,
        "lower right",
        Line2D([], [], color=TEXT, label="train"),
        Line2D([], [], color=TEXT, linewidth=0.7, alpha=_FAINT, label="test"),
    )
    return _crosshair(logs)


def _crosshair(logs: Sequence[RunLog]) -> Crosshair:
    """Train accuracies alone: those of tests would make ten rows."""
    epochs = range(1, max(log.epochs for log in logs) + 1)
    lines = [
        (log.title, log.depth,
         [log.train_accuracy[n] if n < log.epochs else None for n in range(len(epochs))])
        for log in logs
    ]  # fmt: skip
    return Crosshair(unit="epoch {}", places=list(epochs), lines=lines)


def _dashes(log: RunLog) -> tuple[int, tuple[float, ...] | None]:
    return 0, DASHES.get(log.depth) or None
