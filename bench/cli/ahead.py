"""What a run will take, told before it begins."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from typer import Exit, confirm

from bench.cli.shared import EXIT_FAILURE, plain_table, say, wide
from bench.config.plan import Plan
from bench.formats import duration, listed

if TYPE_CHECKING:
    from bench.runner.estimate import Estimate
    from bench.runner.options import RunOptions

HOUR: Final = 3600.0


def show(plans: Sequence[Plan], options: "RunOptions") -> None:
    """Each cell of ``plans`` with its time, and their time and disk space in all."""
    if not plans:
        say("No cell is left to run.")
        return
    from bench.runner.estimate import disk, estimate
    from bench.training.environment import available_cpus, load_average, load_problem

    if problem := load_problem(load_average(), available_cpus()):
        say(f"warning: {problem}")
    estimates = estimate(plans, options)
    table = plain_table(["Cell", "Time, about", "From"], "lrl")
    for each in estimates:
        table.add_row(each.plan.cell.id, duration(each.seconds), each.source)
    wide.print(table)
    space = disk(plans, keeps_weights=options.keeps_weights)
    say(
        f"{_told(estimates)}. Records: about {_megabytes(space.records)}; checkpoints, until their "
        f"cell ends: up to {_megabytes(space.checkpoints)}. Nothing was run."
    )


def ask(plans: Sequence[Plan], options: "RunOptions", *, yes: bool) -> None:
    """Say what ``plans`` take where that is an hour or more, and ask on a terminal.

    Raises:
        Exit: the answer is no.
    """
    from bench.runner.estimate import estimate, may_take

    if may_take(plans, options) < HOUR:
        return
    estimates = estimate(plans, options)
    if sum(each.seconds for each in estimates) < HOUR:
        return
    say(f"{_told(estimates)}. --dry-run tells it by cell.")
    if not yes and sys.stdin is not None and sys.stdin.isatty() and not confirm("Go on?"):
        say("Nothing was run. --fraction, --epochs, --models or another --profile make it shorter.")
        raise Exit(EXIT_FAILURE)


def _told(estimates: Sequence["Estimate"]) -> str:
    seconds = sum(each.seconds for each in estimates)
    sources = listed(sorted(each.source for each in estimates))
    return f"In all about {duration(seconds)}, by {sources}"


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB"
