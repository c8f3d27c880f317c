"""Short trainings of a small network on the small dataset."""

import torch

from bench.records.schema import Engine
from bench.training.loop import Data, Training
from bench.training.trainer import Trainer
from resnet_models import build
from tests.support.small import small_dataset

CPU = torch.device("cpu")


def make_trainer(recipe, device=CPU, seed=0, *, name="cifar_resnet20", **engine):
    torch.manual_seed(seed)
    model = build(name, in_channels=1, num_classes=10, zero_init_residual=recipe.zero_init_residual)
    engine = {"precision": "float32", "micro_batch_size": recipe.batch_size, **engine}
    return Trainer(model, recipe, device, Engine(**engine))


def make_data(dataset=None, device=CPU):
    return Data.on(device, dataset or small_dataset())


def run(recipe, device=CPU, seed=0, dataset=None, **options):
    trainer = make_trainer(recipe, device, seed, **options)
    steps: list[int] = []
    training = Training(trainer, make_data(dataset, device), seed, on_step=steps.append)
    return trainer, list(training.epochs()), steps


def state(trainer):
    return {key: value.clone() for key, value in trainer.model.state_dict().items()}
