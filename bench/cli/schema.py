"""``schema``: what the files of a results folder hold, for other programs. No torch."""

import json
from typing import Annotated, Literal

from typer import Argument

from bench.cli.options import Output
from bench.cli.output import written_to


def schema(
    name: Annotated[
        Literal["record", "epoch", "workload", "evaluation", "summary"],
        Argument(metavar="NAME", help="record, epoch, workload, evaluation or summary."),
    ],
    *,
    output: Output = None,
) -> None:
    """Print the JSON Schema of a kind of file, as this version writes it."""
    from bench.report.schemas import SCHEMAS

    with written_to(output):
        print(json.dumps(SCHEMAS[name](), indent=1, ensure_ascii=False))
