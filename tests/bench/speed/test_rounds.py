"""Round after round: the order, what is stored when, and what failures lead to."""

import gc
import re
from contextlib import nullcontext

import pytest
import torch

from bench.errors import UsageError
from bench.records.schema import PeakMemory
from bench.records.store import load_speed
from bench.speed import guard, measure, memory
from bench.speed.limits import LimitSamples
from bench.speed.measure import Round
from bench.speed.rounds import Setting, ran_out, refuse_impossible, run
from bench.speed.workloads import default_matrix
from tests.support.factories import ENVIRONMENT, START
from tests.support.speeds import make_split, make_workload

pytestmark = pytest.mark.heavy

CPU = torch.device("cpu")
PEAK = PeakMemory(size_bytes=2**29, source="child process")
OUT_OF_MEMORY = RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 GB")


class Stage:
    """Stands in for everything that takes time. ``outcomes`` are by (model, batch, direction)."""

    def __init__(self, monkeypatch, folder):
        self.folder = folder
        self.events: list[str] = []
        self.said: list[str] = []
        self.seconds = lambda workload: 0.01 * workload.batch_size
        self.memory_problem = None
        monkeypatch.setattr(measure, "measure_round", self.measure_round)
        monkeypatch.setattr(memory, "peak_memory", self.peak_memory)
        monkeypatch.setattr(LimitSamples, "add_round", lambda _: self.events.append("limits"))
        monkeypatch.setattr(guard, "cpu_time", lambda _: None)
        monkeypatch.setattr(gc, "collect", lambda: 0)  # half a second each, in a large heap

    def measure_round(self, workload, _device, *, with_split, counting):
        self.events.append(f"{workload.model} {workload.direction} {workload.batch_size}")
        with counting():
            seconds = self.seconds(workload)
        if isinstance(seconds, BaseException):
            raise seconds
        split = make_split() if with_split and workload.direction == "training" else None
        return Round(warmup=(2 * seconds,), samples=(seconds, seconds), split=split)

    def peak_memory(self, workload, _device):
        self.events.append(f"memory {workload.model}")
        return (None, self.memory_problem) if self.memory_problem else (PEAK, None)

    def run(self, workloads, count=2, sweep=False):
        setting = Setting(
            device=CPU, environment=ENVIRONMENT, load_before=0.5, rounds=count,
            folder=self.folder, sweep=sweep, say=self.said.append,
        )  # fmt: skip
        return run(workloads, setting)

    def outcomes(self, workloads, **options):
        """Batch size and number of rounds of each workload; None: it failed in the first."""
        records, _ = self.run(workloads, **options)
        return [
            (each.workload.batch_size, len(each.rounds) if each.status == "completed" else None)
            for each in records
        ]


@pytest.fixture
def stage(monkeypatch, tmp_path):
    return Stage(monkeypatch, tmp_path / "speed")


TWO = default_matrix("cpu", ["float32"], models=["resnet18", "resnet34"], batch_size=32)[:2]


def test_rounds_go_over_all_workloads_before_they_repeat_one(stage):
    records, limits = stage.run(TWO, count=3)
    one_round = ["resnet18 training 32", "resnet34 training 32"]
    first = ["resnet18 training 32", "memory resnet18", "resnet34 training 32", "memory resnet34"]
    assert stage.events == ["limits", *first, "limits", *one_round, "limits", *one_round]
    for record in records:
        assert (record.status, record.reason) == ("completed", None)
        assert record.rounds == ((0.32, 0.32),) * 3
        assert record.warmup == ((0.64,),) * 3
        assert (record.split, record.peak_memory) == (make_split(), PEAK)
        assert record.conditions.load_before == 0.5
        assert record.parameters > 10**7
    assert limits.environment == ENVIRONMENT


def test_what_is_stored_is_what_is_returned(stage):
    records, limits = stage.run(TWO)
    loaded, loaded_limits, problems = load_speed(stage.folder)
    assert (loaded_limits, problems) == (limits, [])
    finished_at = {"finished_at": START}
    assert [record.model_copy(update=finished_at) for record in loaded] == [
        record.model_copy(update=finished_at) for record in records
    ]
    assert stage.said[0] == f"round 1 of 2: {TWO[0].id}: 100.0 images/s"


@pytest.mark.parametrize(("stop_at", "kept"), [(2, [1]), (4, [2, 1])])
def test_a_stop_keeps_every_round_that_had_ended(stage, stop_at, kept):
    calls = iter(range(1, 100))
    stage.seconds = lambda _: KeyboardInterrupt() if next(calls) == stop_at else 0.1
    with pytest.raises(KeyboardInterrupt):
        stage.run(TWO, count=3)
    records, _, problems = load_speed(stage.folder)
    assert problems == []
    assert [len(record.rounds) for record in records] == kept


def test_a_failure_is_a_record_and_the_others_go_on(stage):
    stage.seconds = lambda w: ValueError("no kernel\nmore") if w.depth == 18 else 0.1
    failed, completed = stage.run(TWO)[0]
    assert (failed.status, failed.reason) == ("failed", "ValueError: no kernel")
    assert (failed.rounds, failed.peak_memory) == ((), None)
    assert not ran_out(failed)
    assert len(completed.rounds) == 2
    assert stage.events.count("resnet18 training 32") == 1
    assert "failed: ValueError: no kernel" in stage.said[0]


def test_a_failure_in_a_later_round_keeps_the_earlier_ones(stage):
    outcomes = iter([0.1, 0.1, ValueError("late"), 0.1])
    stage.seconds = lambda _: next(outcomes)
    failed, completed = stage.run(TWO)[0]
    assert (failed.status, failed.rounds) == ("failed", ((0.1, 0.1),))
    assert len(completed.rounds) == 2


def test_out_of_memory_halves_the_batch_as_a_workload_of_its_own(stage):
    stage.seconds = lambda w: OUT_OF_MEMORY if w.batch_size > 8 else 0.1
    assert stage.outcomes(TWO[:1]) == [(32, None), (16, None), (8, 2)]
    stored = {record.workload.batch_size: record for record in load_speed(stage.folder)[0]}
    assert set(stored) == {32, 16, 8}
    assert stored[32].reason.startswith("out of memory: DefaultCPUAllocator")
    assert ran_out(stored[32])
    stage.seconds = lambda _: OUT_OF_MEMORY  # down to the smallest batch
    assert [size for size, _ in stage.outcomes(TWO[:1])] == [32, 16, 8, 4, 2]


def test_a_step_that_cannot_be_captured_is_measured_without(stage):
    workload = make_workload(cuda_graph=True)
    stage.seconds = lambda w: RuntimeError("capture failed") if w.cuda_graph else 0.1
    failed, completed = stage.run([workload])[0]
    assert (failed.workload.cuda_graph, failed.status) == (True, "failed")
    assert (completed.workload.cuda_graph, completed.status) == (False, "completed")


def test_a_sweep_doubles_until_nothing_is_gained_and_then_repeats_all_points(stage):
    # images/s: 10, 20, 40, 41 (a gain of 2.5 %)
    seconds = {2: 0.2, 4: 0.2, 8: 0.2, 16: 16 / 41}
    stage.seconds = lambda w: seconds[w.batch_size]
    start = [make_workload(batch_size=2)]
    assert stage.outcomes(start, sweep=True) == [(2, 2), (4, 2), (8, 2), (16, 2)]
    stage.seconds = lambda w: OUT_OF_MEMORY if w.batch_size > 4 else 0.1
    assert stage.outcomes(start, sweep=True) == [(2, 2), (4, 2), (8, None)]


def test_memory_that_was_not_measured_is_a_warning(stage):
    stage.memory_problem = "peak memory was not measured: it took more than 300 s"
    (record,) = stage.run(TWO[:1])[0]
    assert record.peak_memory is None
    assert record.status == "completed"
    assert stage.memory_problem in record.conditions.warnings


def test_a_batch_that_cannot_fit_is_halved_before_the_system_ends_the_process(stage):
    """One training image of 2048 pixels takes 0.77 GiB at least, the machine has 8."""
    failed, completed = stage.run([make_workload(batch_size=16, resolution=2048)])[0]
    assert (failed.status, completed.status, completed.workload.batch_size) == (
        "failed", "completed", 8,
    )  # fmt: skip
    expected = r"out of memory: at least \d+\.\d\d GiB are needed, and the device has 8\.00 GiB"
    assert re.fullmatch(expected, failed.reason)
    assert "resnet18 training 16" not in stage.events


@pytest.mark.parametrize(
    ("changes", "device", "memory_bytes", "words"),
    [
        (
            {"resolution": 2048},
            "cpu",
            2**29,
            "--resolution 2048: resnet18 training in a batch of 1",
        ),
        ({"resolution": 2048}, "cpu", 2**30, None),
        ({"resolution": 2048}, "cpu", None, None),
        ({"precision": "float16"}, "cpu", None, "--precision float16: CPUs emulate it"),
        ({"precision": "float16"}, "cuda", None, None),
        ({"precision": "bfloat16"}, "cpu", None, None),
        ({"compiled": True}, "cpu", None, r"--compile on: there is no compiler \(g\+\+\)"),
    ],
)
def test_what_a_device_cannot_do_is_refused(changes, device, memory_bytes, words, monkeypatch):
    monkeypatch.setattr(
        "bench.speed.rounds.compile_problem", lambda _: "there is no compiler (g++)"
    )
    refused = pytest.raises(UsageError, match=words) if words else nullcontext()
    with refused:
        refuse_impossible(make_workload(**changes), torch.device(device), memory_bytes)
