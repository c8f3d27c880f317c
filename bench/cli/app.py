"""Command line: parse, build, run. Exit code 2 for a wrong request, 1 for a failure."""

import typer

from bench.cli.claims import claims
from bench.cli.compare import compare
from bench.cli.machine import compare_loops, doctor
from bench.cli.networks import evaluate, models
from bench.cli.run import data, report, run
from bench.cli.shared import EXIT_FAILURE, EXIT_USAGE
from bench.cli.speed import speed
from bench.cli.terminal import checked_output, fail
from bench.errors import BenchError, UsageError

app = typer.Typer(
    help="Train every ResNet of the paper, measure cost, speed and accuracy, compare with the "
    "printed tables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS = (
    run, data, report, claims, compare, speed, models, evaluate, compare_loops, doctor,
)  # fmt: skip
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Entry point: a user's mistake ends in one line, never in a traceback."""
    try:
        with checked_output(EXIT_FAILURE):
            app()
    except UsageError as error:
        fail(error, EXIT_USAGE)
    except BenchError as error:
        fail(error, EXIT_FAILURE)
