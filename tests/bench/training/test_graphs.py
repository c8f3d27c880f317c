"""A captured step is the step: whatever of it changes from call to call is read anew."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from bench.data.batches import EpochPlan
from bench.records.schema import Engine
from bench.training import evaluation
from bench.training.checkpoint import Checkpoints
from bench.training.graphs import CALLS_BEFORE_CAPTURE, Graphs
from bench.training.loop import Data, Training
from bench.training.stop import StopRequest
from bench.training.trainer import Trainer
from resnet_models import build
from tests.support.small import small_dataset, small_recipe

CPU = torch.device("cpu")
BATCH, IMAGES, EPOCHS = 8, 20, 5  # two whole batches an epoch, and one of four images
STEPS = 3 * EPOCHS


def make_network(name):
    if name != "tiny":
        return build(name, in_channels=1, num_classes=10)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4, 10),
    )  # fmt: skip


def make_training(
    *, model="tiny", precision="float32", micro=BATCH, folder=None, stop_after=None, **changes
):
    settings = {
        "batch_size": BATCH, "images_per_epoch": IMAGES, "epochs": EPOCHS, "learning_rate": 0.01,
        "optimizer": "sgd", "augmentation": "crop_flip", "test_images": 20,
    }  # fmt: skip
    torch.manual_seed(0)
    engine = Engine(precision=precision, micro_batch_size=micro, cuda_graph=True)
    trainer = Trainer(make_network(model), small_recipe(**settings | changes), CPU, engine)
    checkpoints = Checkpoints(folder, {}, every_seconds=9e9, warn=pytest.fail) if folder else None
    stop, steps = StopRequest(), []

    def on_step(images):
        steps.append(images)
        stop.wanted = len(steps) == stop_after

    return Training(
        trainer,
        Data.on(CPU, small_dataset(train=64, test=40)),
        seed=3,
        checkpoints=checkpoints,
        loaded=checkpoints.load() if checkpoints else None,
        stop=stop,
        on_step=on_step,
    )


def result(training):
    """Everything that a run leaves behind, times left out."""
    epochs = [
        epoch.model_copy(update={"train_seconds": 1, "test_seconds": 1})
        for epoch in training.epochs()
    ]
    seen = epochs, training.clean, training.predicted.tolist()
    return seen, training.trainer.state_dict()


def eager(**options):
    training = make_training(**options)
    training.trainer.graphs.problem = "not wanted"
    return result(training)


def assert_same(one, other):
    assert one[0] == other[0]
    for name, part in one[1].items():
        torch.testing.assert_close(part, other[1][name], rtol=0, atol=0)


@pytest.fixture(autouse=True)
def _small_looks(monkeypatch, cuda_graphs):
    monkeypatch.setitem(evaluation.BATCH_SIZE, "cpu", 10)


# Captured are the whole batch, the short one and the look; the last look has two batches more.
@pytest.mark.parametrize(
    ("options", "captures"),
    [
        ({"model": "cifar_resnet20"}, 3),
        ({"precision": "bfloat16"}, 3),
        ({"precision": "float16"}, 3),
        ({"optimizer": "adamw"}, 3),
        ({"optimizer": "adamw", "precision": "float16"}, 3),
        ({"micro": 3}, 3),
        ({"augmentation": "none"}, 3),
        ({"freeze_weights_after_epoch": 3}, 3),  # the frozen whole batch, but no short one
        ({"images_per_epoch": 28, "held_out_images": 20}, 4),  # a second look
    ],
    ids=str,
)
def test_captured_training_is_eager_training_to_the_bit(options, captures, cuda_graphs):
    captured = result(make_training(**options))
    assert cuda_graphs.captures == captures
    assert_same(captured, eager(**options))
    assert set(cuda_graphs.modes) == {"thread_local"}


@pytest.mark.parametrize("stop_after", [1, 5, 8, 11])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_resumed_run_captures_anew_and_ends_with_the_same_bits(tmp_path, optimizer, stop_after):
    whole = result(make_training(optimizer=optimizer))
    with pytest.raises(KeyboardInterrupt):
        result(make_training(optimizer=optimizer, folder=tmp_path, stop_after=stop_after))
    assert_same(result(make_training(optimizer=optimizer, folder=tmp_path)), whole)


def waiting(forward):
    def wait(trainer, images, labels):
        loss, correct = forward(trainer, images, labels)
        loss.item()  # a capture forbids to wait for the device
        return loss, correct

    return wait


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_after_a_failed_capture_steps_are_eager_and_the_run_says_so(
    optimizer, monkeypatch, cuda_graphs
):
    expected = eager(optimizer=optimizer)
    monkeypatch.setattr(Trainer, "forward", waiting(Trainer.forward))
    training = make_training(optimizer=optimizer)
    assert_same(result(training), expected)
    assert training.course().uncaptured == "operation not permitted when stream is capturing"
    assert (cuda_graphs.underway, cuda_graphs.uses) == ([], 0)


def run_often(graphs, work, calls=CALLS_BEFORE_CAPTURE + 1):
    plan = EpochPlan(torch.zeros(2, dtype=torch.int64), None, None)
    for _ in range(calls):
        graphs.run("work", work, plan)


def test_a_failed_capture_leaves_torch_as_it_was(monkeypatch, cuda_graphs):
    """Or the allocator could not empty its cache, and no random number be drawn."""
    states: list[str] = []
    generator = SimpleNamespace(clone_state=lambda: "clone", graphsafe_set_state=states.append)
    monkeypatch.setattr(torch.cuda, "default_generators", (generator,))
    run_often(Graphs(CPU), lambda _: torch.ones(1).item())
    assert (cuda_graphs.underway, cuda_graphs.uses, states) == ([], 0, ["clone"])
    graphs = Graphs(CPU)
    run_often(graphs, lambda _: torch.ones(1))
    assert (graphs.problem, cuda_graphs.captures, states) == (None, 1, ["clone"])


def test_where_torch_has_ended_the_capture_its_memory_is_not_given_back_twice(cuda_graphs):
    def work(_plan):
        if cuda_graphs.underway:
            cuda_graphs.underway.clear()
            cuda_graphs.uses -= 1
            raise RuntimeError("invalid")

    graphs = Graphs(CPU)
    run_often(graphs, work)
    assert (graphs.problem, cuda_graphs.uses) == ("invalid", 0)


def test_memory_that_ends_in_a_capture_ends_the_step(cuda_graphs):
    def work(_plan):
        if cuda_graphs.underway:
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        run_often(Graphs(CPU), work)
    assert (cuda_graphs.underway, cuda_graphs.uses) == ([], 0)


def test_one_batch_is_read_where_the_capture_reads_it():
    seen, graphs = torch.zeros(2, dtype=torch.int64), Graphs(CPU)

    def double(plan):
        seen.copy_(2 * plan.indices)

    for number in range(6):
        plan = EpochPlan(torch.tensor([number, 10 * number]), None, None)
        graphs.run("work", double, plan)
        assert seen.tolist() == [2 * number, 20 * number]
