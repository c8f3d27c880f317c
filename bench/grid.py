"""Cells to records: what is there is reused, what fails is recorded, the grid goes on."""

import functools
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from bench import cost, speed, store
from bench.config import RunConfig
from bench.data.batches import DeviceData
from bench.data.datasets import Dataset
from bench.environment import describe
from bench.errors import BenchError, UsageError
from bench.progress import GridProgress
from bench.records import Cell, Cost, Environment, EpochRecord, PeakMemory, Record, Speed
from bench.train import Trainer, choose_precision, train
from resnet_models import define

# From a dataset's name to its training and test split on the device.
PutData = Callable[[str], tuple[DeviceData, DeviceData]]


@dataclass(slots=True)
class Measured:
    """What has been found out about a cell so far: a failure keeps it."""

    cost: Cost | None = None
    speed: Speed | None = None
    peak_memory: PeakMemory | None = None
    epochs: tuple[EpochRecord, ...] = ()


def cells(config: RunConfig) -> list[Cell]:
    """Every cell of ``config``: all of the first seed before the second, shallow before deep."""
    return [
        Cell(
            model=model,
            lineage=config.lineage,
            stem=config.stem,
            dataset=dataset,
            recipe=config.recipes[dataset].name,
            seed=seed,
        )
        for seed in config.seeds
        for dataset in config.datasets
        for model in config.models
    ]


def completed(folder: Path, config: RunConfig, device: torch.device) -> dict[Cell, Record]:
    """Stored records of this config's cells that need no new run; damaged ones do.

    Raises:
        UsageError: a record of the same cell id was made by another recipe or on another kind of
            device: the two must not be mixed in one report.
    """
    records = {}
    for cell in cells(config):
        try:
            record = store.find(folder, cell)
        except BenchError:
            continue  # it is made again, and the good record replaces the damaged one
        if record is not None and record.status == "completed":
            refuse_mixing(folder, record, config, device)
            records[cell] = record
    return records


def refuse_mixing(folder: Path, record: Record, config: RunConfig, device: torch.device) -> None:
    """Raise UsageError, saying what differs, where ``record`` is not one of this run."""
    old = {**record.recipe.model_dump(), "device": record.environment.device}
    new = {**config.recipes[record.cell.dataset].model_dump(), "device": device.type}
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
    device: torch.device,
    done: dict[Cell, Record],
    make_progress: Callable[[int], GridProgress],
) -> list[Record]:
    """Run every cell of ``config`` that is not ``done`` and store each record as it is made.

    Args:
        config: the cells and how to train them.
        datasets: verified datasets by name.
        folder: where records go, one folder a cell.
        device: where to train.
        done: records to keep as they are.
        make_progress: from the total work (images x depth) to what shows it.

    Raises:
        BenchError: a record cannot be written; those before it are whole.
    """
    todo = [cell for cell in cells(config) if cell not in done]
    images = {name: _images(config, dataset, device) for name, dataset in datasets.items()}
    records = []
    environment = describe(device)
    work = sum(images[cell.dataset] * cell.depth for cell in todo)

    @functools.lru_cache(maxsize=1)  # one dataset on the device at a time
    def put(name: str) -> tuple[DeviceData, DeviceData]:
        dataset = datasets[name]
        return (
            DeviceData(dataset.train, dataset.spec, device),
            DeviceData(dataset.test, dataset.spec, device),
        )

    with make_progress(work) as progress:
        for number, cell in enumerate(todo, start=1):
            progress.start_cell(number, len(todo), cell, images[cell.dataset])
            record = run_cell(cell, config, put, device, environment, progress)
            store.save(folder, record)
            progress.end_cell(record)
            records.append(record)
    return records


def run_cell(
    cell: Cell,
    config: RunConfig,
    put: PutData,
    device: torch.device,
    environment: Environment,
    progress: GridProgress,
) -> Record:
    """Measure and train one cell. Whatever goes wrong in it becomes a failed record."""
    started_at = datetime.now(UTC)
    measured = Measured()
    try:
        _measure(cell, config, put, device, measured, progress)
        reason = None
    except BenchError as error:
        reason = str(error)
    except Exception as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError):
            progress.say(traceback.format_exc().rstrip())  # a bug: its place is worth knowing
        reason = f"{type(error).__name__}: {error}"
    return Record(
        cell=cell,
        profile=config.profile,
        status="completed" if reason is None else "failed",
        reason=reason,
        command=command(cell, config.profile, device),
        recipe=config.recipes[cell.dataset],
        precision=choose_precision(device),
        started_at=started_at,
        finished_at=datetime.now(UTC),
        environment=environment,
        cost=measured.cost,
        speed=measured.speed,
        peak_memory=measured.peak_memory,
        epochs=measured.epochs,
    )


def _measure(
    cell: Cell,
    config: RunConfig,
    put: PutData,
    device: torch.device,
    measured: Measured,
    progress: GridProgress,
) -> None:
    recipe = config.recipes[cell.dataset]
    memory_source = speed.reset_peak_memory(device)
    train_data, test_data = put(cell.dataset)
    spec = train_data.spec
    definition = define(
        cell.model,
        lineage=cell.lineage,
        stem=cell.stem,
        in_channels=spec.channels,
        num_classes=spec.classes,
    )

    def trainer() -> Trainer:
        torch.manual_seed(cell.seed)
        model = definition.build(zero_init_residual=recipe.zero_init_residual)
        return Trainer(model, recipe, device, choose_precision(device))

    measured.cost = cost.measure(definition, spec.resolution)
    measured.speed = speed.measure(trainer(), train_data, config.speed_samples)
    progress.step(speed.measuring_images(config.speed_samples, recipe.batch_size, device))
    for epoch in train(trainer(), train_data, test_data, cell.seed, progress.step):
        measured.epochs = (*measured.epochs, epoch)
        progress.end_epoch(epoch, recipe.epochs)
    measured.peak_memory = speed.peak_memory(device, memory_source)


def command(cell: Cell, profile: str, device: torch.device) -> str:
    """What makes the record of ``cell`` again (and those of lower seeds, where there are any)."""
    return (
        f"python -m bench run --profile {profile} --models {cell.model} "
        f"--datasets {cell.dataset} --seeds {cell.seed + 1} --device {device.type} --fresh"
    )


def _images(config: RunConfig, dataset: Dataset, device: torch.device) -> int:
    """Images that a cell goes through: measuring speed, then training."""
    recipe = config.recipes[dataset.spec.name]
    training = recipe.epochs * (recipe.images_per_epoch or len(dataset.train))
    return training + speed.measuring_images(config.speed_samples, recipe.batch_size, device)
