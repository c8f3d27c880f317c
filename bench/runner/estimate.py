"""How long cells will take, and how much they will store: a forecast, of which nothing is kept."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, NamedTuple

import torch

from bench.config.cell import Cell
from bench.config.plan import Plan
from bench.config.profiles import SHARES, quick
from bench.config.recipe import Recipe
from bench.config.recipes import paper_cifar
from bench.config.schedule import budget
from bench.data.batches import DeviceData
from bench.data.datasets import find
from bench.records import store
from bench.records.schema import Engine, Record
from bench.runner.options import RunOptions
from bench.runner.trial import synthetic_dataset
from bench.speed.cell import measuring_images, sample_steps
from bench.training import cost
from bench.training.checkpoint import KEPT
from bench.training.engine import applied, choose_engine
from bench.training.trainer import Trainer
from resnet_models import Definition
from resnet_models.custom import CustomDefinition
from resnet_models.layers import layer_table

# Half of what the slowest machine did on which training was timed, two cores without bfloat16.
SLOWEST_MACS_PER_SECOND: Final = 2e10
INFERENCE: Final = 0.25  # of the time that an image takes in training, about
MOST_IMAGES_ON_CPU: Final = 32  # in a step that is tried: a whole batch may not fit into memory
SAMPLES: Final = 2
RECORD_BYTES: Final = 20_000  # with the signals of some fifty layers
EPOCH_BYTES: Final = 450


class Estimate(NamedTuple):
    """Seconds that a cell takes from its beginning, and what that follows from."""

    plan: Plan
    seconds: float
    source: str


class Disk(NamedTuple):
    """Bytes that stay, and those that the checkpoints of one cell take meanwhile at most."""

    records: int
    checkpoints: int


def may_take(plans: Sequence[Plan], options: RunOptions) -> float:
    """Seconds that ``plans`` take at most, without trying: on a machine slower than any so far."""
    macs = (3 * _images(plan, options) * _size(plan)[1] for plan in plans)
    return sum(macs) / SLOWEST_MACS_PER_SECOND


def estimate(
    plans: Sequence[Plan], options: RunOptions, others: Iterable[Record] = ()
) -> list[Estimate]:
    """By what an image took in a record of the same network and batch made here.

    Records are those in the folder of ``options``, and ``others``. Where there is none, by a step
    that is tried now, not compiled. What compiling gains, and what a checkpoint saves, is left out.

    Raises:
        UsageError: the precision asked for does not exist.
    """
    known = {
        _speed_key(record.cell, record.recipe): record
        for record in chain(others, store.load_each(options.folder, []))
        if _made_here(record, options)
    }
    rates: dict[object, tuple[float, str]] = {
        key: (_seconds_an_image(record), "a record made here") for key, record in known.items()
    }
    engine: Engine | None = None
    found = []
    for plan in plans:
        key = _speed_key(plan.cell, plan.recipe)
        if key not in rates:
            engine = engine or choose_engine(options.device, options.engine, 1)
            rates[key] = _try(plan, options.device, engine), "a step tried now"
        rate, source = rates[key]
        found.append(Estimate(plan, rate * _images(plan, options), source))
    return found


def fitting_share(options: RunOptions, seconds: float) -> float:
    """The largest of ``SHARES`` with which all of the profile ``quick`` takes ``seconds`` at most.

    The smallest where none does; one that was begun in the folder is gone on with.
    """
    plans = quick(SHARES).plans
    fixed, of_share = 0.0, dict.fromkeys(SHARES, 0.0)
    for each in estimate(plans, options):
        share = _share(each.plan)
        if share is None:
            fixed += each.seconds
            continue
        of_share[share] += each.seconds
        cell_folder = options.folder / each.plan.cell.id
        if cell_folder.is_dir() and not (cell_folder / store.RECORD_FILE).exists():
            return share
    fitting = [share for share, cost in of_share.items() if fixed + cost <= seconds]
    return max(fitting, default=SHARES[0])


def _share(plan: Plan) -> float | None:
    """Of the paper's iterations; None where the recipe is another."""
    whole = paper_cifar(warmup=False).iterations
    assert whole is not None
    return plan.recipe.iterations and plan.recipe.iterations / whole


def disk(plans: Sequence[Plan], *, keeps_weights: bool) -> Disk:
    """What the records of ``plans`` will take, with their weights if ``keeps_weights``."""
    records, checkpoints = 0, [0]
    for plan in plans:
        whole = budget(plan.recipe, _train_images(plan))
        tests = (
            plan.recipe.final_test_images or find(plan.cell.dataset).arrays["test_labels"].shape[0]
        )
        records += RECORD_BYTES + EPOCH_BYTES * whole.epochs + 2 * tests  # bytes: class and truth
        weights = 4 * _size(plan)[0]
        records += weights if keeps_weights else 0
        # Weights and the optimizer's means of gradients; one more is there while it is written.
        copies = 1 + {"sgd": 1, "adamw": 2}[plan.recipe.optimizer]
        checkpoints.append((KEPT + 1) * copies * weights)
    return Disk(records, max(checkpoints))


def _images(plan: Plan, options: RunOptions) -> float:
    """What a cell costs, in images of training: timing, training, and looking at images."""
    recipe, spec = plan.recipe, find(plan.cell.dataset)
    whole = budget(recipe, _train_images(plan))
    tests = spec.arrays["test_labels"].shape[0]
    looked = (whole.epochs - 1) * (recipe.test_images or tests)
    looked += (recipe.final_test_images or tests) + whole.images
    looked += whole.epochs * recipe.held_out_images
    samples = options.config.speed_samples
    timed = measuring_images(samples, recipe.batch_size, options.device)
    return timed + whole.images * whole.total / whole.steps + INFERENCE * looked


def _train_images(plan: Plan) -> int:
    return find(plan.cell.dataset).arrays["train_labels"].shape[0]


def _size(plan: Plan) -> tuple[int, int]:
    """Parameters and MACs; of a custom network, which has no formula, counted."""
    definition, resolution = _define(plan), find(plan.cell.dataset).resolution
    if isinstance(definition, CustomDefinition):
        counted = cost.measure(definition, resolution)
        return counted.parameters, counted.macs
    layers = layer_table(definition, resolution)
    return sum(each.parameters for each in layers), sum(each.macs for each in layers)


def _define(plan: Plan) -> Definition | CustomDefinition:
    spec = find(plan.cell.dataset)
    return plan.define(in_channels=spec.channels, num_classes=spec.classes)


def _speed_key(cell: Cell, recipe: Recipe) -> tuple[object, ...]:
    """What is alike in cells of the same speed."""
    return cell.name, cell.lineage, cell.stem, cell.dataset, recipe.batch_size, recipe.optimizer


def _made_here(record: Record, options: RunOptions) -> bool:
    there, here, precision = record.environment, options.environment, options.engine.precision
    same = ("device_name", "cpu_count", "threads", "torch")
    return (
        bool(record.epochs)
        and all(getattr(there, name) == getattr(here, name) for name in same)
        and precision in ("auto", record.engine.precision)
    )


def _seconds_an_image(record: Record) -> float:
    seconds = sum(epoch.train_seconds for epoch in record.epochs)
    return seconds / sum(epoch.train_images for epoch in record.epochs)


def _try(plan: Plan, device: torch.device, engine: Engine) -> float:
    """Seconds that an image takes in the quickest of a few steps on noise."""
    size = plan.recipe.batch_size
    if device.type == "cpu":
        size = min(size, MOST_IMAGES_ON_CPU)
    recipe = plan.recipe.model_copy(update={"batch_size": size, "norm_batch_size": None})
    engine = engine.model_copy(update={"micro_batch_size": size, "compiled": False})
    dataset = synthetic_dataset(plan.cell.dataset, train=size)
    spec = dataset.spec
    with applied(engine):
        trainer = Trainer(_define(plan).build(), recipe, device, engine)
        data = DeviceData(dataset.train, spec, device)
        return min(sample_steps(trainer, data, SAMPLES)) / size
