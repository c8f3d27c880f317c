"""``evaluate``: weights of any project, or those that were kept with a record."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, cast

import typer
from typer import Context, Option

from bench.cli.options import DataDir, DataSource, Device, Form, Out, Output
from bench.cli.output import print_rows, written_to
from bench.cli.shared import given, load, refuse_unwritable, say
from bench.data.datasets import Normalisation
from bench.errors import UsageError
from bench.records.evaluations import TOLERANCE, Evaluation
from bench.records.store import EVALUATIONS
from bench.runner.request import Request
from resnet_models.spec import Lineage

if TYPE_CHECKING:
    import pandas as pd


BESIDE_RECORD: Final = (
    "record", "results", "form", "output", "device", "data_dir", "data_source",
)  # fmt: skip


def evaluate(
    context: Context,
    *,
    checkpoint: Annotated[
        Path | None, Option(metavar="FILE", help="Weights of any project; needs --dataset.")
    ] = None,
    dataset: Annotated[str | None, Option(metavar="NAME", help="cifar10 or mnist.")] = None,
    record: Annotated[
        str | None,
        Option(
            metavar="ID", help="Instead: the weights that were kept with a record of --results."
        ),
    ] = None,
    results: Annotated[
        Path, Option(metavar="DIR", help="Results folder with the record; nothing is stored.")
    ] = Path("reports"),
    model: Annotated[
        str | None,
        Option(
            metavar="NAME", help="The network that they are for; the one that has such if left out."
        ),
    ] = None,
    normalize: Annotated[
        Literal["all", Normalisation],
        Option(help="How images were normalised in training; all: try every way."),
    ] = "all",
    lineage: Annotated[
        Lineage | None,
        Option(
            help="Where left out: project2022 with names of that project, torchvision with others; "
            "CIFAR networks have only paper."
        ),
    ] = None,
    expect: Annotated[
        float | None, Option(metavar="ERR", help="Claimed top-1 error in percent, to check.")
    ] = None,
    tolerance: Annotated[
        float, Option(metavar="POINTS", help="By how much the claim may be missed.")
    ] = TOLERANCE,
    form: Form = "table",
    output: Output = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    data_source: DataSource = "auto",
    out: Out = Path("reports"),
) -> None:
    """Measure the test error of a checkpoint, and whether it is the claimed one."""
    if record and (beside := given(context, but=BESIDE_RECORD)):
        raise UsageError(
            f"--record evaluates what was kept with it, as it was trained: leave out "
            f"{', '.join(beside)}"
        )
    if output is not None:
        refuse_unwritable("--output", output)
    asked = None
    if record is None:
        if checkpoint is None or dataset is None:
            raise UsageError("--checkpoint FILE and --dataset NAME are needed, or --record ID")
        asked = Request(
            checkpoint=checkpoint,
            model=model,
            dataset=dataset,
            normalize=normalize,
            lineage=lineage,
            claim=expect,
            tolerance=tolerance,
        )
    from bench.runner import evaluate as evaluation
    from bench.runner import kept
    from bench.training.environment import choose_device

    # Standard output is for what a program reads.
    tell = say if form == "table" else partial(typer.echo, err=True)
    own = kept.find(results, record) if record else None
    found = evaluation.run(
        own.request if own else cast(Request, asked),
        device=choose_device(device),
        load=lambda name: load([name], data_dir, data_source)[name],
        folder=None if own else out / EVALUATIONS,
        say=tell,
    )
    if form != "table" or output:
        with written_to(output):
            if form == "table":
                say(evaluation.describe_result(found))
            else:
                print_rows(_scores(found), form)
    if own:
        tell(own.beside(found))
    elif verdict := evaluation.judge(found):
        tell(verdict)


def _scores(record: Evaluation) -> "pd.DataFrame":
    """A row a normalisation that was tried."""
    import pandas as pd

    names = ["file_name", "sha256", "model", "lineage", "stem", "shortcut", "dataset"]
    claim = ["claimed_error_percent", "tolerance_points", "difference_points", "claim_holds"]
    return pd.DataFrame(
        {
            **{name: getattr(record, name) for name in names},
            **score.model_dump(),
            "error_percent": score.error_percent,
            "chosen": score.normalisation == record.chosen,
            # What is claimed is judged by the chosen one.
            **{name: getattr(record, name) for name in claim},
        }
        for score in record.scores
    )
