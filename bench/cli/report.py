"""``report``: from records to the page."""

from pathlib import Path
from typing import Annotated

from typer import Option

from bench.cli.options import Out
from bench.cli.shared import PAGE, records_in, refuse_absent, say
from bench.errors import UsageError
from bench.records.store import RECORD_FILE, RUNS


def report(
    *,
    out: Out = Path("reports"),
    results: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            help="Results folder, or folder of records, to draw; --out where left out.",
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
    from bench.report import page

    records = out / RUNS
    if results is not None:
        refuse_absent("--results", results)
        records = records_in(results)
        if not any(records.glob(f"*/{RECORD_FILE}")):
            raise UsageError(
                f"--results {results}: there is no record in {records}. "
                f"python -m bench run --out {results} makes some."
            )
    if against is not None:
        refuse_absent("--against", against)
    for problem in page.write(records, out / PAGE, profile, against):
        say(f"left out: {problem}")
    say(f"Report: {(out / PAGE).absolute()}")
