"""``claims``: the ledger of what the references claim, and what the records say to it."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bench.cli.shared import EXIT_FAILURE, RUNS, verdict_words
from bench.cli.terminal import console, say
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.claims.ledger import Verdict
    from bench.claims.measures import Observed

DEFAULT: Final = Path("reports")
STYLES: Final = {"reproduced": "green", "refuted": "red", "inconclusive": "yellow"}

Words = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WORD", help="Show these only: reproduced, refuted, inconclusive, not-run."
    ),
]


def claims(
    *,
    results: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR", help="Results folders, or folders of records; reports where left out."
        ),
    ] = None,
    verdict: Words = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write JSON, with nothing rounded.")
    ] = False,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD", help="Exit with 1 where any claim has this verdict."),
    ] = None,
) -> None:
    """Judge every claim of the references by the records; needs neither torch nor a GPU."""
    from bench.claims.ledger import WORDS, judge_observed
    from bench.report.claims import as_json as json_of

    wanted = verdict_words("--verdict", verdict, WORDS)
    bad = verdict_words("--fail-on", fail_on, WORDS)
    verdicts = judge_observed(_observed(results))
    shown = [each for each in verdicts if not wanted or each.word in wanted]
    if as_json:
        print(json.dumps([json_of(each) for each in shown], indent=1, ensure_ascii=False))
    else:
        _show(shown, verdicts)
    if any(each.word in bad for each in verdicts):
        raise typer.Exit(EXIT_FAILURE)


def _observed(results: Sequence[Path] | None) -> "Iterator[Observed]":
    """What all folders hold; what is wrong with them goes to standard error.

    Raises:
        UsageError: a folder that was named does not exist.
    """
    from bench.claims.ledger import observe_folder

    for folder in results or ():
        if not folder.is_dir():
            raise UsageError(f"--results {folder}: there is no such folder")
    found = 0
    problems: list[str] = []
    for folder in results or [DEFAULT]:
        records = folder / RUNS if (folder / RUNS).is_dir() else folder
        for observed in observe_folder(records, problems):
            found += 1
            yield observed
    for problem in problems:
        typer.echo(f"left out: {problem}", err=True)
    if not found:
        where = ", ".join(str(folder) for folder in results or [DEFAULT])
        typer.echo(f"no records in {where}: only what needs no training is judged", err=True)


def _show(shown: "Sequence[Verdict]", verdicts: "Sequence[Verdict]") -> None:
    """The chosen verdicts by kind, then how many there are of each."""
    from bench.report.claims import TITLES, counts

    for kind, title in TITLES.items():
        rows = [each for each in shown if each.claim.kind == kind]
        if rows:
            say("")
            console.print(title, style="bold", markup=False, highlight=False)
        for each in rows:
            style = STYLES.get(each.word)
            console.print(f"{each.word:<13}", end="", style=style, markup=False, highlight=False)
            say(f"{each.claim.id}: {each.claim.text} [{each.claim.source}]")
            say(f"{'':<13}{each.reason}")
    totals = ", ".join(f"{number} {word}" for word, number in counts(verdicts).items())
    say(f"\n{len(verdicts)} claims: {totals}.")
