"""``times``: how long each cell trained until it had a test accuracy for good. No torch."""

import math
from pathlib import Path
from typing import Annotated, Final

import typer
from typer import Option

from bench.cli.options import Form, Output
from bench.cli.output import print_rows, written_to
from bench.cli.shared import (
    folders,
    names,
    plain_table,
    records_in,
    refuse_absent,
    rows_of,
    say,
    wide,
)
from bench.errors import UsageError
from bench.formats import duration, number

HEAD: Final = ["Network", "Data set", "Recipe", "Seed", "Target, %", "Epoch", "Images", "Training"]
LEGEND: Final = (
    "Until the end of the first epoch from which on the test accuracy is never below the target. "
    "Training: its time alone, without looks at test images."
)


def times(
    *,
    results: Annotated[
        list[str] | None,
        Option(
            metavar="DIR",
            help="Results folders, or folders of records, comma-separated; reports where left out.",
        ),
    ] = None,
    targets: Annotated[
        str,
        Option(
            metavar="PERCENT",
            help="Test accuracies, comma-separated; 90, 91.25 and 93 of CIFAR-10 and 99 of MNIST "
            "where left out.",
        ),
    ] = "",
    form: Form = "table",
    output: Output = None,
) -> None:
    """Show how long each cell trained until it reached a test accuracy, and kept it."""
    from bench.analysis.times import table
    from bench.records.store import load_all

    wanted = [_target(text) for text in names(targets)]
    records = []
    for folder in folders(results) or [Path("reports")]:
        refuse_absent("--results", folder)
        found, problems = load_all(records_in(folder))
        records += found
        for problem in problems:
            typer.echo(f"left out: {problem}", err=True)
    if not records:
        raise UsageError("no record of a cell there; python -m bench run makes some")
    frame = table(records, wanted)
    with written_to(output):
        if form != "table":
            print_rows(frame, form)
            return
        shown = plain_table(HEAD, "lllrrrrr")
        for row in rows_of(frame):
            start = [row["model"], row["dataset"], row["recipe"], str(row["seed"])]
            if row["outcome"] == "reached":
                end = [str(row["epoch"]), number(row["images"], 0), duration(row["seconds"])]
            else:
                at_end = row["test_accuracy"]
                why = f"never, {number(at_end)} % at the end" if at_end else row["outcome"]
                end = ["–", "–", why]
            shown.add_row(*start, f"{row['target']:g}", *end)
        wide.print(shown)
        say(LEGEND)


def _target(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 100:
        raise UsageError(f"--targets {text}: percent above 0 are needed, such as 90,91.25")
    return value
