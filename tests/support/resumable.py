"""A short training that can be stopped or, in a process of its own, killed.

python -m tests.support.resumable FOLDER
"""

import hashlib
import json
import sys
from pathlib import Path

import torch

from bench.records.schema import Engine
from bench.training.checkpoint import Checkpoints
from bench.training.loop import Data, Training
from bench.training.stop import StopRequest
from bench.training.trainer import Trainer
from resnet_models import build
from tests.support.small import small_dataset, small_recipe

CPU = torch.device("cpu")
RECIPE = small_recipe(
    epochs=3, images_per_epoch=28, batch_size=8, augmentation="crop_flip", test_images=None
)


def make_trainer(recipe=RECIPE, seed=0):
    torch.manual_seed(seed)
    model = build("cifar_resnet20", in_channels=1, num_classes=10)
    return Trainer(model, recipe, CPU, Engine(precision="float32", micro_batch_size=8))


def make_checkpoints(folder, recipe=RECIPE, **options):
    """Checkpoints after every step, whatever they cost."""
    options = {"every_seconds": 0.0, "share": 1e9, "warn": print, **options}
    return Checkpoints(folder, recipe.model_dump(mode="json"), **options)


def fingerprint(trainer, epochs):
    """Weights, optimizer and every epoch record, without times, as one hash."""
    digest = hashlib.sha256()
    for value in trainer.model.state_dict().values():
        digest.update(value.numpy().tobytes())
    for state in trainer.optimizer.state.values():
        for value in state.values():
            digest.update(value.numpy().tobytes())
    for epoch in epochs:
        content = epoch.model_dump(mode="json", exclude={"train_seconds", "test_seconds"})
        digest.update(json.dumps(content).encode())
    return digest.hexdigest()


def run(folder, *, recipe=RECIPE, stop=None, on_step=lambda _: None):
    """Train from the newest checkpoint in ``folder`` to the end; None: from the start, alone."""
    trainer = make_trainer(recipe)
    checkpoints = folder and make_checkpoints(folder, recipe)
    training = Training(
        trainer,
        Data.on(CPU, small_dataset()),
        0,
        checkpoints=checkpoints,
        loaded=checkpoints and checkpoints.load(),
        stop=stop,
        on_step=on_step,
    )
    epochs = list(training.epochs())
    return fingerprint(trainer, epochs), training


def main():
    stop = StopRequest()
    stop.install()
    print("ready", flush=True)
    run(Path(sys.argv[1]), stop=stop)


if __name__ == "__main__":
    main()
