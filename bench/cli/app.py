"""Command line: parse, build, run. Exit code 2 for a wrong request, 1 for a failure."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console

from bench import __version__
from bench.cli.claims import claims
from bench.cli.compare import compare
from bench.cli.compare_loops import compare_loops
from bench.cli.doctor import doctor
from bench.cli.evaluate import evaluate
from bench.cli.experiments import experiments
from bench.cli.export import export
from bench.cli.history import history
from bench.cli.models import models
from bench.cli.report import report
from bench.cli.run import data, run
from bench.cli.schema import schema
from bench.cli.shared import EXIT_FAILURE
from bench.cli.signals import signals
from bench.cli.speed import speed
from bench.cli.times import times
from bench.errors import BenchError, UsageError

EXIT_USAGE: Final = 2


def _say_version(wanted: bool) -> None:
    if wanted:
        print(f"resnet-bench {__version__}")
        raise typer.Exit


app = typer.Typer(
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Train every ResNet of the paper, measure cost, speed and accuracy, compare with the "
    "printed tables.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
COMMANDS = (
    run, data, report, claims, experiments, compare, history, times, speed, models, signals,
    evaluate, export, schema, compare_loops, doctor,
)  # fmt: skip
for command in COMMANDS:
    app.command()(command)


@app.callback()
def program(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_say_version, help="Say it, and end."),
    ] = False,
) -> None:
    """What stands before a command."""


def main() -> None:
    """Entry point: a user's mistake ends in one line, never in a traceback."""
    try:
        with checked_output():
            app()
    except UsageError as error:
        fail(error, EXIT_USAGE)
    except BenchError as error:
        fail(error, EXIT_FAILURE)


@contextmanager
def checked_output() -> Iterator[None]:
    """Leave with a line where standard output cannot be written to.

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
        fail(f"cannot write the output: {why}", EXIT_FAILURE)
    sys.exit(EXIT_FAILURE)


def fail(why: object, code: int) -> NoReturn:
    """Leave with the exit code ``code``, the last line on standard error saying why."""
    errors = Console(stderr=True, emoji=False)
    errors.print(f"error: {why}", markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)
