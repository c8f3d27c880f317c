"""``export``: records in the formats of other programs. Nothing is sent anywhere."""

from pathlib import Path
from typing import Annotated

from typer import Option

from bench.cli.shared import say
from bench.errors import UsageError


def export(
    *,
    results: Annotated[Path, Option(metavar="DIR", help="Results folder with the records.")] = Path(
        "reports"
    ),
    record: Annotated[
        str | None, Option(metavar="ID", help="The record, by the name of its folder.")
    ] = None,
    hub: Annotated[
        Path | None,
        Option(
            metavar="FOLDER",
            help="Write weights and a model card as the Hub of Hugging Face "
            "reads them; needs --record.",
        ),
    ] = None,
) -> None:
    """Write a trained network, or records, for other programs."""
    if hub is None or record is None:
        raise UsageError(
            "--hub FOLDER and --record ID are needed: what to write, and of which cell"
        )
    from bench.records.weights import find
    from bench.report import card

    card.write(hub, *find(results, record))
    say(
        f"Written, and sent nowhere: {', '.join((card.README, card.WEIGHTS, card.CONFIG))} in {hub}"
    )
