"""``claims``: the ledger of what the references claim, and what the records say to it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from typer import Exit, Option

from bench.cli.shared import EXIT_FAILURE, records_in, refuse_absent, say, verdict_words

if TYPE_CHECKING:
    from bench.claims.verdict import Verdict

STYLES: Final = {"reproduced": "green", "refuted": "red", "inconclusive": "yellow"}


def claims(
    *,
    results: Annotated[
        list[Path] | None,
        Option(
            metavar="DIR", help="Results folders, or folders of records; reports where left out."
        ),
    ] = None,
    file: Annotated[
        Path | None, Option(metavar="FILE", help="Judge the claims in this TOML file instead.")
    ] = None,
    verdict: Annotated[
        list[str] | None,
        Option(metavar="WORD", help="Show these only: reproduced, refuted, inconclusive, not-run."),
    ] = None,
    as_json: Annotated[bool, Option("--json", help="Write JSON, with nothing rounded.")] = False,
    fail_on: Annotated[
        list[str] | None,
        Option(metavar="WORD", help="Exit with 1 where any claim has this verdict."),
    ] = None,
) -> None:
    """Judge every claim of the references by the records; needs neither torch nor a GPU."""
    from bench.claims import files
    from bench.claims.ledger import judge_observed, observe_folder
    from bench.claims.verdict import WORDS
    from bench.report.claims import as_json as json_of

    wanted = verdict_words("--verdict", verdict, WORDS)
    bad = verdict_words("--fail-on", fail_on, WORDS)
    for folder in results or ():
        refuse_absent("--results", folder)
    wanted_claims = None if file is None else files.read(file)
    folders = results or [Path("reports")]
    problems: list[str] = []
    observed = [each for folder in folders for each in observe_folder(records_in(folder), problems)]
    for problem in problems:
        typer.echo(f"left out: {problem}", err=True)
    if not observed:
        where = ", ".join(map(str, folders))
        typer.echo(f"no records in {where}: only what needs no training is judged", err=True)
    verdicts = judge_observed(observed, wanted_claims)
    shown = [each for each in verdicts if not wanted or each.word in wanted]
    if as_json:
        print(json.dumps([json_of(each) for each in shown], indent=1, ensure_ascii=False))
    else:
        _show(shown, verdicts)
    if any(each.word in bad for each in verdicts):
        raise Exit(EXIT_FAILURE)


def _show(shown: "Sequence[Verdict]", verdicts: "Sequence[Verdict]") -> None:
    from bench.report.claims import by_title, counts

    for title, found in by_title(shown).items():
        say(f"\n{title}", style="bold")
        for each in found:
            say(f"{each.word:<13}", style=STYLES.get(each.word), end="")
            say(f"{each.claim.id}: {each.claim.text} [{each.claim.source}]")
            say(f"{'':<13}{each.reason}")
    totals = ", ".join(f"{number} {word}" for word, number in counts(verdicts).items())
    say(f"\n{len(verdicts)} claims: {totals}.")
