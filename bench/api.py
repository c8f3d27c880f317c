"""The harness for programs: ``from bench import plan, run, load, judge, draw`` (docs/library.md).

Only ``run`` needs torch, and ``plan`` with a network of one's own or for the profile ``auto``.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.claims import files, ledger
from bench.claims.verdict import Verdict
from bench.config import profiles, recipe_files
from bench.config.plan import Changes
from bench.config.profiles import RunConfig
from bench.errors import UsageError
from bench.records import store
from bench.records.schema import Record
from resnet_models import custom

if TYPE_CHECKING:
    import pandas as pd


def plan(
    profile: str = "auto",
    *,
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
    cells: Sequence[str] = (),
    seeds: int = 1,
    seed: int | None = None,
    network: str | None = None,
    recipe: Path | str | None = None,
    **changes: Any,
) -> RunConfig:
    """The cells of ``profile``, chosen and changed as the options of ``python -m bench run`` do.

    Args:
        profile: a profile by name.
        models: only these, as with ``datasets`` and ``cells``; all where empty.
        seeds: train the first so many, or ``seed`` alone.
        network: ``package.module:factory`` of a network of one's own.
        recipe: the file of a recipe of one's own.
        changes: other fields of ``bench.config.profiles.Changes``, such as ``epochs``.

    Raises:
        UsageError: what the command line would refuse with the same words.
    """
    try:
        factory = None if network is None else custom.find(network)
    except ValueError as error:
        raise UsageError(f"network {error}") from None
    file = None if recipe is None else recipe_files.read(Path(recipe))
    return profiles.make(
        profile,
        has_gpu=profile == "auto" and _has_gpu(),
        models=models,
        datasets=datasets,
        cells=cells,
        seeds=range(seeds) if seed is None else (seed,),
        changes=Changes(network=factory, recipe=file, **changes),
    )


def run(
    config: RunConfig,
    folder: Path | str,
    *,
    device: str = "auto",
    data_dir: Path | None = None,
    fresh: bool = False,
    weights: bool = True,
    report: Callable[[str], None] = print,
    **engine: Any,
) -> list[Record]:
    """Train and measure every cell of ``config`` that has no record in ``folder`` yet.

    Args:
        config: of ``plan``, or one of your own.
        folder: a results folder; records go to its ``runs``.
        device: auto, cpu, cuda or cuda:1.
        data_dir: where the data sets lie or are put.
        fresh: start over what was finished or interrupted.
        weights: keep those of finished cells, in another profile than smoke.
        report: is told where the data come from.
        engine: fields of ``bench.training.engine.EngineOptions``, such as ``precision``.

    Returns:
        The record of every cell in the order of ``config``, failed ones too.

    Raises:
        UsageError: a finished record was made in another way.
        BenchError: data cannot be got, or results not be written.
    """
    from rich.console import Console

    from bench.data.sources import load as load_data
    from bench.runner import grid
    from bench.runner.options import RunOptions
    from bench.training.engine import EngineOptions
    from bench.training.environment import choose_device, describe

    chosen = choose_device(device)
    options = RunOptions(
        config=config,
        folder=Path(folder) / store.RUNS,
        device=chosen,
        environment=describe(chosen),
        engine=EngineOptions(**engine),
        fresh=fresh,
        weights=weights,
    )
    with grid.lock(options.folder):
        done = {} if fresh else grid.completed(options)
        missing = {each.cell.dataset for each in config.plans if each.cell not in done}
        images = {
            name: load_data(name, data_dir=data_dir, report=report) for name in sorted(missing)
        }
        made = grid.run(options, images, done, Console())
    records = done | {record.cell: record for record in made}
    return [records[each.cell] for each in config.plans]


def load(folder: Path | str) -> "pd.DataFrame":
    """A row per record in a results folder; accuracies in percent (``bench.analysis.tables``).

    What cannot be read is left out, with a warning that says why.
    """
    from bench.analysis.tables import summarize

    return summarize(_records(folder))


def judge(
    results: Path | str | Iterable[Record], *, file: Path | str | None = None
) -> tuple[Verdict, ...]:
    """A verdict for each claim of the references, or of ``file``, by a results folder or records.

    Raises:
        UsageError: ``file`` holds no claim, or one that cannot be tested.
    """
    claims = None if file is None else files.read(Path(file))
    records = _records(results) if isinstance(results, Path | str) else results
    return ledger.judge(records, claims)


def draw(folder: Path | str, *, profile: str | None = None) -> Path:
    """Draw ``index.html`` of a results folder, with its summaries, and return its path.

    What cannot be read is left out, with a warning that says why.

    Raises:
        UsageError: there is no record of ``profile``.
    """
    from bench.report.page import write

    page = Path(folder) / "index.html"
    for problem in write(Path(folder) / store.RUNS, page, profile):
        warnings.warn(problem, stacklevel=2)
    return page


def _records(folder: Path | str) -> list[Record]:
    runs = Path(folder) / store.RUNS
    if not runs.is_dir():
        raise UsageError(f"{folder}: there is no folder {store.RUNS} in it")
    records, problems = store.load_all(runs)
    for problem in problems:
        warnings.warn(problem, stacklevel=3)
    return records


def _has_gpu() -> bool:
    from bench.training.environment import choose_device

    return choose_device("auto").type == "cuda"
