"""``run``, ``data`` and ``report``: from cells to the page."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bench.cli.shared import (
    EXIT_FAILURE,
    PAGE,
    RUNS,
    DataDir,
    DataSource,
    Device,
    Names,
    Out,
    count,
    load,
    names,
    optional_count,
)
from bench.cli.terminal import console, say
from bench.config.profiles import DATASETS, Changes, make
from bench.errors import UsageError
from bench.records import store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.config.profiles import RunConfig
    from bench.data.datasets import Dataset
    from bench.records.schema import Record
    from bench.runner.options import RunOptions

Compile = Literal["auto", "on", "off"]
PrecisionChoice = Literal["auto", "float32", "bfloat16", "float16"]


def run(
    *,
    profile: Annotated[
        str,
        typer.Option(
            help="smoke, quick, full, table6, project2022, or auto: full with a GPU, quick without."
        ),
    ] = "auto",
    models: Names = "",
    datasets: Names = "",
    cells: Annotated[
        str, typer.Option(metavar="IDS", help="Only these, by the names of their folders.")
    ] = "",
    seeds: Annotated[str, typer.Option(metavar="N", help="Train N seeds: 0, 1, ...")] = "1",
    epochs: Annotated[
        str | None, typer.Option(metavar="N", help="Train N epochs instead of the profile's.")
    ] = None,
    images_per_epoch: Annotated[
        str | None, typer.Option(metavar="N", help="Draw N training images for each epoch.")
    ] = None,
    held_out: Annotated[
        str | None,
        typer.Option(metavar="N", help="Keep the last N training images for validation."),
    ] = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    data_source: DataSource = "auto",
    out: Out = Path("reports"),
    precision: Annotated[
        PrecisionChoice,
        typer.Option(help="auto (what is fastest here), float32, bfloat16 or float16."),
    ] = "auto",
    compile_: Annotated[
        Compile,
        typer.Option("--compile", help="torch.compile; auto: where a long run gains from it."),
    ] = "auto",
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="The same bits in every run, on a GPU too; slower."),
    ] = False,
    checkpoint_seconds: Annotated[
        float, typer.Option(min=0, metavar="S", help="Least time between checkpoints of a cell.")
    ] = 60.0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start every cell over and replace its record.")
    ] = False,
) -> None:
    """Train and measure every cell that is not finished yet, then render the report."""
    from bench.runner.options import RunOptions
    from bench.training.engine import EngineOptions
    from bench.training.environment import choose_device
    from bench.training.stop import StopRequest

    torch_device = choose_device(device)
    config = make(
        profile,
        has_gpu=torch_device.type == "cuda",
        models=names(models),
        datasets=names(datasets),
        cells=names(cells),
        seeds=count("--seeds", seeds),
        changes=Changes(
            epochs=optional_count("--epochs", epochs),
            images_per_epoch=optional_count("--images-per-epoch", images_per_epoch),
            held_out=optional_count("--held-out", held_out),
        ),
    )
    options = RunOptions(
        device=torch_device,
        engine=EngineOptions(precision=precision, compile=compile_, deterministic=deterministic),
        checkpoint_seconds=checkpoint_seconds,
        stop=StopRequest(),
    )
    _train(config, options, lambda missing: load(missing, data_dir, data_source), out, fresh=fresh)


def _train(
    config: "RunConfig",
    options: "RunOptions",
    load_all: "Callable[[Sequence[str]], dict[str, Dataset]]",
    out: Path,
    *,
    fresh: bool,
) -> None:
    """Run the cells, draw the page and say what came of it."""
    from bench.report import page as html_report
    from bench.runner import grid
    from bench.runner.progress import GridProgress
    from bench.training.environment import describe

    runs = out / RUNS
    planned = [plan.cell for plan in config.plans]
    with grid.lock(runs):
        done = {} if fresh else grid.completed(runs, config, options)
        total = len(planned)
        say(
            f"profile {config.profile} on {describe(options.device).device_name}: {total} cells, "
            f"{len(done)} finished before, in {runs}"
        )
        missing = {cell.dataset for cell in planned if cell not in done}
        options.stop.install()
        try:
            records = grid.run(
                config,
                load_all(sorted(missing)),
                folder=runs,
                options=options,
                done=done,
                fresh=fresh,
                make_progress=lambda work: GridProgress(console, work),
            )
        except KeyboardInterrupt:
            kept = sum((runs / cell.id / store.RECORD_FILE).exists() for cell in planned)
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


def data(
    *, datasets: Names = "", data_dir: DataDir = None, data_source: DataSource = "auto"
) -> None:
    """Fetch and verify the datasets; train nothing."""
    load(names(datasets) or list(DATASETS), data_dir, data_source)


def report(
    *,
    out: Out = Path("reports"),
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Results folder, or folder of records, to draw; --out where left out.",
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Another results folder to set these results beside."),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Which profile to show; the newest where left out.")
    ] = None,
) -> None:
    """Draw the report again from the records; needs neither torch nor a GPU."""
    from bench.report import page as html_report

    records = out / RUNS if results is None else _records(results)
    if against and not against.is_dir():
        raise UsageError(f"--against {against}: there is no such folder")
    for problem in html_report.write(records, out / PAGE, profile, against):
        say(f"left out: {problem}")
    say(f"Report: {(out / PAGE).absolute()}")


def _records(results: Path) -> Path:
    """The folder of records that ``results`` is or holds.

    Raises:
        UsageError: there is none.
    """
    if not results.is_dir():
        raise UsageError(f"--results {results}: there is no such folder")
    folder = results / RUNS if (results / RUNS).is_dir() else results
    if not any(folder.glob(f"*/{store.RECORD_FILE}")):
        raise UsageError(
            f"--results {results}: there is no record in {folder}. "
            f"python -m bench run --out {results} makes some."
        )
    return folder
