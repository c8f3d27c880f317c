"""Cells to records: what is there is reused, what fails is recorded, the grid goes on."""

import functools
from collections.abc import Callable
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from bench.config.cell import Cell
from bench.config.profiles import Plan, RunConfig
from bench.config.schedule import budget
from bench.data.batches import DeviceData
from bench.data.datasets import Dataset
from bench.data.transforms import Normalisation, normalised
from bench.errors import BenchError, UsageError
from bench.records import store
from bench.records.schema import Record
from bench.runner.cell import CellRun
from bench.runner.options import Context, RunOptions
from bench.runner.progress import GridProgress
from bench.speed import cell as speed
from bench.training.engine import choose_engine
from bench.training.environment import describe
from bench.training.loop import Data


def completed(folder: Path, config: RunConfig, options: RunOptions) -> dict[Cell, Record]:
    """Stored records of this config's cells that need no new run; damaged ones do.

    Raises:
        UsageError: a record of the same cell id was made by another recipe, engine or kind of
            device: the two must not be mixed in one report.
    """
    records = {}
    for plan in config.plans:
        try:
            record = store.find(folder, plan.cell)
        except BenchError:
            continue  # it is made again, and the good record replaces the damaged one
        if record is not None and record.status == "completed":
            refuse_mixing(folder, record, plan, options)
            records[plan.cell] = record
    return records


def refuse_mixing(folder: Path, record: Record, plan: Plan, options: RunOptions) -> None:
    """Raise UsageError, saying what differs, where ``record`` is not one of this run."""
    old = {
        **record.recipe.model_dump(),
        **record.engine.model_dump(),
        "device": record.environment.device,
    }
    new = {**plan.recipe.model_dump(), **options.engine.fixed(), "device": options.device.type}
    changes = [f"{key} {old[key]!r}, now {new[key]!r}" for key in new if old[key] != new[key]]
    if changes:
        raise UsageError(
            f"{folder / record.cell.id} was made with {'; '.join(changes)}. "
            "Replace it with --fresh, or keep it and name another folder with --out."
        )


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
    config: RunConfig,
    datasets: dict[str, Dataset],
    *,
    folder: Path,
    options: RunOptions,
    done: dict[Cell, Record],
    fresh: bool = False,
    make_progress: Callable[[int], GridProgress],
) -> list[Record]:
    """Run every cell of ``config`` that is not ``done`` and store each record as it is made.

    Args:
        config: the cells and how to train them.
        datasets: verified datasets by name.
        folder: where records and checkpoints go, one folder a cell.
        options: device, engine, checkpoints.
        done: records to keep as they are.
        fresh: start cells over that were interrupted.
        make_progress: from the total work (images x depth) to what shows it.

    Raises:
        BenchError: a record or a checkpoint cannot be written; those before it are whole.
        UsageError: a checkpoint was made with other settings.
    """
    todo = [plan for plan in config.plans if plan.cell not in done]
    images = [_images(plan, config, datasets, options.device) for plan in todo]
    records = []

    @functools.lru_cache(maxsize=1)  # one dataset on the device at a time
    def put(name: str, normalisation: Normalisation) -> Data:
        dataset = datasets[name]
        spec = normalised(dataset.spec, normalisation)
        return Data(
            train=DeviceData(dataset.train, spec, options.device),
            test=DeviceData(dataset.test, spec, options.device),
        )

    work = sum(count * plan.cell.depth for count, plan in zip(images, todo, strict=True))
    with make_progress(work) as progress:
        context = Context(
            profile=config.profile,
            speed_samples=config.speed_samples,
            words=config.words,
            options=options,
            environment=describe(options.device),
            engine=choose_engine(options.device, options.engine, 1),  # a cell sets its batch
            put=put,
            progress=progress,
        )
        for number, (plan, count) in enumerate(zip(todo, images, strict=True), start=1):
            progress.start_cell(number, len(todo), plan.cell, count)
            records.append(_run_cell(plan, context, folder, fresh=fresh))
            progress.end_cell(records[-1])
            if options.stop.wanted:  # asked for when nothing of this cell was left to do
                raise KeyboardInterrupt
    return records


def _run_cell(plan: Plan, context: Context, folder: Path, *, fresh: bool) -> Record:
    """Make the record of a cell and store it; only then its checkpoints may go."""
    checkpoints = context.checkpoints(folder / plan.cell.id, plan)
    if fresh:
        # Or, after a stop, the old record would pass for this run's.
        (folder / plan.cell.id / store.RECORD_FILE).unlink(missing_ok=True)
        checkpoints.clear()
    run = CellRun(plan, context, checkpoints)
    record = run.record()
    store.save(folder, record, run.predictions)
    if record.status == "completed":
        checkpoints.clear()
    return record


def _images(
    plan: Plan, config: RunConfig, datasets: dict[str, Dataset], device: torch.device
) -> int:
    """Images that a cell goes through: measuring speed, then training."""
    whole = budget(plan.recipe, len(datasets[plan.cell.dataset].train))
    training = whole.images * whole.total // whole.steps
    measuring = speed.measuring_images(config.speed_samples, plan.recipe.batch_size, device)
    return training + measuring
