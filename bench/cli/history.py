"""``history``: one quantity over several results folders, and where it jumped. No torch."""

import json
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer
from typer import Argument, Option

from bench.cli.options import Form, Output
from bench.cli.output import print_rows, written_to
from bench.cli.shared import folders, plain_table, say, wide
from bench.compare.steps import SHORTEST
from bench.errors import UsageError
from bench.formats import number, significant

if TYPE_CHECKING:
    from bench.compare.history import Series, Step

HEAD: Final = ["Begun", "Commit", "PyTorch", "Value", "Low", "High", "Samples", "Step"]

FEWEST: Final = 2 * SHORTEST


def history(
    given: Annotated[
        list[str],
        Argument(metavar="FOLDER…", help="Results folders, in any order."),
    ],
    *,
    quantity: Annotated[
        Literal["speed", "training", "accuracy"],
        Option(
            help="speed: images/s of workloads of bench speed; training: images/s of the cells' "
            "training steps; accuracy: their test accuracy, the mean of the seeds."
        ),
    ] = "speed",
    of: Annotated[
        str, Option(metavar="TEXT", help="Only series with this in their name, such as resnet50.")
    ] = "",
    form: Form = "table",
    as_json: Annotated[bool, Option("--json", help="The same as --format json.")] = False,
    output: Output = None,
) -> None:
    """Show one quantity over commits or versions, and between which it jumped."""
    import pandas as pd

    from bench.compare.history import history as series_of
    from bench.compare.history import rows
    from bench.records.folder import read

    named = {folder.resolve(): folder for folder in folders(given)}  # each once
    found = [read(folder) for folder in named.values()]
    for results in found:
        for problem in results.problems:
            typer.echo(f"left out: {problem}", err=True)
    series = [each for each in series_of(found, quantity) if of in each.name]
    if not series:
        with_it = f" with {of} in its name" if of else ""
        raise UsageError(
            f"none of the {len(found)} folders has {quantity} of anything{with_it}; --quantity and "
            "--of choose something else"
        )
    with written_to(output):
        if as_json or form == "json":
            print(json.dumps(list(rows(series)), indent=1, ensure_ascii=False))
        elif form != "table":
            print_rows(pd.DataFrame(rows(series)), form)
        else:
            for each in series:
                _show(each)


def _show(series: "Series") -> None:
    from bench.compare.history import UNITS

    say(f"{series.name}, {UNITS[series.quantity]}, on {series.machine}", style="bold")
    steps = {id(step.after): step for step in series.steps}
    table = plain_table(HEAD, "lllrrrrr")
    for point in series.points:
        values = (_value(series, value) for value in (point.value, point.low, point.high))
        step = steps.get(id(point))
        table.add_row(
            f"{point.at:%Y-%m-%d %H:%M}",
            point.environment.commit or f"version {point.environment.resnet_bench}",
            point.environment.torch,
            *values,
            str(point.samples),
            _change(series, step) if step else "",
        )
    wide.print(table)
    for step in steps.values():
        say(
            f"{_change(series, step)} between {step.before.folder} and {step.after.folder}: from "
            f"{_value(series, step.old)} to {_value(series, step.new)}"
        )
    if not steps:
        few = len(series.points) < FEWEST
        say(f"Too few results for a step: {FEWEST} are needed." if few else "No step.")
    say("")


def _value(series: "Series", value: float) -> str:
    return number(value) if series.quantity == "accuracy" else significant(value)


def _change(series: "Series", step: "Step") -> str:
    points = series.quantity == "accuracy"
    return f"{number(step.change, 2 if points else 1, signed=True)} {'points' if points else '%'}"
