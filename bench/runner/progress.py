"""What a person sees while cells run: bars on a terminal, plain timestamped lines elsewhere."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from bench.config.cell import Cell
from bench.records.pace import pace_problem
from bench.records.schema import EpochRecord, Record


class GridProgress:
    """Progress of the cells that are still to run.

    Work is counted as images x depth: the time of an image grows about linearly with the depth
    (measured on CPUs), so that the time left is a fair guess from the first cell on.
    """

    def __init__(
        self, console: Console, total_work: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._clock = clock
        self._total_work = total_work
        self._work = 0
        self._cell_work = 0
        self._cell_total = 0
        self._depth = 0
        self._started = clock()
        self._title = ""
        self._bars = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._grid_bar = self._bars.add_task("all cells", total=total_work, left="")
        self._cell_bar = self._bars.add_task("", total=None, left="")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def say(self, text: str) -> None:
        """One line that stays, with the time of day."""
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        self._console.print(f"{now}  {text}", markup=False, highlight=False, soft_wrap=True)

    def start_cell(self, number: int, count: int, cell: Cell, images: int) -> None:
        """Cell ``number`` of ``count`` begins; measuring and training take ``images`` images."""
        self._title = f"[{number}/{count}] {cell.model} {cell.dataset} seed {cell.seed}"
        self._depth = cell.depth
        self._cell_work, self._cell_total = 0, images * cell.depth
        self._bars.reset(
            self._cell_bar,
            total=self._cell_total,
            description=f"{cell.model} {cell.dataset} seed {cell.seed}",
            left="",
        )
        self.say(f"{self._title}: measuring cost and speed")

    def step(self, images: int) -> None:
        """``images`` more of the cell's images are done."""
        self._cell_work += images * self._depth
        self._bars.update(self._cell_bar, completed=self._cell_work, left=self._left(cell=True))
        self._bars.update(
            self._grid_bar, completed=self._work + self._cell_work, left=self._left(cell=False)
        )

    def end_epoch(self, epoch: EpochRecord, epochs: int) -> None:
        """An epoch's figures, and the time left."""
        self.say(
            f"{self._title}: epoch {epoch.epoch}/{epochs}, "
            f"train loss {epoch.train_loss:.3f}, accuracy {epoch.train_accuracy:.1%}, "
            f"test accuracy {epoch.test_accuracy:.1%} of {epoch.test_images:,} images, "
            f"{self._left(cell=False)}"
        )

    def end_cell(self, record: Record) -> None:
        """The cell is stored."""
        # A failed cell leaves work undone that nobody waits for.
        self._total_work -= self._cell_total - self._cell_work
        self._work += self._cell_work
        self._cell_work = self._cell_total = 0
        self._bars.update(self._grid_bar, completed=self._work, total=self._total_work)
        seconds = (record.finished_at - record.started_at).total_seconds()
        if record.final is None:
            self.say(f"{self._title}: FAILED after {seconds:.0f} s: {record.reason}")
        else:
            self.say(
                f"{self._title}: done in {seconds:.0f} s, "
                f"test accuracy {record.final.test_accuracy:.2%}"
            )
        if problem := pace_problem(record):
            self.say(f"{self._title}: {problem}")

    def _left(self, *, cell: bool) -> str:
        done = self._work + self._cell_work
        if done == 0:
            return ""
        remaining = self._cell_total - self._cell_work if cell else self._total_work - done
        seconds = (self._clock() - self._started) * remaining / done
        return f"{timedelta(seconds=round(seconds))} left"
