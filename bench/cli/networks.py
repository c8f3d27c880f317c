"""``models`` and ``evaluate``: the networks, and weights for them."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from bench.cli.shared import DataDir, DataSource, Device, Out, load, optional_count
from bench.cli.terminal import say
from bench.data.transforms import Normalisation
from bench.errors import UsageError
from bench.records import store
from bench.records.evaluations import TOLERANCE
from resnet_models import define
from resnet_models.spec import Lineage, Shortcut, Stem

Size = Annotated[str | None, typer.Option(metavar="N", help="For NAME; published where left out.")]


def models(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="The network to show; all of them where left out."),
    ] = None,
    *,
    table1: Annotated[
        bool, typer.Option("--table1", help="Show Table 1 of the paper, made from the networks.")
    ] = False,
    csv: Annotated[
        bool, typer.Option("--csv", help="Write comma-separated values and round nothing.")
    ] = False,
    lineage: Annotated[
        Lineage, typer.Option(help="Published definition that the networks of Table 1 follow.")
    ] = "paper",
    stem: Annotated[Stem | None, typer.Option(help="First layers of NAME.")] = None,
    shortcut: Annotated[Shortcut | None, typer.Option(help="Shortcuts of NAME.")] = None,
    resolution: Size = None,
    channels: Size = None,
    classes: Size = None,
) -> None:
    """List the networks with their parameters and MACs, or every layer of one; without torch."""
    from bench.cli import listing

    variant: dict[str, str | None] = {"--stem": stem, "--shortcut": shortcut}
    variant |= {"--resolution": resolution, "--channels": channels, "--classes": classes}
    given = [option for option, value in variant.items() if value is not None]
    if name is None:
        if given:
            raise UsageError(
                f"{given[0]} needs a network: python -m bench models NAME {given[0]} …"
            )
        (listing.show_table1 if table1 else listing.show_catalog)(lineage, csv=csv)
        return
    if table1:
        raise UsageError(f"--table1 shows five networks: leave out --table1 or {name}")
    try:
        definition = define(
            name,
            lineage=lineage,
            stem=stem,
            shortcut=shortcut,
            in_channels=optional_count("--channels", channels) or 3,
            num_classes=optional_count("--classes", classes),
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    listing.show_layers(definition, optional_count("--resolution", resolution), csv=csv)


def evaluate(
    *,
    checkpoint: Annotated[Path, typer.Option(metavar="FILE", help="Weights of any project.")],
    model: Annotated[str, typer.Option(metavar="NAME", help="The network that they are for.")],
    dataset: Annotated[str, typer.Option(metavar="NAME", help="cifar10 or mnist.")],
    normalize: Annotated[
        Literal["all", Normalisation],
        typer.Option(help="How images were normalised in training; all: try every way."),
    ] = "all",
    lineage: Annotated[
        Lineage | None,
        typer.Option(
            help="Where left out: project2022 with names of that project, torchvision with others; "
            "CIFAR networks have only paper."
        ),
    ] = None,
    expect: Annotated[
        float | None, typer.Option(metavar="ERR", help="Claimed top-1 error in percent, to check.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(metavar="POINTS", help="By how much the claim may be missed.")
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
        folder=out / store.EVALUATIONS,
        say=say,
    )
    if verdict := evaluation.judge(record):
        say(verdict)
