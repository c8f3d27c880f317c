"""``compare``: two results folders side by side."""

import math
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer
from typer import Argument, Exit, Option

from bench.cli.options import Form, Output
from bench.cli.output import written_to
from bench.cli.shared import EXIT_FAILURE, console, folders, plain_table, say, verdict_words
from bench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from bench.compare.gate import Outcome
    from bench.records.folder import Results

EXIT_CANNOT_TELL: Final = 3
LEFT: Final = {"Direction", "Precision", "Test", "B is"}
NOT_ON_A_TERMINAL: Final = {"Rounds", "p"}


def compare(
    baseline: Annotated[Path, Argument(metavar="A", help="Results folder to compare with.")],
    candidate: Annotated[Path, Argument(metavar="B", help="Results folder that is judged.")],
    *,
    form: Form = "table",
    output: Output = None,
    only: Annotated[
        Literal["changed"] | None,
        Option(help="Show only what is faster, slower, better or worse."),
    ] = None,
    sort: Annotated[
        Literal["name", "change"], Option(help="The largest change first, or by name.")
    ] = "name",
    repeat: Annotated[
        list[str] | None,
        Option(
            metavar="FOLDER",
            help="A further run of exactly what A ran, on its machine: measures by how much runs "
            "of the same differ. Several with commas.",
        ),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        Option(
            metavar="WORD",
            help="Exit with 1 where B is this in anything: faster, slower, better, worse; with 3 "
            "where something of that kind is too noisy to tell.",
        ),
    ] = None,
    max_slowdown: Annotated[
        float | None,
        Option(
            metavar="PERCENT",
            help="Exit with 1 where a time in B is shown to be longer by more than this, with 3 "
            "where that cannot be excluded. What changes by less is called the same (else 10).",
        ),
    ] = None,
    allow_missing: Annotated[
        bool,
        Option(
            "--allow-missing",
            help="Let --fail-on and --max-slowdown pass though something of A failed, is missing "
            "or not comparable in B.",
        ),
    ] = False,
) -> None:
    """Say what is faster, slower, better or worse in B than in A, and what is too noisy to tell."""
    from bench.compare import tables
    from bench.compare.comparison import compare as compare_results
    from bench.compare.finding import VERDICTS
    from bench.compare.gate import check
    from bench.compare.timings import SAME
    from bench.records.folder import read

    bad = verdict_words("--fail-on", fail_on, VERDICTS)
    if fail_on and not bad:
        raise UsageError(f"--fail-on without a word; give one of {', '.join(VERDICTS[:4])}")
    slowest = _ratio(max_slowdown)
    results = [read(folder) for folder in (baseline, candidate, *folders(repeat))]
    gated = bool(bad or slowest)
    _refuse_copies(results, gated)
    for each in results:
        for problem in each.problems:
            typer.echo(f"left out: {problem}", err=True)
    comparison = compare_results(results[0], results[1], results[2:], slowest or SAME)
    shown = tables.select(
        comparison.findings, changed=only == "changed", by_change=sort == "change"
    )
    if form == "csv":
        typer.echo(f"noise: {tables.noise_words(comparison.noise)}", err=True)
        for left_out in comparison.left_out:
            typer.echo(f"not compared: {left_out.name}: {left_out.why}", err=True)
    with written_to(output):
        if form == "table":
            _show(tables.sections(comparison, shown), tables.totals(comparison))
        else:
            write = {
                "markdown": tables.markdown, "csv": tables.csv,
                "latex": tables.latex, "json": tables.as_json,
            }  # fmt: skip
            print(write[form](comparison, shown).rstrip("\n"))
    if gated:
        words = [word for word in VERDICTS if word in bad]
        _leave(check(comparison, words, slowest, allow_missing=allow_missing))


def _leave(outcome: "Outcome") -> None:
    """With the exit code of a gate that does not pass, having said why."""
    if outcome.failures:
        typer.echo(f"fails: {'; '.join(outcome.failures)}", err=True)
        raise Exit(EXIT_FAILURE)
    if outcome.doubts:
        typer.echo(f"cannot tell: {'; '.join(outcome.doubts)}", err=True)
        raise Exit(EXIT_CANNOT_TELL)


def _ratio(percent: float | None) -> float | None:
    if percent is None:
        return None
    if not (math.isfinite(percent) and percent > 0):
        raise UsageError(f"--max-slowdown {percent:g}: give percent above 0, such as 5")
    return 1 + percent / 100


def _refuse_copies(results: "list[Results]", gated: bool) -> None:
    """A run shows no noise beside itself, and a build that has not run must not pass."""
    from bench.compare.noise import copied

    for number, repeat in enumerate(results[2:], start=2):
        if count := copied(repeat, *results[:number]):
            raise UsageError(
                f"--repeat {repeat.folder}: {count} of its records stand in a folder that is given "
                "already, so it is a copy. Name a further run of what A ran"
            )
    if gated and (count := copied(results[1], results[0])):
        raise UsageError(
            f"{results[1].folder}: {count} of its records are those of {results[0].folder}. "
            "--fail-on and --max-slowdown need a run of its own as B"
        )


def _show(tables: "dict[str, pd.DataFrame]", totals: str) -> None:
    for title, frame in tables.items():
        console.print(title, style="bold")
        if title in ("Speed", "Accuracy"):
            _say_by_work(frame)
        elif title == "Notes":
            for about, note in frame.to_numpy().tolist():
                console.print(f"{note} ({about})")
        else:
            table = plain_table(list(frame.columns), "l" * len(frame.columns))
            for column in table.columns:
                column.no_wrap, column.overflow = False, "fold"
            for row in frame.to_numpy().tolist():
                table.add_row(*row)
            console.print(table)
        console.print()
    console.print(totals)


def _say_by_work(frame: "pd.DataFrame") -> None:
    """Names are long: each stands on its own line above its rows, which fit 80 columns."""
    frame = frame.drop(columns=list(NOT_ON_A_TERMINAL), errors="ignore")
    frame = frame.assign(**{"B is": frame["B is"].str.removesuffix(" to tell")})
    head, rows = list(frame.columns[1:]), frame.to_numpy().tolist()
    widths = [
        max(map(len, column)) for column in zip(head, *(row[1:] for row in rows), strict=True)
    ]

    def line(cells: list[str]) -> str:
        aligned = [
            cell.ljust(width) if name in LEFT else cell.rjust(width)
            for name, cell, width in zip(head, cells, widths, strict=True)
        ]
        return f"  {' '.join(aligned)}".rstrip()

    say(line(head))
    for work, group in groupby(rows, key=itemgetter(0)):
        say(work)
        for row in group:
            say(line(row[1:]))
