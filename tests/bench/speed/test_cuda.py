"""What of ``bench.speed`` only a GPU can show."""

import pytest
import torch

from bench.records.speed import layers_of
from bench.speed import guard, limits, timing
from bench.speed.limits import LEAST, LimitSamples, native_precisions
from bench.speed.measure import engine_of, measure_round, prepare
from bench.speed.memory import peak_memory
from bench.speed.rounds import Setting, ran_out, run
from bench.training.environment import describe
from bench.training.graphs import CALLS_BEFORE_CAPTURE
from bench.training.trainer import Trainer
from tests.support.speeds import make_workload

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
]
CUDA = torch.device("cuda")
SMALL = {"model": "cifar_resnet20", "stem": "cifar", "shortcut": "A", "batch_size": 64}


def measured(workload, folder, monkeypatch):
    """The records of one round, without the machine's limits."""
    monkeypatch.setattr(LimitSamples, "add_round", lambda _: None)
    monkeypatch.setattr(timing, "SAMPLE_SECONDS", 0.0)
    setting = Setting(
        device=CUDA,
        environment=describe(CUDA),
        load_before=None,
        rounds=1,
        folder=folder,
        sweep=False,
        say=lambda _: None,
    )
    return run([workload], setting)[0]


def test_a_captured_step_is_replayed_in_every_sample(monkeypatch):
    replays, replay = [], torch.cuda.CUDAGraph.replay

    def counted(graph):
        replays.append(graph)
        replay(graph)

    monkeypatch.setattr(torch.cuda.CUDAGraph, "replay", counted)
    done = measure_round(make_workload(**SMALL, cuda_graph=True), CUDA, with_split=True)
    in_samples = len(replays) - (len(done.warmup) - CALLS_BEFORE_CAPTURE)
    assert in_samples % len(done.samples) == 0
    assert in_samples >= len(done.samples)
    assert len({id(graph) for graph in replays}) == 1
    assert min(*done.samples, *done.split.forward, *done.split.backward) > 0


def test_inference_is_measured_without_a_graph(monkeypatch):
    monkeypatch.setattr(torch.cuda.CUDAGraph, "replay", lambda _: pytest.fail("a graph"))
    done = measure_round(make_workload(**SMALL, direction="inference"), CUDA, with_split=True)
    assert min(done.samples) > 0
    assert done.split is None


@pytest.mark.parametrize("direction", ["training", "inference"])
def test_the_peak_has_the_weights_and_nothing_of_what_ran_before(direction):
    graph = direction == "training"
    workload = make_workload(direction=direction, batch_size=64, cuda_graph=graph)
    peaks = []
    for _ in range(3):
        peak, problem = peak_memory(workload, CUDA)
        assert (problem, peak.source) == (None, "cuda allocator")
        peaks.append(peak.size_bytes)
        measure_round(make_workload(**SMALL, cuda_graph=True), CUDA)
    assert min(peaks) >= 4 * sum(layer.parameters for layer in layers_of(workload))
    # The first one has the memory of looking for the best kernels too.
    assert peaks[2] == pytest.approx(peaks[1], rel=0.05)


@pytest.mark.parametrize("graph", [True, False])
def test_a_batch_that_does_not_fit_is_halved_until_it_does(tmp_path, monkeypatch, graph):
    """An image keeps about 1.5 MB for the backward pass: 8,192 do not fit into 2 GB, 512 do."""
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(
        2e9 / torch.cuda.get_device_properties(CUDA).total_memory
    )
    try:
        workload = make_workload(**SMALL | {"batch_size": 8192}, cuda_graph=graph)
        *failed, last = measured(workload, tmp_path, monkeypatch)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert failed
    assert all(ran_out(record) for record in failed)
    assert [record.workload.batch_size for record in (*failed, last)] == [
        8192 >> number for number in range(len(failed) + 1)
    ]
    assert last.status == "completed"
    assert last.workload.batch_size >= 512
    assert 0 < last.peak_memory.size_bytes < 2e9


def test_a_step_that_cannot_be_captured_has_its_kernels_launched(tmp_path, monkeypatch):
    forward = Trainer.forward

    def waiting(trainer, images, labels):
        loss, correct = forward(trainer, images, labels)
        float(loss.detach())  # to wait for the device is forbidden in a capture
        return loss, correct

    monkeypatch.setattr(Trainer, "forward", waiting)
    workload = make_workload(**SMALL, cuda_graph=True)
    failed, completed = measured(workload, tmp_path, monkeypatch)
    assert (failed.workload, failed.status, ran_out(failed)) == (workload, "failed", False)
    assert (completed.workload.cuda_graph, completed.status) == (False, "completed")


def test_limits_are_measured_in_every_native_precision(monkeypatch):
    monkeypatch.setattr(limits, "PRODUCT_SIZE", {"cuda": 1024})
    monkeypatch.setattr(limits, "IMAGES", {"cuda": 16})
    monkeypatch.setattr(limits, "COPIED_BYTES", {"cuda": 2**24})
    samples = LimitSamples(CUDA)
    samples.add_round(seconds=0.0)
    for found in (samples.product_seconds, samples.convolution_seconds):
        assert set(found) == set(native_precisions(CUDA)) >= {"float32", "float16"}
        assert all(len(seconds) == LEAST and min(seconds) > 0 for seconds in found.values())
    assert min(samples.copy_seconds) > 0


@pytest.fixture
def gpu():
    found = guard.find_gpu(str(torch.cuda.get_device_properties(CUDA).uuid))
    if found is None:
        pytest.skip("there is no NVML")
    return found


def test_nvml_tells_the_clock_in_megahertz(gpu):
    clock = gpu.clock_mhz()
    if clock is None:
        pytest.skip("NVML does not tell this GPU's clock")
    assert 100 < clock < 10_000


def test_nvml_tells_the_energy_in_joules(gpu):
    before = gpu.energy_joules()
    if before is None:
        pytest.skip("NVML does not tell this GPU's energy")
    workload = make_workload(direction="inference", batch_size=512)
    repetition = prepare(workload, CUDA)
    seconds = sum(timing.sample(repetition, timing.wall(CUDA), seconds=2.0, most=10**6))
    watts = (gpu.energy_joules() - before) / seconds
    assert 2 < watts < 3000


def test_float32_is_timed_with_tf32_and_the_switches_are_put_back():
    assert engine_of(make_workload(**SMALL), CUDA).tf32
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.benchmark
    measure_round(make_workload(**SMALL), CUDA)
    assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.benchmark) == before
