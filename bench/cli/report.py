"""``report``: from records to the page."""

from pathlib import Path
from typing import Annotated

from typer import Option

from bench.cli.options import Out
from bench.cli.shared import PAGE, records_in, refuse_absent, say
from bench.errors import UsageError


def report(
    *,
    out: Out = Path("reports"),
    results: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            help="Results folder, or folder of records, to draw; that of --out where left out.",
        ),
    ] = None,
    against: Annotated[
        Path | None,
        Option(metavar="DIR", help="Another results folder to set these results beside."),
    ] = None,
    profile: Annotated[
        str | None, Option(help="Which profile to show; the newest where left out.")
    ] = None,
) -> None:
    """Draw the report again from the records; needs neither torch nor a GPU."""
    from bench.records.folder import read_beside
    from bench.report import page

    if results is not None:
        refuse_absent("--results", results)
    found = read_beside(records_in(results or out))
    if results is not None and not (found.holds_records or found.problems):
        raise UsageError(
            f"--results {results}: there is no record in it. "
            f"python -m bench run --out {results} makes some, and so does python -m bench speed."
        )
    if against is not None:
        refuse_absent("--against", against)
    for problem in page.write_found(found, out / PAGE, profile, against):
        say(f"left out: {problem}")
    say(f"Drawn: {found.contents} of {(results or out).absolute()}")
    say(f"Report: {(out / PAGE).absolute()}")
