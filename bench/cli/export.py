"""``export``: records in the formats of other programs. Nothing is sent anywhere."""

from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from bench.cli.shared import records_in, refuse_absent, say
from bench.errors import UsageError


def export(
    *,
    results: Annotated[Path, Option(metavar="DIR", help="Results folder with the records.")] = Path(
        "reports"
    ),
    record: Annotated[
        str | None, Option(metavar="ID", help="One record, by the name of its folder.")
    ] = None,
    hub: Annotated[
        Path | None,
        Option(
            metavar="FOLDER",
            help="Write weights and a model card as the Hub of Hugging Face reads them; needs "
            "--record.",
        ),
    ] = None,
    tensorboard: Annotated[
        Path | None,
        Option(
            metavar="FOLDER",
            help="Write event files of TensorBoard, a run for each record, or of --record alone.",
        ),
    ] = None,
) -> None:
    """Write a trained network, or records, for other programs."""
    if (hub is None) == (tensorboard is None):
        raise UsageError("say what to write: either --hub FOLDER or --tensorboard FOLDER")
    refuse_absent("--results", results)
    if tensorboard:
        _write_events(tensorboard, results, record)
        return
    if hub is None or record is None:
        raise UsageError("--hub needs --record ID: the cell whose weights it is to have")
    from bench.records.weights import find
    from bench.report import card

    card.write(hub, *find(results, record))
    say(
        f"Written, and sent nowhere: {', '.join((card.README, card.WEIGHTS, card.CONFIG))} in {hub}"
    )


def _write_events(folder: Path, results: Path, cell_id: str | None) -> None:
    from bench.records.store import load_all
    from bench.report.tensorboard import write

    found, problems = load_all(records_in(results))
    for problem in problems:
        typer.echo(f"left out: {problem}", err=True)
    records = [each for each in found if cell_id in (None, each.cell.id)]
    if not records:
        which = f"record {cell_id}" if cell_id else "record of a cell"
        raise UsageError(f"there is no {which} in {results}; python -m bench run makes some")
    write(folder, records)
    say(f"{len(records)} runs written. They are shown by: tensorboard --logdir {folder}")
