"""Choose a recipe without looking at test images: by training images that are held out.

python examples/choose_recipe.py DATASET SETTINGS FILE.csv    so many settings; today's is the first

Every trained run is a line of the file, written at once; the same command goes on from there.
"""

import csv
import math
import random
import sys
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import fmean
from typing import Any, Final, NamedTuple

import torch

from bench.config import recipes
from bench.config.plan import plan
from bench.config.recipe import LinearSchedule, Recipe
from bench.data.datasets import Dataset, Split
from bench.data.sources import load
from bench.errors import BenchError
from bench.training.engine import EngineOptions, applied, choose_engine, choose_precision
from bench.training.environment import choose_device
from bench.training.loop import Data, Training
from bench.training.trainer import Trainer

HELD_OUT: Final = 5000  # the last training images, those that ``recipes.hold_out`` keeps


class Rung(NamedTuple):
    """What every setting that is left is trained on, and how many settings stay after it."""

    models: tuple[str, ...]
    seed: int  # never 0, which is the one that profiles report
    keep: int


BOTH: Final = ("resnet18", "resnet50")
# Most settings fall out on the network that takes a third of the time.
DRAWN: Final = (Rung(("resnet18",), 1, 6), Rung(("resnet50",), 1, 3))
FINAL: Final = (Rung(BOTH, 1, 3), Rung(BOTH, 2, 2), Rung(BOTH, 3, 1))


def values(optimizer: str, dataset: str) -> dict[str, Sequence[Any]]:
    """What is tried of each field of a recipe."""
    sgd = optimizer == "sgd"
    return {
        "learning_rate": (0.02, 0.05, 0.1, 0.2) if sgd else (5e-4, 1e-3, 2e-3, 4e-3),
        "schedule": [LinearSchedule(warmup_fraction=share) for share in (0.1, 0.2, 0.3)],
        "weight_decay": (1e-4, 5e-4) if sgd else (0.01, 0.05),
        "momentum": (0.8, 0.9),
        "batch_size": (64, 32),
        "zero_init_residual": (True, False),
        # A mirrored digit is another sign.
        "augmentation": ("none", "crop_flip") if dataset == "cifar10" else ("none",),
    }


def candidates(today: Recipe, number: int, dataset: str) -> list[Recipe]:
    """``today`` and others at its budget, no two alike: every value in about equally many."""
    draw, found = random.Random(0), [today]
    for optimizer, size in (("sgd", (number - 1) // 2), ("adamw", number // 2)):
        fields = values(optimizer, dataset)
        others: list[Recipe] = []
        while len({today, *others}) <= size:
            decks = [draw.sample(list(islice(cycle(each), size)), size) for each in fields.values()]
            rows = [dict(zip(fields, row, strict=True)) for row in zip(*decks, strict=True)]
            others = [today.model_copy(update={"optimizer": optimizer, **row}) for row in rows]
        found += others
    return found


def neighbours(recipe: Recipe, dataset: str) -> list[Recipe]:
    """``recipe`` with another value of one field."""
    return [
        recipe.model_copy(update={field: value})
        for field, tried in values(recipe.optimizer, dataset).items()
        for value in tried
        if value != getattr(recipe, field)
    ]


def without_test_images(dataset: Dataset, held_out: int) -> Dataset:
    """The last training images where test images were: nothing behind this sees one of those."""
    train, first = dataset.train, len(dataset.train) - held_out
    kept, rest = slice(first), slice(first, None)
    return Dataset(
        dataset.spec,
        Split(train.images[kept], train.labels[kept]),
        Split(train.images[rest], train.labels[rest]),
    )


class Runs:
    """Trained runs, of which ``file`` holds one a line; none is trained twice."""

    def __init__(self, dataset: Dataset, held_out: int, file: Path) -> None:
        self.device = choose_device("auto")
        self.precision = choose_precision(self.device)
        self.data = Data.on(self.device, without_test_images(dataset, held_out))
        self.file = file
        self.known: dict[tuple[str, ...], float] = {}
        if file.exists():
            with file.open(newline="", encoding="utf-8") as lines:
                for row in csv.DictReader(lines):
                    accuracy = float(row["validation_accuracy"])
                    self.known[tuple(row.values())[:-3]] = accuracy

    def accuracy(self, recipe: Recipe, model: str, seed: int) -> float:
        """Of the held-out images after the last epoch, from 0 to 1; 0 where training diverged."""
        run = self._columns(recipe, model, seed)
        key = tuple(map(str, run.values()))
        if key not in self.known:
            start = time.perf_counter()
            accuracy, loss = self._train(recipe, model, seed)
            seconds = round(time.perf_counter() - start, 1)
            run |= {"validation_accuracy": accuracy, "train_loss": loss, "seconds": seconds}
            new = not self.file.exists()
            with self.file.open("a", newline="", encoding="utf-8") as lines:
                writer = csv.DictWriter(lines, run, lineterminator="\n")
                if new:
                    writer.writeheader()
                writer.writerow(run)
            self.known[key] = accuracy
        return 0.0 if math.isnan(self.known[key]) else self.known[key]

    def _columns(self, recipe: Recipe, model: str, seed: int) -> dict[str, Any]:
        return {
            "dataset": self.data.train.spec.name,
            "precision": self.precision,
            "model": model,
            "seed": seed,
            **setting(recipe),
        }

    def _train(self, recipe: Recipe, model: str, seed: int) -> tuple[float, float]:
        """Accuracy of the held-out images and training loss of the last epoch; nan: diverged."""
        # ``Training`` calls them test images: one after an epoch, all of them after the last.
        recipe = recipe.model_copy(update={"test_images": 1, "final_test_images": None})
        spec = self.data.train.spec
        definition = plan(model, spec.name, recipe, seed=seed).cell.define(
            in_channels=spec.channels, num_classes=spec.classes
        )
        options = EngineOptions(precision=self.precision, compile="off")
        engine = choose_engine(self.device, options, recipe.batch_size)
        torch.manual_seed(seed)
        network = definition.build(
            zero_init_residual=recipe.zero_init_residual, initialization=recipe.initialization
        )
        with applied(engine):
            trainer = Trainer(network, recipe, self.device, engine)
            try:
                *_, last = Training(trainer, self.data, seed).epochs()
            except BenchError as error:
                print(error)
                return math.nan, math.nan
        return last.test_correct / last.test_images, last.train_loss


def setting(recipe: Recipe) -> dict[str, Any]:
    """What tells one candidate from another."""
    assert isinstance(recipe.schedule, LinearSchedule)
    names = ("optimizer", "learning_rate", "weight_decay", "momentum", "batch_size")
    return {
        **{name: getattr(recipe, name) for name in names},
        "warmup_fraction": recipe.schedule.warmup_fraction,
        "augmentation": recipe.augmentation,
        "zero_init_residual": recipe.zero_init_residual,
    }


def choose(
    found: Sequence[Recipe], rungs: Sequence[Rung], accuracy: Callable[[Recipe, str, int], float]
) -> list[Recipe]:
    """Those left, by their means over all runs; the first of ``found`` stays, to compare with."""
    today, left = found[0], list(dict.fromkeys(found))
    accuracies: dict[Recipe, list[float]] = {recipe: [] for recipe in left}
    for rung in rungs:
        for recipe in left:
            accuracies[recipe] += [accuracy(recipe, model, rung.seed) for model in rung.models]
        left.sort(key=lambda recipe: fmean(accuracies[recipe]), reverse=True)
        print(f"\nseed {rung.seed} of {', '.join(rung.models)}: {len(left)} settings")
        for recipe in left:
            mark = " (today's)" if recipe == today else ""
            runs = " ".join(f"{value:.2%}" for value in accuracies[recipe])
            print(f"{fmean(accuracies[recipe]):.2%}{mark} {setting(recipe)}: {runs}")
        left = left[: rung.keep] + [today] * (today in left[rung.keep :])
    return left


def main(dataset: str, number: int, file: Path) -> None:
    """Settings drawn at random; then the best of them, and the neighbours of the very best."""
    runs = Runs(load(dataset, report=print), HELD_OUT, file)
    today = recipes.quick(dataset)
    drawn = choose(candidates(today, number, dataset), DRAWN, runs.accuracy)
    best = choose([today, *drawn, *neighbours(drawn[0], dataset)], FINAL, runs.accuracy)
    print(f"\nchosen: {setting(best[0])}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
