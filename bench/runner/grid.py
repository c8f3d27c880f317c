"""Cells to records: what is there is reused, what fails is recorded, the grid goes on."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console

from bench.config.cell import Cell
from bench.config.plan import Plan
from bench.config.schedule import budget
from bench.data.datasets import Dataset, Normalisation, normalised
from bench.errors import BenchError, UsageError
from bench.records import store
from bench.records.schema import Engine, Record
from bench.runner.cell import CellRun, Put
from bench.runner.options import RunOptions
from bench.runner.progress import GridProgress
from bench.speed import cell as speed
from bench.training.checkpoint import Checkpoints
from bench.training.engine import choose_engine
from bench.training.loop import Data


def completed(options: RunOptions) -> dict[Cell, Record]:
    """Stored records of this run's cells that need no new one; damaged ones do.

    Raises:
        UsageError: a record of the same cell id was made by another recipe, engine or kind of
            device: the two must not be mixed in one report; or by another version.
    """
    records = {}
    for plan in options.config.plans:
        try:
            record = store.find(options.folder, plan.cell)
        except store.ForeignRecordError as error:
            raise UsageError(
                f"{error} Replace it with --fresh, or name another folder with --out."
            ) from None
        except BenchError:
            continue  # it is made again, and the good record replaces the damaged one
        if record is not None and record.status == "completed":
            _refuse_mixing(record, plan, options)
            records[plan.cell] = record
    return records


def _refuse_mixing(record: Record, plan: Plan, options: RunOptions) -> None:
    """Raise UsageError, saying what differs, where ``record`` is not one of this run."""
    old = {
        **record.recipe.model_dump(),
        **record.engine.model_dump(),
        "device": record.environment.device,
        "network": _source(record.cell),
    }
    new = {
        **plan.recipe.model_dump(),
        **options.engine.fixed(),
        "device": options.device.type,
        "network": _source(plan.cell),
    }
    changes = [f"{key} {old[key]!r}, now {new[key]!r}" for key in new if old[key] != new[key]]
    if changes:
        raise UsageError(
            f"{options.folder / record.cell.id} was made with {'; '.join(changes)}. "
            "Replace it with --fresh, or keep it and name another folder with --out."
        )


def _source(cell: Cell) -> str | None:
    custom = cell.custom
    return f"{custom.factory} of a file {custom.sha256[:12]}… (SHA-256)" if custom else None


def lock(folder: Path) -> FileLock:
    """Make ``folder`` and take it for this process, until it ends in whatever way.

    Raises:
        BenchError: the folder cannot be written to, or another run holds it.
    """
    file_lock = FileLock(folder / ".lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file_lock.acquire()
    except Timeout as error:
        raise BenchError(
            f"another run is writing to {folder}. Wait for it, or name another folder with --out."
        ) from error
    except OSError as error:
        raise BenchError(
            f"cannot write to {folder}: {error.strerror or error}. Name another folder with --out."
        ) from error
    return file_lock


def run(
    options: RunOptions,
    datasets: dict[str, Dataset],
    done: dict[Cell, Record],
    console: Console,
    renew: Callable[[Sequence[Cell]], None] = lambda _: None,
) -> list[Record]:
    """Run every cell that is not ``done`` and store each record as it is made.

    Args:
        options: which cells, and how.
        datasets: verified datasets by name.
        done: records to keep as they are.
        console: shows what happens.
        renew: called after each cell but the last, with those that are still to come.

    Raises:
        BenchError: a record or a checkpoint cannot be written; those before it are whole.
        UsageError: a checkpoint was made with other settings.
    """

    @functools.lru_cache(maxsize=1)  # one dataset on the device at a time
    def put(name: str, normalisation: Normalisation) -> Data:
        dataset = datasets[name]
        return Data.on(options.device, dataset, normalised(dataset.spec, normalisation))

    todo = [plan for plan in options.config.plans if plan.cell not in done]
    images = [_images(plan, options, datasets) for plan in todo]
    work = sum(count * plan.cell.depth for count, plan in zip(images, todo, strict=True))
    records = []
    with GridProgress(console, work) as progress:
        # Once, so that noise in its probe cannot divide the cells, which set their batches.
        engine = choose_engine(options.device, options.engine, 1)
        for number, (plan, count) in enumerate(zip(todo, images, strict=True), start=1):
            progress.start_cell(number, len(todo), plan.cell, count)
            records.append(_run_cell(plan, options, engine, put, progress))
            progress.end_cell(records[-1])
            if number < len(todo):
                renew([plan.cell for plan in todo[number:]])
            if options.stop.wanted:  # asked for when nothing of this cell was left to do
                raise KeyboardInterrupt
    return records


def _run_cell(
    plan: Plan, options: RunOptions, engine: Engine, put: Put, progress: GridProgress
) -> Record:
    """Make the record of a cell and store it; only then its checkpoints may go."""
    folder = options.folder / plan.cell.id
    checkpoints = Checkpoints(
        folder,
        options.checkpoint_settings(plan),
        every_seconds=options.checkpoint_seconds,
        warn=progress.say,
    )
    if options.fresh:
        # Or, after a stop, the old record would pass for this run's.
        (folder / store.RECORD_FILE).unlink(missing_ok=True)
        checkpoints.clear()
    loaded = checkpoints.load()
    at_a_time = plan.recipe.norm_batch_size or plan.recipe.batch_size
    whole = engine.model_copy(update={"micro_batch_size": at_a_time})
    outcome = CellRun(
        plan,
        options,
        engine=loaded.engine if loaded else whole,
        put=put,
        checkpoints=checkpoints,
        loaded=loaded,
        progress=progress,
    ).outcome()
    record = store.load(store.save(options.folder, *outcome))
    if record.status == "completed":
        checkpoints.clear()
    return record


def _images(plan: Plan, options: RunOptions, datasets: dict[str, Dataset]) -> int:
    """Images that a cell goes through: measuring speed, then training."""
    whole = budget(plan.recipe, len(datasets[plan.cell.dataset].train))
    training = whole.images * whole.total // whole.steps
    samples = options.config.speed_samples
    return training + speed.measuring_images(samples, plan.recipe.batch_size, options.device)
