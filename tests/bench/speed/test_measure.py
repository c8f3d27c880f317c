"""A workload is what it says: network, memory format, precision, real steps."""

import copy
from contextlib import contextmanager
from unittest.mock import Mock, call

import pytest
import torch
import torch.nn.functional as F

from bench.speed import limits, measure, timing
from bench.speed.limits import LimitSamples, native_precisions
from bench.speed.measure import (
    MEMORY_FORMATS,
    RATE,
    TrainingStep,
    engine_of,
    measure_round,
    prepare,
    synthetic_data,
)
from bench.training.engine import applied
from bench.training.graphs import CALLS_TO_SETTLE
from tests.support.factories import ENVIRONMENT, START
from tests.support.resumable import make_trainer
from tests.support.speeds import QUIET, make_workload

CPU = torch.device("cpu")
CLOCK = timing.wall(CPU)
SMALL = {"model": "cifar_resnet20", "stem": "cifar", "shortcut": "A", "batch_size": 2}


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(timing, "MOST_WARMUP_SECONDS", 0.0)
    monkeypatch.setattr(timing, "SAMPLE_SECONDS", 0.0)


def prepared(**changes):
    return prepare(make_workload(**SMALL, **changes), CPU)


def is_in(tensor, memory_format):
    return tensor.is_contiguous(memory_format=memory_format)


@pytest.mark.parametrize("memory_format", list(MEMORY_FORMATS))
@pytest.mark.parametrize("direction", ["training", "inference"])
def test_weights_and_images_have_the_memory_format(direction, memory_format):
    run = prepared(direction=direction, memory_format=memory_format)
    if isinstance(run, TrainingStep):
        images, _ = run.trainer.make_batch(run.data, run.batch)
        weight = run.trainer.model.conv1.weight
    else:
        images, weight = run.images, run.network.conv1.weight
    for tensor in (images, weight):
        assert [name for name, each in MEMORY_FORMATS.items() if is_in(tensor, each)] == [
            memory_format
        ]


def test_both_memory_formats_give_the_same_loss():
    losses = []
    for memory_format in MEMORY_FORMATS:
        run = prepared(memory_format=memory_format)
        loss, _ = run.trainer.forward(*run.trainer.make_batch(run.data, run.batch))
        losses.append(float(loss.detach()))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert is_in(make_trainer().model.conv1.weight, torch.channels_last)  # where none is named


def test_a_training_repetition_is_a_real_step():
    run = prepared()
    before = copy.deepcopy(run.trainer.model.state_dict())
    run()
    after = run.trainer.model.state_dict()
    assert not torch.equal(before["fc.weight"], after["fc.weight"])
    assert not torch.equal(before["bn1.running_mean"], after["bn1.running_mean"])
    assert run.trainer.metrics.read()[2] == SMALL["batch_size"]
    assert run.trainer.optimizer.param_groups[0]["lr"] == pytest.approx(RATE)


def test_the_phases_together_are_a_step_bit_for_bit():
    whole, parts = prepared(), prepared()
    rate = parts.trainer.recipe.learning_rate
    whole.trainer.step(whole.data, whole.batch, rate)
    parts.trainer.model.train()
    parts.phases(CLOCK)
    weights = parts.trainer.model.state_dict()
    for name, tensor in whole.trainer.model.state_dict().items():
        assert torch.equal(tensor, weights[name]), name


def test_inference_changes_nothing_and_keeps_no_gradient():
    run = prepared(direction="inference")
    before = copy.deepcopy(run.network.state_dict())
    run()
    assert not run.network.training
    assert all(torch.equal(t, run.network.state_dict()[name]) for name, t in before.items())
    assert all(weight.grad is None for weight in run.network.parameters())


@pytest.mark.parametrize("direction", ["training", "inference"])
def test_products_run_in_the_precision_of_the_workload(direction):
    workload = make_workload(**SMALL, direction=direction, precision="bfloat16")
    run, seen = prepare(workload, CPU), []
    network = run.trainer.model if isinstance(run, TrainingStep) else run.network
    network.conv1.register_forward_hook(lambda _m, _i, out: seen.append(out.dtype))
    with applied(engine_of(workload, CPU)):
        run()
    assert seen == [torch.bfloat16]


def test_data_have_the_shape_of_the_workload():
    data = synthetic_data(make_workload(in_channels=1, resolution=48, classes=1000), CPU)
    images, labels = data.batch(torch.arange(3))
    assert images.shape == (3, 1, 48, 48)
    assert len(data) == 32
    assert labels.max() < 1000


def test_a_round_counts_only_its_samples(monkeypatch):
    events: list[str] = []

    @contextmanager
    def counting():
        events.append("begin")
        yield
        events.append("end")

    monkeypatch.setattr(measure, "prepare", lambda *_: lambda: events.append("work"))
    done = measure_round(make_workload(**SMALL), CPU, counting=counting)
    warmup, samples = timing.LEAST_WARMUP, timing.LEAST_SAMPLES
    assert events == ["work"] * warmup + ["begin"] + ["work"] * samples + ["end"]
    assert (len(done.warmup), len(done.samples), done.split) == (warmup, samples, None)


def test_only_training_is_split():
    training, inference = (
        measure_round(make_workload(**SMALL, direction=direction), CPU, with_split=True)
        for direction in ("training", "inference")
    )
    assert inference.split is None
    assert len(training.split.backward) == measure.SPLIT_SAMPLES
    assert min(*training.samples, *training.split.optimizer) > 0


def test_the_phases_are_timed_without_the_memory_of_the_graph(monkeypatch):
    run, events = prepared(), Mock()
    events.phases.return_value = (1, 1, 1, 1)
    monkeypatch.setattr(run, "phases", events.phases)
    monkeypatch.setattr(run.trainer, "release_graphs", events.release)
    run.split(CLOCK, samples=1)
    assert events.mock_calls == [call.release(), call.phases(CLOCK), call.phases(CLOCK)]


def test_a_graph_is_captured_before_samples_are_taken(monkeypatch):
    calls = []
    monkeypatch.setattr(measure, "prepare", lambda *_: lambda: calls.append(1))
    done = measure_round(make_workload(**SMALL, cuda_graph=True), CPU)
    assert len(done.warmup) == CALLS_TO_SETTLE


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["training", "inference"])
def test_compiled_workloads_run(direction):
    done = measure_round(make_workload(**SMALL, direction=direction, compiled=True), CPU)
    assert max(done.samples) < max(done.warmup)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("direction", ["training", "inference"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_every_precision_runs_on_a_gpu(direction, precision):
    graph = direction == "training" and precision != "float16"
    changes = {"direction": direction, "precision": precision, "cuda_graph": graph}
    done = measure_round(make_workload(**SMALL, **changes), torch.device("cuda"), with_split=True)
    assert min(done.samples) > 0


def test_limits_are_gathered_over_the_rounds(monkeypatch):
    monkeypatch.setattr(limits, "PRODUCT_SIZE", {"cpu": 64})
    monkeypatch.setattr(limits, "IMAGES", {"cpu": 1})
    monkeypatch.setattr(limits, "COPIED_BYTES", {"cpu": 2**20})
    monkeypatch.setattr(limits, "native_bfloat16", lambda _: True)
    samples = LimitSamples(CPU)
    for _ in range(2):
        samples.add_round(seconds=0.0)
    count = 2 * limits.LEAST
    for found in (samples.product_seconds, samples.convolution_seconds):
        assert {name: len(seconds) for name, seconds in found.items()} == {
            "float32": count, "bfloat16": count,
        }  # fmt: skip
    assert len(samples.copy_seconds) == count
    made = samples.record(ENVIRONMENT, QUIET, START)
    assert (made.product_size, made.copy_bytes) == (64, 2 * 2**20)
    assert made.copy_seconds == samples.copy_seconds


def test_operations_of_the_convolution_leave_out_padding(monkeypatch):
    monkeypatch.setattr(limits, "IMAGES", {"cpu": 3})
    image, taps = (torch.ones(1, 1, side, side) for side in (limits.SIDE, 3))
    seen = F.conv2d(image, taps, padding=1)
    expected = 2 * 3 * limits.PLANES**2 * int(seen.sum())
    assert LimitSamples(CPU).convolution_operations == expected
    images = limits.convolution(CPU, "bfloat16")()
    assert images.shape == (3, limits.PLANES, limits.SIDE, limits.SIDE)
    assert images.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("device", "native", "expected"),
    [
        ("cpu", False, ("float32",)),
        ("cpu", True, ("float32", "bfloat16")),
        ("cuda", True, ("float32", "bfloat16", "float16")),
    ],
)
def test_no_limit_is_measured_in_an_emulated_precision(monkeypatch, device, native, expected):
    monkeypatch.setattr(limits, "native_bfloat16", lambda _: native)
    assert native_precisions(torch.device(device)) == expected
