"""The loop learns, repeats bit for bit, counts what it says and stops when it diverges."""

import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from bench.config.recipe import ErrorWarmup, LinearSchedule, StepSchedule
from bench.config.schedule import budget, learning_rate
from bench.data.batches import DeviceData, epoch_plan
from bench.errors import BenchError
from bench.training.evaluation import Evaluator, Look
from bench.training.loop import Training
from bench.training.trainer import Metrics
from tests.support.small import small_dataset, small_recipe
from tests.support.trainings import CPU, make_data, make_trainer, run, state

pytestmark = pytest.mark.heavy

CUDA = pytest.param(
    "cuda",
    marks=[
        pytest.mark.cuda,
        pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    ],
)


def timeless(epochs):
    return [epoch.model_copy(update={"train_seconds": 1, "test_seconds": 1}) for epoch in epochs]


@pytest.mark.parametrize("device", ["cpu", CUDA])
@pytest.mark.parametrize("optimizer", [pytest.param("adamw", marks=pytest.mark.slow), "sgd"])
def test_it_learns(optimizer, device):
    """On CPUs, the self-test of ``doctor`` learns with AdamW too."""
    rate = {"adamw": 2e-3, "sgd": 0.05}[optimizer]
    recipe = small_recipe(
        optimizer=optimizer, learning_rate=rate, epochs=6, images_per_epoch=None, batch_size=8
    )
    _, epochs, _ = run(recipe, torch.device(device), name="resnet18")
    assert epochs[-1].train_loss < 0.5 * epochs[0].train_loss
    assert epochs[-1].test_accuracy > 0.8


def test_counts_and_budget_are_those_of_the_recipe():
    recipe = small_recipe(epochs=3, images_per_epoch=10, batch_size=4)
    _, epochs, steps = run(recipe)
    assert steps == [4, 4, 2] * 3
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3]
    assert [epoch.steps for epoch in epochs] == [3, 3, 3]
    assert [epoch.train_images for epoch in epochs] == [10, 10, 10]
    assert [epoch.test_images for epoch in epochs] == [16, 16, 32]
    rates = [learning_rate(recipe, step, 9, epoch=1) for step in (2, 5, 8)]
    assert [epoch.learning_rate for epoch in epochs] == rates


def test_a_budget_in_iterations_cuts_the_last_epoch_short():
    recipe = small_recipe(epochs=None, iterations=7, images_per_epoch=10, batch_size=4)
    _, epochs, steps = run(recipe)
    assert steps == [4, 4, 2, 4, 4, 2, 4]
    assert [epoch.steps for epoch in epochs] == [3, 3, 1]
    assert [epoch.train_images for epoch in epochs] == [10, 10, 4]
    assert [epoch.test_images for epoch in epochs] == [16, 16, 32]  # all after the last step


def test_the_paper_trains_for_64000_iterations():
    from bench.config.recipes import hold_out, paper_cifar

    whole = budget(paper_cifar(warmup=False), 50_000)
    assert (whole.total, whole.steps) == (64_000, 391)
    assert sum(whole.steps_of(epoch) for epoch in range(1, whole.epochs + 1)) == 64_000
    split = budget(hold_out(paper_cifar(warmup=False), 5_000), 50_000)
    assert (split.images, split.steps) == (45_000, 352)


def test_held_out_images_are_validated_on_and_never_trained_on():
    dataset = small_dataset(train=64)
    recipe = small_recipe(epochs=2, images_per_epoch=None, held_out_images=24)
    trainer, epochs, _ = run(recipe, dataset=dataset)
    altered = small_dataset(train=64)
    altered.train.images[40:] = 0  # they are the last ones
    again, other, _ = run(recipe, dataset=altered)
    assert [epoch.train_images for epoch in epochs] == [40, 40]
    assert [epoch.train_loss for epoch in epochs] == [epoch.train_loss for epoch in other]
    assert all(torch.equal(state(trainer)[key], value) for key, value in state(again).items())
    assert {epoch.validation_images for epoch in epochs} == {24}
    assert [epoch.validation_loss for epoch in epochs] != [epoch.validation_loss for epoch in other]
    data = DeviceData(dataset.train, dataset.spec, CPU)
    images, labels = data.batch(torch.arange(40, 64))
    right = int((trainer.model.eval()(images).argmax(1) == labels).sum())
    assert epochs[-1].validation_correct == right


@pytest.mark.parametrize(("iterations", "images"), [(None, 20), (5, 16), (6, 20)])
def test_the_final_weights_are_tried_on_the_last_epochs_images_as_they_are(iterations, images):
    recipe = small_recipe(
        epochs=None if iterations else 2, iterations=iterations, images_per_epoch=20, batch_size=8,
        augmentation="crop_flip", optimizer="sgd", learning_rate=0.1,
    )  # fmt: skip
    data = make_data()
    trainer = make_trainer(recipe)
    training = Training(trainer, data, seed=0)
    running = list(training.epochs())[-1]
    trained_on = epoch_plan(0, 2, 64, 20, "none").indices[:images]
    inputs, labels = data.train.batch(trained_on)
    logits = trainer.model.eval()(inputs)
    assert training.clean.images == running.train_images == images
    assert training.clean.correct == int((logits.argmax(1) == labels).sum())
    assert training.clean.loss == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-5)
    assert training.clean.loss != running.train_loss


def test_same_seed_gives_the_same_weights_and_another_seed_others():
    recipe = small_recipe(augmentation="crop_flip", batch_size=8, images_per_epoch=16)
    first, first_epochs, _ = run(recipe)
    again, again_epochs, _ = run(recipe)
    other, _, _ = run(recipe, seed=1)
    for key, value in state(first).items():
        assert torch.equal(value, state(again)[key]), key
    assert not torch.equal(state(first)["conv1.weight"], state(other)["conv1.weight"])
    assert timeless(first_epochs) == timeless(again_epochs)


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
        optimizer.param_groups[0]["lr"] = learning_rate(recipe, step, 2, epoch=1)
        images, labels = data.batch(part.indices)
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    for key, value in model.state_dict().items():
        torch.testing.assert_close(trainer.model.state_dict()[key], value, msg=key)


def watched_rates(trainer):
    """A list, and what adds to it the learning rate of each step."""
    rates = []
    return rates, lambda _images: rates.append(trainer.optimizer.param_groups[0]["lr"])


def test_the_rate_of_every_step_reaches_the_optimizer():
    recipe = small_recipe(
        optimizer="sgd",
        learning_rate=0.1,
        schedule=StepSchedule(unit="iteration", milestones=(3, 5), factor=0.1),
        epochs=None,
        iterations=7,
        batch_size=4,
    )
    trainer = make_trainer(recipe)
    rates, watch = watched_rates(trainer)
    list(Training(trainer, make_data(), 0, on_step=watch).epochs())
    assert rates == pytest.approx([0.1] * 3 + [0.01] * 2 + [0.001] * 2)


def test_an_error_warmup_ends_when_the_network_has_begun_to_learn(monkeypatch):
    """Section 4.2: 0.01 until the training error is below 80 %, then 0.1."""
    monkeypatch.setattr("bench.training.loop.WARMUP_WINDOW", 10)
    schedule = StepSchedule(
        unit="iteration",
        milestones=(400,),
        factor=0.1,
        warmup=ErrorWarmup(learning_rate=0.05, until_train_error=0.82),
    )
    recipe = small_recipe(
        optimizer="sgd",
        learning_rate=0.03,
        schedule=schedule,
        epochs=None,
        iterations=60,
        images_per_epoch=None,
        batch_size=8,
    )
    # Seven steps an epoch: every window but one in seven begins in one epoch and ends in another.
    dataset = small_dataset(train=8 * 7)
    trainer = make_trainer(recipe)
    errors = []
    read = trainer.metrics.window_error

    def watched():
        errors.append(read())
        return errors[-1]

    trainer.metrics.window_error = watched
    rates, watch = watched_rates(trainer)
    training = Training(trainer, make_data(dataset), 0, on_step=watch)
    list(training.epochs())
    end = training.course().warmup_steps
    assert end == 10 * len(errors)
    assert errors[-1] < 0.82 <= min([1.0, *errors[:-1]])
    assert rates == [0.05] * end + [0.03] * (len(rates) - end)


def test_a_window_of_the_warmup_goes_on_over_the_end_of_an_epoch():
    metrics = Metrics(CPU)

    def steps(*correct):
        for each in correct:
            metrics.add(torch.tensor(1.0), torch.tensor(each), 10)

    steps(1, 2)
    assert metrics.window_error() == pytest.approx(1 - 3 / 20)
    steps(4)
    metrics.reset()
    steps(6)
    assert metrics.window_error() == pytest.approx(1 - 10 / 20)
    assert metrics.read() == (6, 1.0, 10)
    steps(9)
    assert metrics.window_error() == pytest.approx(1 - 9 / 10)


def test_frozen_weights_stay_while_batchnorm_statistics_move():
    """The 2022 project's accident, on request."""
    recipe = small_recipe(
        optimizer="sgd", learning_rate=0.05, epochs=3, freeze_weights_after_epoch=1
    )
    trainer = make_trainer(recipe)
    snapshots = [state(trainer) for _ in Training(trainer, make_data(), 0).epochs()]
    parameters = {key for key, _ in trainer.model.named_parameters()}
    for before, after in pairwise(snapshots):
        moved = {key for key in before if not torch.equal(before[key], after[key])}
        assert not moved & parameters
        assert {"bn1.running_mean", "layer3.2.bn2.running_var"} <= moved


def test_divergence_ends_with_step_and_rate():
    recipe = small_recipe(
        optimizer="sgd", learning_rate=1e20, schedule=LinearSchedule(warmup_fraction=0)
    )
    with pytest.raises(BenchError, match=r"at step 2 \(epoch 1, learning rate 7\.5e\+19\)"):
        run(recipe)


def test_a_last_step_that_spoils_the_weights_is_divergence(monkeypatch):
    """Its loss was taken before the update, so only the evaluation shows it."""
    monkeypatch.setattr(Evaluator, "look", lambda *_, **__: Look(16, 1, math.nan, torch.zeros(16)))
    with pytest.raises(BenchError, match="test loss after epoch 1 is not a finite number"):
        run(small_recipe(epochs=1))


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_lower_precision_follows_float32(precision):
    """Emulated where the CPU has none: slow, but the same arithmetic."""
    recipe = small_recipe(epochs=2, images_per_epoch=16, batch_size=8)
    exact = [epoch.train_loss for epoch in run(recipe)[1]]
    rounded = [epoch.train_loss for epoch in run(recipe, precision=precision)[1]]
    assert rounded == pytest.approx(exact, rel=0.05)
    assert rounded != exact


@pytest.mark.slow
def test_a_compiled_step_follows_the_eager_one():
    recipe = small_recipe(epochs=2, images_per_epoch=64)
    eager = [epoch.train_loss for epoch in run(recipe)[1]]
    compiled = [epoch.train_loss for epoch in run(recipe, compiled=True)[1]]
    assert compiled == pytest.approx(eager, rel=0.01)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_follows_the_cpu():
    recipe = small_recipe(epochs=1, images_per_epoch=64)
    on_cpu = run(recipe)[1][-1].train_loss
    on_gpu = run(recipe, torch.device("cuda"))[1][-1].train_loss
    assert math.isclose(on_cpu, on_gpu, rel_tol=0.02)
