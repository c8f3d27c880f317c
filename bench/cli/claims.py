"""``claims``: the ledger of what the references claim, and what the records say to it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from typer import Exit, Option

from bench.cli.options import Form, Format, Output
from bench.cli.output import print_rows, written_to
from bench.cli.shared import (
    EXIT_FAILURE,
    folders,
    refuse_absent,
    refuse_unwritable,
    runs_in,
    say,
    verdict_words,
)
from bench.records.writing import write_atomic

if TYPE_CHECKING:
    from bench.claims.verdict import Verdict

STYLES: Final = {"reproduced": "green", "refuted": "red", "inconclusive": "yellow"}


def claims(
    *,
    results: Annotated[
        list[str] | None,
        Option(
            metavar="DIR",
            help="Results folders, folders of such or of records, comma-separated; reports where "
            "left out.",
        ),
    ] = None,
    file: Annotated[
        Path | None, Option(metavar="FILE", help="Judge the claims in this TOML file instead.")
    ] = None,
    verdict: Annotated[
        list[str] | None,
        Option(
            metavar="WORD",
            help="Show these only, in full: reproduced, refuted, inconclusive, not-run.",
        ),
    ] = None,
    form: Form = "table",
    as_json: Annotated[bool, Option("--json", hidden=True)] = False,
    output: Output = None,
    junit: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Write every claim as a test case for CI systems too: refuted ones have failed, "
            "inconclusive ones and those that were not run are skipped.",
        ),
    ] = None,
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
    from bench.report.junit import document

    wanted = verdict_words("--verdict", verdict, WORDS)
    bad = verdict_words("--fail-on", fail_on, WORDS)
    given = folders(results) or [Path("reports")]
    for folder in given if results else ():
        refuse_absent("--results", folder)
    wanted_claims = None if file is None else files.read(file)
    problems: list[str] = []
    runs = [each for folder in given for each in runs_in(folder)]
    observed = [each for folder in runs for each in observe_folder(folder, problems)]
    for problem in problems:
        typer.echo(f"left out: {problem}", err=True)
    if not observed:
        where = ", ".join(map(str, given))
        typer.echo(f"no records in {where}: only what needs no training is judged", err=True)
    verdicts = judge_observed(observed, wanted_claims)
    shown = [each for each in verdicts if not wanted or each.word in wanted]
    if junit:
        refuse_unwritable("--junit", junit)
        write_atomic(junit, document(verdicts))
    with written_to(output):
        if as_json or form == "json":
            print(json.dumps([json_of(each) for each in shown], indent=1, ensure_ascii=False))
        elif form == "table":
            _show(shown, verdicts, fold=not wanted)
        else:
            _print_rows(shown, form)
    if any(each.word in bad for each in verdicts):
        raise Exit(EXIT_FAILURE)


def _print_rows(shown: "Sequence[Verdict]", form: Format) -> None:
    import pandas as pd

    from bench.report.claims import flat

    print_rows(pd.DataFrame([flat(each) for each in shown]), form)


def _show(shown: "Sequence[Verdict]", verdicts: "Sequence[Verdict]", *, fold: bool) -> None:
    """Verdicts by kind; with ``fold``, what was not run is one line a kind."""
    from bench.report.claims import ORIGINS, PARTS, by_title, counts, needed, told

    folded = []
    for title, found in by_title(shown).items():
        rest = [each for each in found if fold and each.word == "not run"]
        if rest:
            folded.append(f"{title} {len(rest)} not run, need {needed(rest)}")
        if len(rest) == len(found):
            continue
        say(f"\n{title}", style="bold")
        for each in found:
            if each not in rest:
                claim = each.claim
                say(f"{each.word:<13}", style=STYLES.get(each.word), end="")
                say(f"{claim.id}: {claim.text} [{claim.source}; {ORIGINS[claim.origin]}]")
                say(f"{'':<13}{each.reason}")
    if folded:
        say("\n" + "\n".join(folded))
    say("")
    for part, words in counts(verdicts).items():
        say(f"{PARTS[part]}: {told(words)}.")
    if folded:
        say("--verdict not-run shows each that was not run, and why.")
