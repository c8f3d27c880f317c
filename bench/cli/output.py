"""How a command writes its table: for people, or in a format for programs and documents."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.cli.options import Format
from bench.cli.shared import refuse_unwritable, rows_of
from bench.formats import in_markdown, markdown_table
from bench.records.writing import write_atomic

if TYPE_CHECKING:
    import pandas as pd

_COLOUR: Final = re.compile(r"\x1b\[[\d;]*m")


@contextmanager
def written_to(output: Path | None) -> Iterator[None]:
    """What is printed within it goes to the file ``output``, where there is one, and once it ends.

    Raises:
        UsageError: no file can be written there.
        StorageError: the disk is full.
    """
    if output is None:
        yield
        return
    refuse_unwritable("--output", output)
    text = io.StringIO()
    with redirect_stdout(text):
        yield
    write_atomic(output, _COLOUR.sub("", text.getvalue()))


def print_rows(frame: "pd.DataFrame", form: Format) -> None:
    """``frame`` in a format other than the table, nothing rounded; what is missing is left empty.

    LaTeX needs the package booktabs. In JSON a row is an object, and what is missing null.
    """
    if form == "json":
        print(json.dumps(rows_of(frame), indent=1, ensure_ascii=False, allow_nan=False))
        return
    if form == "csv":
        print(frame.to_csv(index=False), end="")
        return
    texts = frame.astype(object).where(frame.notna(), "").map(str)
    if form == "latex":
        print(texts.to_latex(index=False, escape=True), end="")
    else:
        print(markdown_table(list(texts.columns), texts.map(in_markdown).to_numpy().tolist()))
