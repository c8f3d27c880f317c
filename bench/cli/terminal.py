"""Lines for people: on standard output, and for a failure the last one on standard error."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from rich import box
from rich.console import Console
from rich.table import Table

console = Console(emoji=False)
# Wider than any table here: a narrow terminal then wraps a line, and never drops digits.
wide = Console(width=500, markup=False, highlight=False, emoji=False)


def say(text: str) -> None:
    """``text`` as it is."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def plain_table(columns: list[str], sides: str) -> Table:
    """An empty table with one rule below its head; ``sides`` is l or r for each column."""
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style=""
    )
    for column, side in zip(columns, sides, strict=True):
        table.add_column(column, justify="left" if side == "l" else "right", no_wrap=True)
    return table


def fail(why: object, code: int) -> NoReturn:
    """Leave with the exit code ``code``."""
    errors = Console(stderr=True, emoji=False)
    errors.print(f"error: {why}", markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)


@contextmanager
def checked_output(code: int) -> Iterator[None]:
    """Leave with ``code`` and a line where standard output cannot be written to.

    Without a line where nobody reads it any more.
    """
    try:
        try:
            yield
        finally:
            print(end="", flush=True)  # at exit nobody could say any more that the disk is full
    except UnicodeEncodeError as error:
        letter = error.object[error.start]
        why = f"{error.encoding} has no {letter!a}; set PYTHONIOENCODING=utf-8"
    except OSError as error:
        if error.filename is not None:  # standard output has no name
            raise
        why = "" if isinstance(error, BrokenPipeError) else error.strerror or str(error)
    else:
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is written there
    if why:
        fail(f"cannot write the output: {why}", code)
    sys.exit(code)
