"""What a page is drawn from. No torch here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.analysis.paired import Load
from bench.records import folder, store
from bench.report.against import Beside


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """All of it, for every chapter.

    Attributes:
        found: records of any profiles; the page notes what it leaves out.
        problems: what is wrong with files that could not be read.
        against: these results beside another folder's.
        coming: titles of the cells that a run still has to train.
        predictions: gives what a record's network took each test image for, if it is stored; what
            cannot be read of it may be added to ``problems``.
        path_to: a file or folder as seen from the page.
    """

    found: folder.Results
    problems: Sequence[str]
    against: Beside | None
    coming: Sequence[str] = ()
    predictions: Load
    path_to: Callable[[Path], str]

    @property
    def paths(self) -> dict[str, str]:
        """The folders that the page leads to, as seen from it."""
        folders = {
            "records": self.found.runs,
            "evaluations": self.found.folder / store.EVALUATIONS,
            "speed": self.found.folder / store.SPEED,
        }
        return {name: self.path_to(folder) for name, folder in folders.items()}
