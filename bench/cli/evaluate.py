"""``evaluate``: weights of any project."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Option

from bench.cli.options import DataDir, DataSource, Device, Out
from bench.cli.shared import load, say
from bench.data.datasets import Normalisation
from bench.records.evaluations import TOLERANCE
from bench.records.store import EVALUATIONS
from resnet_models.spec import Lineage


def evaluate(
    *,
    checkpoint: Annotated[Path, Option(metavar="FILE", help="Weights of any project.")],
    dataset: Annotated[str, Option(metavar="NAME", help="cifar10 or mnist.")],
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
    device: Device = "auto",
    data_dir: DataDir = None,
    data_source: DataSource = "auto",
    out: Out = Path("reports"),
) -> None:
    """Measure the test error of a checkpoint, and whether it is the claimed one."""
    from bench.runner import evaluate as evaluation
    from bench.training.environment import choose_device

    request = evaluation.Request(
        checkpoint=checkpoint,
        model=model,
        dataset=dataset,
        normalize=normalize,
        lineage=lineage,
        claim=expect,
        tolerance=tolerance,
    )
    record = evaluation.run(
        request,
        device=choose_device(device),
        load=lambda name: load([name], data_dir, data_source)[name],
        folder=out / EVALUATIONS,
        say=say,
    )
    if verdict := evaluation.judge(record):
        say(verdict)
