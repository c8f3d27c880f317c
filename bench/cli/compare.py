"""``compare``: two results folders side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer
from typer import Argument, Exit, Option

from bench.cli.shared import EXIT_FAILURE, plain_table, verdict_words, wide
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.compare.comparison import Comparison

Format = Literal["table", "markdown", "csv", "latex", "json"]
RIGHT: Final = {"A, ms", "B, ms", "A, %", "B, %", "Samples", "Seeds", "Speed-up of B"} | {
    "B − A, points", "95 % interval", "Noise floor", "p"
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
            help="A further run of exactly what A ran, on its machine: measures the noise floor. "
            "May be given several times.",
        ),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        Option(
            metavar="WORD",
            help="Exit with 1 where B is this in anything: faster, slower, better, worse, "
            "undecided.",
        ),
    ] = None,
) -> None:
    """Say what is faster, slower, better or worse in B than in A, and what is noise."""
    from bench.compare import tables
    from bench.compare.comparison import compare as compare_results
    from bench.compare.finding import VERDICTS
    from bench.records.folder import read

    bad = verdict_words("--fail-on", fail_on, VERDICTS)
    folders = [baseline, candidate, *(repeat or [])]
    _refuse_doubles(folders)
    results = [read(folder) for folder in folders]
    for each in results:
        for problem in each.problems:
            typer.echo(f"left out: {problem}", err=True)
    comparison = compare_results(results[0], results[1], results[2:])
    if form == "table":
        _show(comparison)
    elif form == "csv":
        typer.echo(f"noise floor: {tables.noise_words(comparison.noise)}", err=True)
        for left_out in comparison.left_out:
            typer.echo(f"not compared: {left_out.name}: {left_out.why}", err=True)
        print(tables.csv(comparison), end="")
    else:
        write = {"markdown": tables.markdown, "latex": tables.latex, "json": tables.as_json}[form]
        print(write(comparison))
    if any(found.verdict in bad for found in comparison.findings):
        raise Exit(EXIT_FAILURE)


def _refuse_doubles(folders: list[Path]) -> None:
    """A repeat is neither A nor B nor another one: a run shows no noise beside itself."""
    resolved = [folder.resolve() for folder in folders]
    for number, folder in enumerate(folders[2:], start=2):
        if resolved[number] in resolved[:number]:
            raise UsageError(
                f"--repeat {folder}: this folder is given already. Name a further run of what A ran"
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
