"""``compare``: two results folders side by side."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer
from typer import Argument, Exit, Option

from bench.cli.shared import EXIT_FAILURE, plain_table, verdict_words, wide
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.compare.comparison import Comparison
    from bench.records.folder import Results

EXIT_CANNOT_TELL: Final = 3
Format = Literal["table", "markdown", "csv", "latex", "json"]
RIGHT: Final = {"A, ms", "B, ms", "A, %", "B, %", "Rounds", "Seeds", "Speed-up of B"} | {
    "B − A, points", "95 % interval", "Visible", "p"
}  # fmt: skip


def compare(
    baseline: Annotated[Path, Argument(metavar="A", help="Results folder to compare with.")],
    candidate: Annotated[Path, Argument(metavar="B", help="Results folder that is judged.")],
    *,
    form: Annotated[Format, Option("--format", help="How to write it.")] = "table",
    repeat: Annotated[
        list[Path] | None,
        Option(
            metavar="FOLDER",
            help="A further run of exactly what A ran, on its machine: measures by how much runs "
            "of the same differ. May be given several times.",
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
    slowest = _ratio(max_slowdown)
    results = [read(folder) for folder in (baseline, candidate, *(repeat or []))]
    gated = bool(bad or slowest)
    _refuse_copies(results, gated)
    for each in results:
        for problem in each.problems:
            typer.echo(f"left out: {problem}", err=True)
    comparison = compare_results(results[0], results[1], results[2:], slowest or SAME)
    if form == "table":
        _show(comparison)
    elif form == "csv":
        typer.echo(f"noise: {tables.noise_words(comparison.noise)}", err=True)
        for left_out in comparison.left_out:
            typer.echo(f"not compared: {left_out.name}: {left_out.why}", err=True)
        print(tables.csv(comparison), end="")
    else:
        write = {"markdown": tables.markdown, "latex": tables.latex, "json": tables.as_json}[form]
        print(write(comparison))
    if gated:
        outcome = check(
            comparison,
            [word for word in VERDICTS if word in bad],
            slowest,
            allow_missing=allow_missing,
        )
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


def _show(comparison: "Comparison") -> None:
    from bench.compare.tables import sections, totals

    for title, frame in sections(comparison).items():
        wide.print(title, style="bold")
        sides = "".join("r" if column in RIGHT else "l" for column in frame.columns)
        table = plain_table(list(frame.columns), sides)
        for row in frame.to_numpy().tolist():
            table.add_row(*row)
        wide.print(table, "")
    wide.print(totals(comparison))
