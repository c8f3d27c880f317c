"""What several commands share: how words are read, lines and tables for people."""

import os
from collections.abc import Collection, Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Console
from rich.table import Table
from typer import Context

from bench.data.datasets import find
from bench.errors import UsageError
from bench.records.store import RECORD_FILE, RUNS

if TYPE_CHECKING:
    import pandas as pd

    from bench.data.datasets import Dataset

EXIT_FAILURE: Final = 1
PAGE: Final = "index.html"

console = Console(markup=False, highlight=False, emoji=False)
# Wider than any table here: a narrow terminal then wraps a line, and never drops digits.
wide = Console(width=500, markup=False, highlight=False, emoji=False)


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def verdict_words(option: str, given: Sequence[str] | None, verdicts: Sequence[str]) -> set[str]:
    """What was asked for of ``verdicts``, also with commas and with hyphens for spaces."""
    words = {word for text in given or () for word in names(text)}
    known = {word.replace(" ", "-"): word for word in verdicts}
    for word in sorted(words - {*known, *verdicts}):
        raise UsageError(f"{option} {word}: no such verdict; there are {', '.join(known)}")
    return {known.get(word, word) for word in words}


def given(context: Context, *, but: Collection[str]) -> list[str]:
    """The options that stand on the command line, without those for the parameters ``but``."""
    found = []
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name) if parameter.name else None
        if source and source.name == "COMMANDLINE" and parameter.name not in but:
            found.append(parameter.opts[0])
    return found


def refuse_absent(option: str, folder: Path) -> None:
    if not folder.is_dir():
        raise UsageError(f"{option} {folder}: there is no such folder")


def folders(given: Sequence[str] | None) -> list[Path]:
    """Paths that were given one by one or with commas; one that has a comma is taken whole."""
    return [
        Path(name)
        for text in given or ()
        for name in ([text] if Path(text).exists() else names(text))
    ]


def refuse_unwritable(option: str, file: Path) -> None:
    """Make its folder, before anything is measured that could not be written."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{option} {file}: {error.strerror or error}") from None
    if file.is_dir() or not os.access(file.parent, os.W_OK):
        raise UsageError(f"{option} {file}: no file can be written there")


def records_in(results: Path) -> Path:
    """The folder of cells' records of a results folder, or ``results`` where it is one itself."""
    runs = results / RUNS
    return results if not runs.is_dir() and any(results.glob(f"*/{RECORD_FILE}")) else runs


def runs_in(results: Path) -> list[Path]:
    """``records_in`` of ``results``, or of each results folder in it where it only holds such."""
    own = records_in(results)
    return [own] if own.is_dir() else sorted(results.glob(f"*/{RUNS}")) or [own]


def load(names: Sequence[str], data_dir: Path | None, source: str) -> "dict[str, Dataset]":
    for name in names:
        find(name)  # a wrong one is told before torch is loaded
    from bench.data import sources

    options: Any = {"data_dir": data_dir, "source": source, "report": say}
    return {name: sources.load(name, **options) for name in names}


def say(text: str, **options: Any) -> None:
    """``text`` as it is, whatever the width of the terminal."""
    console.print(text, soft_wrap=True, **options)


def plain_table(columns: list[str], sides: str) -> Table:
    """An empty table with one rule below its head; ``sides`` is l or r for each column."""
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style=""
    )
    for column, side in zip(columns, sides, strict=True):
        table.add_column(column, justify="left" if side == "l" else "right", no_wrap=True)
    return table


def rows_of(frame: "pd.DataFrame") -> list[dict[Hashable, Any]]:
    """With None for what is not there."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")
