"""``speed``: how fast the networks train and infer here, and how fast they could."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast, get_args

import typer

from bench.cli.shared import EXIT_FAILURE, MOST, Device, names
from bench.cli.terminal import say
from bench.errors import UsageError
from bench.records.schema import Precision
from bench.records.speed import USUAL, Direction, MemoryFormat, Variant
from bench.records.speed_store import SPEED
from bench.speed.workloads import DIRECTIONS, MODELS, default_matrix, sweep_start
from resnet_models.spec import Lineage, Shortcut, Stem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from bench.records.speed import Workload
    from bench.speed.rounds import Setting


def speed(
    *,
    models: Annotated[
        str, typer.Option(help="Comma-separated; the five of Table 1 where left out.")
    ] = "",
    stem: Annotated[
        Stem | None, typer.Option(help="First layers; the published ones where left out.")
    ] = None,
    lineage: Annotated[
        Lineage, typer.Option(help="Published definition that the networks of Table 1 follow.")
    ] = USUAL.lineage,
    shortcut: Annotated[
        Shortcut | None, typer.Option(help="Option of section 3.3; the published one if left out.")
    ] = None,
    resolution: Annotated[
        int, typer.Option(min=1, max=MOST, metavar="N", help="Pixels of an image, a side.")
    ] = USUAL.resolution,
    direction: Annotated[Direction | None, typer.Option(help="Both where left out.")] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Where left out: 32 on a CPU, 128 on a GPU, and 1."),
    ] = None,
    precision: Annotated[
        str, typer.Option(help="Comma-separated; float32 and, if native, bfloat16 if left out.")
    ] = "",
    memory_format: Annotated[MemoryFormat, typer.Option(help="Of images and weights.")] = (
        USUAL.memory_format
    ),
    compile_: Annotated[
        Literal["on", "off"], typer.Option("--compile", help="torch.compile.")
    ] = "off",
    rounds: Annotated[int, typer.Option(min=1, metavar="N", help="Passes over all workloads.")] = 3,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Double the batch, from 1, until that gains nothing.")
    ] = False,
    device: Device = "auto",
    out: Annotated[Path, typer.Option(help="Results folder: records in speed/.")] = Path("reports"),
) -> None:
    """Measure speed, latency and memory of the networks beside the machine's own limits."""
    if sweep and batch_size is not None:
        raise UsageError("--sweep finds the batch size: leave out --batch-size or --sweep")
    from bench.speed.rounds import Setting, refuse_impossible
    from bench.training.environment import choose_device, describe, load_average

    load, torch_device = load_average(), choose_device(device)
    workloads = default_matrix(
        torch_device.type,
        _precisions(precision, torch_device),
        models=names(models) or MODELS,
        directions=DIRECTIONS if direction is None else (direction,),
        batch_size=batch_size,
        variant=Variant(
            lineage=lineage,
            stem=stem,
            shortcut=shortcut,
            resolution=resolution,
            memory_format=memory_format,
            compiled=compile_ == "on",
        ),
    )
    workloads = sweep_start(workloads) if sweep else workloads
    setting = Setting(
        device=torch_device,
        environment=describe(torch_device),
        load_before=load,
        rounds=rounds,
        folder=out / SPEED,
        sweep=sweep,
        say=say,
    )
    for workload in workloads:
        refuse_impossible(workload, torch_device, setting.memory_bytes)
    _measure(workloads, setting)


def _measure(workloads: "Sequence[Workload]", setting: "Setting") -> None:
    """Measure, show what was found, and leave with the exit code that follows from it."""
    from bench.cli import speed_listing
    from bench.speed.rounds import ran_out, run
    from bench.training.stop import StopRequest

    StopRequest().install()
    try:
        records, limits = run(workloads, setting)
    except KeyboardInterrupt:
        say(f"\nStopped: what had ended a round is in {setting.folder}.")
        raise typer.Exit(128 + signal.SIGINT) from None
    say("")
    speed_listing.show(records, limits, sweep=setting.sweep)
    say(f"Records: {setting.folder.absolute()}")
    failed = [record for record in records if record.status == "failed"]
    # Where memory ran out, a smaller batch was measured: that is an answer, not a failure.
    if len(failed) == len(records) or not all(ran_out(record) for record in failed):
        raise typer.Exit(EXIT_FAILURE)


def _precisions(text: str, device: "torch.device") -> list[Precision]:
    """What was asked for, or what ``device`` multiplies itself, float16 apart.

    Raises:
        UsageError: no such precision.
    """
    from bench.speed.limits import native_precisions

    wanted = names(text) or [each for each in native_precisions(device) if each != "float16"]
    for word in wanted:
        if word not in get_args(Precision):
            known = ", ".join(get_args(Precision))
            raise UsageError(f"--precision {word}: no such precision; there are {known}")
    return cast(list[Precision], wanted)
