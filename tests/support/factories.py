"""Synthetic records, shaped like those of a quick run on a small CPU machine."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from bench.config import recipes
from bench.config.cell import Cell
from bench.config.profiles import DATASETS, DEPTHS, PROFILES
from bench.config.recipe import LinearSchedule, Recipe
from bench.config.schedule import budget
from bench.records.evaluations import Evaluation, Score
from bench.records.schema import (
    CleanTraining,
    Cost,
    Course,
    Engine,
    Environment,
    EpochRecord,
    Moment,
    PeakMemory,
    Record,
    Signals,
    Speed,
)
from resnet_models import MODELS, Definition, define
from resnet_models.layers import layer_table

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

ENVIRONMENT = Environment(
    device="cpu",
    device_name="Example CPU @ 2.10GHz",
    cpu="Example CPU @ 2.10GHz",
    cpu_count=2,
    threads=2,
    memory_bytes=8 * 2**30,
    os="Linux 6.1 x86_64",
    python="3.11.2",
    torch="2.9.0+cpu",
    torchvision="0.24.0+cpu",
    cuda=None,
    resnet_bench="0.1.0",
    commit="0123456789abcdef0123456789abcdef01234567",
)


def make_recipe(dataset: str = "cifar10", **changes: Any) -> Recipe:
    recipe = Recipe(
        name="quick",
        optimizer="adamw" if dataset == "cifar10" else "sgd",
        learning_rate=1e-3 if dataset == "cifar10" else 0.05,
        schedule=LinearSchedule(warmup_fraction=0.1),
        weight_decay=5e-4,
        batch_size=64,
        epochs=4,
        images_per_epoch=2560,
        augmentation="crop_flip" if dataset == "cifar10" else "none",
        zero_init_residual=True,
        test_images=2000,
        final_test_images=None,
    )
    return recipe.model_copy(update=changes)


# Test accuracy at the end: that of a network without layers, and what a layer adds.
CEILINGS = {
    "resnet": (0.45, -0.0004),
    "plain": (0.45, -0.0010),
    "cifar_resnet": (0.91, 0.0002),
    "cifar_plain": (0.92, -0.0010),
}


def make_epochs(cell: Cell, recipe: Recipe) -> tuple[EpochRecord, ...]:
    """A learning curve that rises with every epoch; the last one may be cut short."""
    whole = budget(recipe, 50_000 if cell.dataset == "cifar10" else 60_000)
    epochs = []
    for epoch in range(1, whole.epochs + 1):
        done = whole.steps_of(epoch)
        seen = min(whole.images, done * recipe.batch_size)
        epochs.append(make_epoch(cell, epoch, whole.epochs, done, seen, recipe))
    return tuple(epochs)


def make_epoch(
    cell: Cell, epoch: int, of: int, steps: int, images: int, recipe: Recipe
) -> EpochRecord:
    ceiling, slope = CEILINGS[cell.network] if cell.dataset == "cifar10" else (0.98, -0.0004)
    share = epoch / of
    test = ceiling + slope * cell.depth + 0.003 * cell.seed - 0.25 * (1 - share) ** 1.5
    test = min(test, 0.999)  # of many seeds, or of very many layers
    train = test - 0.04
    test_images = (recipe.final_test_images if epoch == of else recipe.test_images) or 10_000
    held_out = recipe.held_out_images
    return EpochRecord(
        epoch=epoch,
        steps=steps,
        learning_rate=1e-3 * (1 - share),
        train_images=images,
        train_correct=round(train * images),
        train_loss=(1 - train) * 2.4,
        train_seconds=steps * (0.1 + cell.depth / 200),
        test_images=test_images,
        test_correct=round(test * test_images),
        test_loss=(1 - test) * 2.3,
        test_seconds=2.0 + cell.depth / 20,
        validation_images=held_out,
        validation_correct=round((test + 0.01) * held_out),
        validation_loss=(1 - test) * 2.2 if held_out else None,
    )


@cache
def exact_cost(definition: Definition, resolution: int) -> tuple[int, int]:
    layers = layer_table(definition, resolution)
    return sum(layer.parameters for layer in layers), sum(layer.macs for layer in layers)


def make_cost(cell: Cell) -> Cost:
    channels, pixels = (3, 32) if cell.dataset == "cifar10" else (1, 28)
    trained = cell.define(in_channels=channels, num_classes=10)
    published = define(cell.model)
    printed = replace(
        trained, stem=published.stem, in_channels=3, num_classes=published.num_classes
    )
    parameters, macs = exact_cost(trained, pixels)
    listed: tuple[int | None, int | None] = (None, None)
    if trained.spec.family == "table1":
        listed = exact_cost(printed, 224)
    return Cost(
        parameters=parameters,
        macs=macs,
        input_shape=(channels, pixels, pixels),
        table1_parameters=listed[0],
        table1_macs=listed[1],
    )


def make_record(depth: int = 18, dataset: str = "cifar10", seed: int = 0, **changes: Any) -> Record:
    """A completed cell, with ``changes`` of its fields.

    ``recipe`` is a whole one or changes to one; ``network``, ``lineage``, ``stem`` and ``shortcut``
    name another cell.
    """
    recipe = changes.pop("recipe", {})
    if not isinstance(recipe, Recipe):
        recipe = make_recipe(dataset, **recipe)
    definition = define(
        f"{changes.pop('network', 'resnet')}{depth}",
        **{name: changes.pop(name, None) for name in ("stem", "shortcut")},
        lineage=changes.pop("lineage", "paper"),
    )
    cell = Cell(
        model=definition.model,
        lineage=definition.lineage,
        stem=definition.stem,
        shortcut=definition.shortcut,
        dataset=dataset,
        recipe=recipe.name,
        seed=seed,
    )
    start = START + timedelta(minutes=depth + 200 * DATASETS.index(dataset) + 1000 * seed)
    step = 0.05 + depth / 300
    fields: dict[str, Any] = {
        "cell": cell,
        "profile": "quick",
        "status": "completed",
        "reason": None,
        "command": f"python -m bench run --profile quick --models {cell.model} "
        f"--datasets {dataset} --seeds {seed}",
        "recipe": recipe,
        "engine": Engine(precision="bfloat16", micro_batch_size=recipe.batch_size),
        "course": Course(),
        "started_at": start,
        "finished_at": start + timedelta(seconds=30 + depth),
        "environment": ENVIRONMENT,
        "cost": make_cost(cell),
        "speed": Speed(
            batch_size=64,
            train_step_seconds=tuple(step * (1 + 0.02 * i) for i in (0, 3, 1, 2, 5)),
            inference_batch_size=256,
            inference_batch_seconds=tuple(step * (1 + 0.01 * i) for i in (0, 3, 1, 2, 5)),
            latency_seconds=tuple(step / 20 * (1 + 0.1 * i) for i in (0, 3, 1, 2, 5)),
        ),
        "peak_memory": PeakMemory(
            size_bytes=(700 + 8 * depth) * 2**20, source="process since cell start"
        ),
        "epochs": make_epochs(cell, recipe),
    }
    return Record(**(fields | changes))


def make_failed(depth: int = 18, dataset: str = "cifar10", reason: str = "out of memory") -> Record:
    """A cell that broke before anything was measured."""
    nothing: dict[str, Any] = {"cost": None, "speed": None, "peak_memory": None, "epochs": ()}
    return make_record(depth, dataset, status="failed", reason=reason, **nothing)


def make_grid(seeds: int = 1) -> list[Record]:
    return [
        make_record(depth, dataset, seed)
        for dataset in DATASETS
        for depth in DEPTHS
        for seed in range(seeds)
    ]


def make_profile(name: str, seeds: int = 1) -> list[Record]:
    return [
        make_record(
            plan.cell.depth,
            plan.cell.dataset,
            seed,
            network=plan.cell.network,
            lineage=plan.cell.lineage,
            stem=plan.cell.stem,
            shortcut=plan.cell.shortcut,
            recipe=plan.recipe,
            profile=name,
        )
        for plan in PROFILES[name]().plans
        for seed in range(seeds)
    ]


def make_with_error(error: float, **changes: Any) -> Record:
    """A ResNet-20 trained as the paper says, but for ``changes`` of its recipe."""
    recipe = recipes.paper_cifar(warmup=False).model_copy(update=changes)
    record = make_record(20, network="cifar_resnet", recipe=recipe)
    last = record.epochs[-1].model_copy(update={"test_correct": round((100 - error) * 100)})
    return record.model_copy(update={"epochs": (*record.epochs[:-1], last)})


def make_with_clean(record: Record, error: float = 2.5) -> Record:
    """``record`` whose final weights err on so many percent of the last epoch's images."""
    images = record.epochs[-1].train_images
    correct = round((1 - error / 100) * images)
    clean = CleanTraining(images=images, correct=correct, loss=0.0875)
    return record.model_copy(update={"clean_training": clean})


def make_evaluation(**changes: Any) -> Evaluation:
    """A published ResNet-20 with the error that its project claims."""
    fields: dict[str, Any] = {
        "file_name": "resnet20.th",
        "size_bytes": 1_129_243,
        "sha256": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "naming": "cifar",
        "model": "cifar_resnet20",
        "lineage": "paper",
        "stem": "cifar",
        "shortcut": "A",
        "in_channels": 3,
        "classes": 10,
        "dataset": "cifar10",
        "normalize": "all",
        "scores": (
            Score(normalisation="imagenet", images=10_000, correct=9_173, loss=0.3412),
            Score(normalisation="none", images=10_000, correct=1_204, loss=7.25),
        ),
        "chosen": "imagenet",
        "claimed_error_percent": 8.27,
        "tolerance_points": 0.1,
        "command": "python -m bench evaluate --checkpoint resnet20.th",
        "started_at": START,
        "finished_at": START + timedelta(seconds=20),
        "environment": ENVIRONMENT,
    }
    return Evaluation(**(fields | changes))


def make_signals(record: Record) -> tuple[Signals, ...]:
    """Before and after training; responses fall and gradients grow from the input to the output."""
    spec = MODELS[record.cell.model]
    blocks = sum(spec.layers)
    each = 2 if spec.block == "basic" else 1
    layers = tuple(f"block{n}.conv{m}" for n in range(blocks) for m in range(each))

    def seen(moment: Moment, scale: float) -> Signals:
        return Signals(
            moment=moment,
            images=32,
            layers=layers,
            response_std=tuple(scale / (1 + n / len(layers)) for n in range(len(layers))),
            weight_gradient_norm=(0.1,) * len(layers),
            blocks=tuple(f"block{n}" for n in range(blocks)),
            input_gradient_norm=tuple(scale * 10 ** (n / blocks) for n in range(blocks)),
        )

    return seen("initial", 1.0), seen("final", 0.5)
