"""Synthetic records, shaped like those of a quick run on a small CPU machine."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bench.config import DATASETS, DEPTHS, Recipe
from bench.records import (
    Cell,
    Cost,
    Environment,
    EpochRecord,
    Evaluation,
    PeakMemory,
    Record,
    Score,
    Speed,
)
from bench.reference.loader import load_paper

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
        weight_decay=5e-4,
        warmup_fraction=0.1,
        batch_size=64,
        epochs=4,
        images_per_epoch=2560,
        augmentation="crop_flip" if dataset == "cifar10" else "none",
        zero_init_residual=True,
        test_images=2000,
        final_test_images=None,
    )
    return recipe.model_copy(update=changes)


def make_epoch(
    depth: int, dataset: str, epoch: int, of: int, images: int, seed: int
) -> EpochRecord:
    """A learning curve that rises with the epoch and falls a little with depth."""
    share = epoch / of
    ceiling = (0.45 if dataset == "cifar10" else 0.98) - 0.0004 * depth + 0.003 * seed
    test = ceiling - 0.25 * (1 - share) ** 1.5
    train = test - 0.04
    test_images = 10_000 if epoch == of else 2_000
    return EpochRecord(
        epoch=epoch,
        learning_rate=1e-3 * (1 - share),
        train_images=images,
        train_correct=round(train * images),
        train_loss=(1 - train) * 2.4,
        train_seconds=4.0 + depth / 5,
        test_images=test_images,
        test_correct=round(test * test_images),
        test_loss=(1 - test) * 2.3,
        test_seconds=2.0 + depth / 20,
    )


def make_record(depth: int = 18, dataset: str = "cifar10", seed: int = 0, **changes: Any) -> Record:
    """A completed cell; ``changes`` replace fields of the record, or of its cell by ``cell=``."""
    recipe = make_recipe(dataset, **changes.pop("recipe", {}))
    lineage = changes.pop("lineage", "paper")
    cell = Cell(
        model=f"resnet{depth}",
        lineage=lineage,
        stem="imagenet",
        dataset=dataset,
        recipe=recipe.name,
        seed=seed,
    )
    exact = load_paper().cost(depth, lineage)
    channels = 3 if dataset == "cifar10" else 1
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
        "precision": "bfloat16",
        "started_at": start,
        "finished_at": start + timedelta(seconds=30 + depth),
        "environment": ENVIRONMENT,
        "cost": Cost(
            parameters=exact.params - 990 * (512 if depth < 50 else 2048),
            macs=exact.macs_total // 49,
            input_shape=(channels, 32 if channels == 3 else 28, 32 if channels == 3 else 28),
            table1_parameters=exact.params,
            table1_macs=exact.macs_total,
        ),
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
        "epochs": tuple(
            make_epoch(depth, dataset, n, recipe.epochs, recipe.images_per_epoch or 50_000, seed)
            for n in range(1, recipe.epochs + 1)
        ),
    }
    return Record(**(fields | changes))


def make_failed(depth: int = 18, dataset: str = "cifar10", reason: str = "out of memory") -> Record:
    """A cell that broke before anything was measured."""
    return make_record(
        depth,
        dataset,
        status="failed",
        reason=reason,
        cost=None,
        speed=None,
        peak_memory=None,
        epochs=(),
    )


def make_grid(seeds: int = 1) -> list[Record]:
    """The ten cells, each with ``seeds`` seeds."""
    return [
        make_record(depth, dataset, seed)
        for dataset in DATASETS
        for depth in DEPTHS
        for seed in range(seeds)
    ]


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
