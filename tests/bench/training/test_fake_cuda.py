"""Everything of a step lies on the GPU: one tensor elsewhere, and a fake GPU refuses it."""

import pytest
import torch

from bench.config import profiles
from bench.data.batches import epoch_plan
from bench.records.schema import Engine, Precision
from bench.training.evaluation import Evaluator
from bench.training.graphs import Graphs
from bench.training.loop import Data
from bench.training.trainer import Trainer
from resnet_models import define
from tests.support.fake_cuda import fake_cuda
from tests.support.small import small_dataset, small_recipe

CUDA = torch.device("cuda", 0)
FULL = {plan.cell.model for plan in profiles.make("full", has_gpu=True).plans}
MODELS = sorted(FULL | {"cifar_resnet20", "cifar_plain20"})


def zero_gradients(trainer):
    """In place of the backward pass, which a fake GPU does not have."""

    def backward(loss):
        assert loss.device == CUDA
        for parameter in trainer.model.parameters():
            parameter.grad = torch.zeros_like(parameter)

    return backward


@pytest.mark.parametrize(
    ("model", "precision"),
    [*((model, "bfloat16") for model in MODELS), ("cifar_resnet20", "float32")],
)
def test_every_tensor_of_a_step_is_on_one_device(model, precision: Precision):
    dataset = small_dataset("cifar10", train=20, test=10)
    definition = define(model, in_channels=3, num_classes=10)
    engine = Engine(precision=precision, micro_batch_size=8)
    recipe = small_recipe(batch_size=8, optimizer="sgd", augmentation="crop_flip")
    with fake_cuda():
        trainer = Trainer(definition.build(), recipe, CUDA, engine)
        for group in trainer.optimizer.param_groups:
            group["lr"] = torch.zeros((), device=CUDA)  # its constructor would read a value
        trainer.graphs = Graphs(CUDA)
        trainer.backward = zero_gradients(trainer)  # type: ignore[method-assign]
        data = Data.on(CUDA, dataset)
        plan = epoch_plan(0, 1, 20, None, "crop_flip").to(CUDA)
        trainer.eager_step(data.train, plan.batch(0, 8))
        trainer.eager_step(data.train, plan.batch(2, 8))
        tensors = trainer.metrics.tensors() | trainer.model.state_dict()
        assert {tensor.device for tensor in tensors.values()} == {CUDA}
        evaluator = Evaluator(trainer.model, data.test, precision)
        evaluator._add(plan.batch(0, 8))
        assert evaluator._predicted.device == CUDA


def test_a_tensor_elsewhere_is_refused():
    engine = Engine(precision="float32", micro_batch_size=8)
    model = define("cifar_resnet20", in_channels=3, num_classes=10).build()
    with fake_cuda():
        trainer = Trainer(model, small_recipe(optimizer="sgd"), CUDA, engine)
        images, labels = torch.zeros(8, 3, 32, 32, device=CUDA), torch.zeros(8, dtype=torch.int64)
        with pytest.raises(RuntimeError, match="device"):
            trainer.forward(images, labels)
