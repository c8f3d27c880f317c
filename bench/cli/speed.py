"""``speed``: how fast the networks train and infer here, and how fast they could."""

import signal
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast, get_args

import typer
from typer import Exit, Option

from bench.cli.options import (
    MOST,
    Device,
    FirstLayers,
    Form,
    Format,
    OnOff,
    Output,
    PublishedLineage,
    Threads,
)
from bench.cli.output import print_rows, written_to
from bench.cli.shared import EXIT_FAILURE, names, plain_table, refuse_unwritable, rows_of, say, wide
from bench.errors import UsageError
from bench.formats import significant, size
from bench.records.schema import Precision
from bench.records.speed import USUAL, Direction, Limits, MemoryFormat, SpeedRecord, Variant
from bench.records.store import SPEED
from bench.speed.workloads import DIRECTIONS, MODELS, all_ways, default_matrix, sweep_start
from resnet_models.spec import Shortcut

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from bench.records.speed import Workload
    from bench.speed.rounds import Setting

COLUMNS: Final = [
    "Network", "Stem", "Direction", "Batch", "Precision", "Images/s", "Quartiles", "p50, ms",
    "p95, ms", "p99, ms", "GFLOP/s", "Of the limit", "Memory", "Data, fwd, bwd, opt",
]  # fmt: skip

Models = Annotated[str, Option(help="Comma-separated; the five of Table 1 where left out.")]
Shortcuts = Annotated[
    Shortcut | None, Option(help="Option of section 3.3; the published one if left out.")
]
Resolution = Annotated[
    int, Option(min=1, max=MOST, metavar="N", help="Pixels of an image, a side.")
]
BatchSize = Annotated[
    int | None,
    Option(min=1, metavar="N", help="Where left out: 32 on a CPU, 128 on a GPU, and 1."),
]
Precisions = Annotated[
    str, Option(help="Comma-separated; float32 and, if native, bfloat16 if left out.")
]
Sweep = Annotated[
    bool, Option("--sweep", help="Double the batch, from 1, until that gains nothing.")
]
Ways = Annotated[
    bool, Option("--ways", help="Training with and without CUDA graph and torch.compile.")
]

Trace = Annotated[
    Path | None,
    Option(
        metavar="FILE",
        help="Time nothing: write what happens in five steps of one workload as a Chrome trace.",
    ),
]


def speed(
    *,
    models: Models = "",
    stem: FirstLayers = None,
    lineage: PublishedLineage = USUAL.lineage,
    shortcut: Shortcuts = None,
    resolution: Resolution = USUAL.resolution,
    direction: Annotated[Direction | None, Option(help="Both where left out.")] = None,
    batch_size: BatchSize = None,
    precision: Precisions = "",
    memory_format: Annotated[MemoryFormat, Option(help="Of images and weights.")] = (
        USUAL.memory_format
    ),
    compile_: Annotated[OnOff, Option("--compile", help="torch.compile.")] = "off",
    rounds: Annotated[int, Option(min=1, metavar="N", help="Passes over all workloads.")] = 3,
    sweep: Sweep = False,
    ways: Ways = False,
    trace: Trace = None,
    device: Device = "auto",
    threads: Threads = None,
    form: Form = "table",
    output: Output = None,
    out: Annotated[Path, Option(help="Results folder: records in speed/.")] = Path("reports"),
) -> None:
    """Measure speed, latency and memory of the networks beside the machine's own limits."""
    if sweep and batch_size is not None:
        raise UsageError("--sweep finds the batch size: leave out --batch-size or --sweep")
    if ways and direction == "inference":
        raise UsageError("--ways times training: leave out --direction inference or --ways")
    for option, file in {"--output": output, "--trace": trace}.items():
        if file is not None:
            refuse_unwritable(option, file)
    variant = Variant(
        lineage=lineage,
        stem=stem,
        shortcut=shortcut,
        resolution=resolution,
        memory_format=memory_format,
        compiled=compile_ == "on",
    )
    wanted = _known_precisions(precision)
    matrix = partial(
        default_matrix,
        models=names(models) or MODELS,
        directions=DIRECTIONS if direction is None else (direction,),
        batch_size=batch_size,
        variant=variant,
    )
    matrix("cpu", ("float32",))  # wrong words are told before torch is loaded, which takes seconds
    from bench.speed.rounds import Setting, refuse_impossible
    from bench.training.environment import choose_device, describe, load_average, use_threads

    # Standard output is for what a program reads.
    tell = say if form == "table" or output else partial(typer.echo, err=True)
    load, torch_device = load_average(), choose_device(device)
    use_threads(threads)
    workloads = matrix(torch_device.type, wanted or _native_precisions(torch_device, every=ways))
    workloads = sweep_start(workloads) if sweep else workloads
    workloads = _in_all_ways(workloads, torch_device, tell) if ways else workloads
    setting = Setting(
        device=torch_device,
        environment=describe(torch_device),
        load_before=load,
        rounds=rounds,
        folder=out / SPEED,
        sweep=sweep,
        say=tell,
    )
    for workload in workloads:
        refuse_impossible(workload, torch_device, setting.memory_bytes)
    if trace is not None:
        _trace(workloads, torch_device, trace)
        return
    _measure(workloads, setting, form, output)


def _trace(workloads: "Sequence[Workload]", device: "torch.device", path: Path) -> None:
    from bench.speed.trace import STEPS, write

    if len(workloads) > 1:
        raise UsageError(
            f"--trace is of one workload, and {len(workloads)} are chosen: leave one by --models, "
            "--direction, --batch-size and --precision"
        )
    write(workloads[0], device, path)
    say(f"{STEPS} steps of {workloads[0].id}: open {path} in chrome://tracing or ui.perfetto.dev")


def _in_all_ways(
    workloads: "Sequence[Workload]", device: "torch.device", tell: Callable[[str], None]
) -> "list[Workload]":
    from bench.training.environment import compile_problem

    if problem := compile_problem(device):
        tell(f"without torch.compile: {problem}")
    return all_ways(workloads, device.type, compiles=problem is None)


def _known_precisions(text: str) -> list[Precision]:
    wanted = names(text)
    for word in wanted:
        if word not in get_args(Precision):
            known = ", ".join(get_args(Precision))
            raise UsageError(f"--precision {word}: no such precision; there are {known}")
    return cast(list[Precision], wanted)


def _native_precisions(device: "torch.device", *, every: bool) -> list[Precision]:
    """What ``device`` multiplies itself, float16 apart unless ``every``."""
    from bench.speed.limits import native_precisions

    return [each for each in native_precisions(device) if every or each != "float16"]


def _measure(
    workloads: "Sequence[Workload]", setting: "Setting", form: Format, output: Path | None
) -> None:
    """Measure, show what was found, and leave with the exit code that follows from it."""
    from bench.analysis.speed import summarize
    from bench.speed.rounds import ran_out, run
    from bench.training.stop import StopRequest

    StopRequest().install()
    try:
        records, limits = run(workloads, setting)
    except KeyboardInterrupt:
        setting.say(f"\nStopped: what had ended a round is in {setting.folder}.")
        raise Exit(128 + signal.SIGINT) from None
    setting.say("")
    with written_to(output):
        if form == "table":
            show(records, limits, sweep=setting.sweep)
        else:
            print_rows(summarize(records, limits), form)
    setting.say(f"Records: {setting.folder.absolute()}")
    failed = [record for record in records if record.status == "failed"]
    # Where memory ran out, a smaller batch was measured: that is an answer, not a failure.
    if len(failed) == len(records) or not all(ran_out(record) for record in failed):
        raise Exit(EXIT_FAILURE)


def show(records: Sequence[SpeedRecord], limits: Limits | None, *, sweep: bool) -> None:
    """All of ``records``; after a sweep the best batch sizes too; limits and warnings."""
    from bench.analysis.speed import best_batches, limits_line, notes, summarize

    frame = summarize(records, limits)
    _show_table(frame)
    if sweep:
        wide.print("\nThe batch size with the highest throughput:", style="bold")
        _show_table(best_batches(frame))
    if limits:
        wide.print(f"\n{limits_line(limits)}")
    for line in notes(records, limits):
        wide.print(line)


def _show_table(frame: "pd.DataFrame") -> None:
    table = plain_table(COLUMNS, "lllrlrrrrrrrrl")
    for row in rows_of(frame):
        table.add_row(*_cells(row))
    wide.print(table)


def _cells(row: dict[Hashable, Any]) -> list[str]:
    from bench.analysis.speed import PHASES, unusual

    name = ", ".join([row["model"], *unusual(row)])
    start = [name, row["stem"], row["direction"], str(row["batch_size"]), row["precision"]]
    if not row["samples"]:
        return [*start, "failed"]
    quartiles = [significant(row[f"images_per_second_{name}"]) for name in ("q1", "q3")]
    shares = [_percent(row[f"{phase}_share"]) for phase in PHASES]
    return [
        *start,
        significant(row["images_per_second"]),
        "–".join(quartiles),
        *(significant(row[f"latency_{name}_ms"]) for name in ("p50", "p95", "p99")),
        significant(row["operations_per_second"] / 1e9),
        _percent(row["limit_share"]),
        size(row["peak_memory_bytes"]),
        "–" if row["data_share"] is None else ", ".join(shares),
    ]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"
