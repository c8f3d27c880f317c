"""The page renewed while a grid trains.

Each drawing is a process of its own, which is waited for: neither its memory nor a failure in it
reaches the run, and no timing of a cell is disturbed.
"""

import contextlib
import multiprocessing
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.analysis.labels import model_title
from bench.config.cell import Cell
from bench.reference.loader import dataset_title
from bench.report.page import write

_SHARE: Final = 0.05
"""Of the time since the last drawing that a drawing may take: short cells share one."""


class Renewal:
    """Draws the page again from the records there are, with the cells that are still to come.

    Args:
        results_folder: of the records, as ``page.write`` takes it.
    """

    def __init__(self, results_folder: Path, page: Path, profile: str) -> None:
        self._arguments = results_folder, page, profile
        self._drawn_at = time.monotonic()
        self._seconds = 0.0

    def __call__(self, coming: Sequence[Cell]) -> None:
        started = time.monotonic()
        if self._seconds > _SHARE * (started - self._drawn_at):
            return
        titles = [
            f"{model_title(cell.network, cell.depth)} on {dataset_title(cell.dataset)}"
            + (f", seed {cell.seed}" if cell.seed else "")
            for cell in coming
        ]
        drawing = multiprocessing.get_context("spawn").Process(
            target=_draw, args=(*self._arguments, titles), daemon=True
        )
        drawing.start()
        drawing.join()
        self._drawn_at = time.monotonic()
        self._seconds = self._drawn_at - started


def _draw(results_folder: Path, page: Path, profile: str, coming: Sequence[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run stops where it can, and goes first
    # What fails fails again, and is told, when the run ends.
    with contextlib.suppress(Exception):
        write(results_folder, page, profile, coming=coming)
