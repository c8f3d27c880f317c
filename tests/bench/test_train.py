"""The loop learns, repeats bit for bit, counts what it says and stops when it diverges."""

import math

import pytest
import torch
import torch.nn.functional as F

from bench.data.batches import DeviceData, epoch_plan
from bench.errors import BenchError
from bench.schedule import learning_rate
from bench.train import Trainer, autocast, choose_precision, evaluate, train
from resnet_models import build
from tests.bench.small import small_dataset, small_recipe

CPU = torch.device("cpu")
CUDA = pytest.param(
    "cuda",
    marks=[
        pytest.mark.cuda,
        pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    ],
)


def make_trainer(recipe, device=CPU, precision="float32", seed=0):
    torch.manual_seed(seed)
    model = build(
        "resnet18", in_channels=1, num_classes=10, zero_init_residual=recipe.zero_init_residual
    )
    return Trainer(model, recipe, device, precision)


def run(recipe, device=CPU, precision="float32", seed=0, dataset=None):
    dataset = dataset or small_dataset()
    trainer = make_trainer(recipe, device, precision, seed)
    splits = [DeviceData(split, dataset.spec, device) for split in (dataset.train, dataset.test)]
    steps = []
    return trainer, list(train(trainer, *splits, seed, steps.append)), steps


def state(trainer):
    return {key: value.clone() for key, value in trainer.model.state_dict().items()}


@pytest.mark.parametrize("device", ["cpu", CUDA])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_it_learns(optimizer, device):
    rate = {"adamw": 2e-3, "sgd": 0.05}[optimizer]
    recipe = small_recipe(
        optimizer=optimizer, learning_rate=rate, epochs=8, images_per_epoch=None, batch_size=16
    )
    device = torch.device(device)
    _, epochs, _ = run(recipe, device, choose_precision(device))
    assert epochs[-1].train_loss < 0.5 * epochs[0].train_loss
    assert epochs[-1].test_accuracy > 0.8


def test_counts_and_budget_are_those_of_the_recipe():
    recipe = small_recipe(epochs=3, images_per_epoch=40, batch_size=16)
    _, epochs, steps = run(recipe)
    assert steps == [16, 16, 8] * 3
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3]
    assert [epoch.train_images for epoch in epochs] == [40, 40, 40]
    assert [epoch.test_images for epoch in epochs] == [16, 16, 32]
    rates = [learning_rate(recipe, step, 9) for step in (2, 5, 8)]
    assert [epoch.learning_rate for epoch in epochs] == rates


def test_same_seed_gives_the_same_weights_and_another_seed_others():
    first, first_epochs, _ = run(small_recipe(augmentation="crop_flip"))
    again, again_epochs, _ = run(small_recipe(augmentation="crop_flip"))
    other, _, _ = run(small_recipe(augmentation="crop_flip"), seed=1)
    for key, value in state(first).items():
        assert torch.equal(value, state(again)[key]), key
    assert not torch.equal(state(first)["conv1.weight"], state(other)["conv1.weight"])
    timeless = {"train_seconds": 1.0, "test_seconds": 1.0}
    assert [epoch.model_copy(update=timeless) for epoch in first_epochs] == [
        epoch.model_copy(update=timeless) for epoch in again_epochs
    ]


def test_the_loop_is_plain_sgd_with_momentum():
    """Against the same updates written out with torch's unfused optimizer."""
    recipe = small_recipe(optimizer="sgd", learning_rate=0.05, epochs=1)
    dataset = small_dataset()
    trainer, _, _ = run(recipe, dataset=dataset)

    model = make_trainer(recipe).model.train()
    optimizer = torch.optim.SGD(
        model.parameters(),
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        foreach=False,
    )
    data = DeviceData(dataset.train, dataset.spec, CPU)
    for step, part in enumerate(epoch_plan(0, 1, 64, 32, "none").batches(16)):
        optimizer.param_groups[0]["lr"] = learning_rate(recipe, step, 2)
        images, labels = data.batch(part.indices)
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    for key, value in model.state_dict().items():
        torch.testing.assert_close(trainer.model.state_dict()[key], value, msg=key)


def test_evaluation_is_the_plain_mean_over_the_first_images():
    dataset = small_dataset(test=32)
    trainer = make_trainer(small_recipe())
    data = DeviceData(dataset.test, dataset.spec, CPU)
    images, labels = data.batch(torch.arange(20))
    logits = trainer.model.eval()(images)
    count, correct, loss = evaluate(trainer.model, data, "float32", 20)
    assert (count, correct) == (20, (logits.argmax(1) == labels).sum().item())
    assert loss == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-6)
    assert (
        evaluate(trainer.model, data, "float32")[0]
        == evaluate(trainer.model, data, "float32", 99)[0]
        == 32
    )


def test_evaluation_changes_nothing():
    trainer = make_trainer(small_recipe())
    dataset = small_dataset()
    before = state(trainer)
    evaluate(trainer.model, DeviceData(dataset.test, dataset.spec, CPU), "float32")
    assert all(torch.equal(value, before[key]) for key, value in state(trainer).items())


def test_the_optimizer_holds_exactly_the_parameters_of_its_network():
    trainer = make_trainer(small_recipe())
    held = {id(p) for group in trainer.optimizer.param_groups for p in group["params"]}
    assert held == {id(p) for p in trainer.model.parameters()}


def test_divergence_ends_with_epoch_and_rate():
    with pytest.raises(BenchError, match=r"diverged: the loss of epoch 1 is (nan|inf) .*rate"):
        run(small_recipe(optimizer="sgd", learning_rate=1e20, warmup_fraction=0.0))


def test_bfloat16_follows_float32():
    """Emulated where the CPU has no bfloat16: slow, but the same arithmetic."""
    recipe = small_recipe(epochs=2, images_per_epoch=64)
    exact = [epoch.train_loss for epoch in run(recipe)[1]]
    rounded = [epoch.train_loss for epoch in run(recipe, precision="bfloat16")[1]]
    assert rounded == pytest.approx(exact, rel=0.05)
    assert rounded != exact


def test_autocast_is_off_for_float32():
    with autocast(CPU, "float32"):
        assert not torch.is_autocast_enabled("cpu")
    with autocast(CPU, "bfloat16"):
        assert torch.is_autocast_enabled("cpu")


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_follows_the_cpu():
    recipe = small_recipe(epochs=1, images_per_epoch=64)
    on_cpu = run(recipe)[1][-1].train_loss
    on_gpu = run(recipe, torch.device("cuda"))[1][-1].train_loss
    assert math.isclose(on_cpu, on_gpu, rel_tol=0.02)
