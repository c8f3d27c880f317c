"""Round after round: the order, what is stored when, and what failures lead to."""

import re

import pytest
import torch

from bench.errors import UsageError
from bench.records.schema import PeakMemory
from bench.records.store import load_speed
from bench.speed import guard, rounds
from bench.speed.measure import Round
from bench.speed.rounds import Setting, ran_out, refuse_impossible, run
from bench.speed.workloads import default_matrix
from tests.support.factories import ENVIRONMENT
from tests.support.speeds import make_split, make_workload

pytestmark = pytest.mark.heavy

CPU = torch.device("cpu")
PEAK = PeakMemory(size_bytes=2**29, source="child process")
OUT_OF_MEMORY = RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 GB")


class Stage:
    """Stands in for everything that takes time. ``outcomes`` are by (model, batch, direction)."""

    def __init__(self, monkeypatch, folder):
        self.events, self.said, self.folder = [], [], folder
        self.seconds = lambda workload: 0.01 * workload.batch_size
        self.memory_problem = None
        monkeypatch.setattr(rounds.measure, "measure_round", self.measure_round)
        monkeypatch.setattr(rounds.memory, "peak_memory", self.peak_memory)
        monkeypatch.setattr(rounds.LimitSamples, "add_round", self.add_limits)
        monkeypatch.setattr(guard, "cpu_time", lambda _: None)
        monkeypatch.setattr(rounds.gc, "collect", lambda: 0)  # half a second each, in a large heap

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

    def add_limits(self):
        self.events.append("limits")

    def run(self, workloads, count=2, sweep=False):
        setting = Setting(
            device=CPU,
            environment=ENVIRONMENT,
            load_before=0.5,
            rounds=count,
            folder=self.folder,
            sweep=sweep,
            say=self.said.append,
        )
        return run(workloads, setting)


@pytest.fixture
def stage(monkeypatch, tmp_path):
    return Stage(monkeypatch, tmp_path / "speed")


def two(**changes):
    return default_matrix(
        "cpu", ["float32"], models=["resnet18", "resnet34"], batch_size=32, **changes
    )[:2]


def test_rounds_go_over_all_workloads_before_they_repeat_one(stage):
    records, limits = stage.run(two(), count=3)
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
    records, limits = stage.run(two())
    loaded, loaded_limits, problems = load_speed(stage.folder)
    assert problems == []
    assert loaded_limits == limits
    for record, stored in zip(records, loaded, strict=True):
        assert stored.model_dump(exclude={"finished_at"}) == record.model_dump(
            exclude={"finished_at"}
        )


def test_progress_tells_round_workload_and_rate(stage):
    stage.run(two(), count=1)
    assert stage.said[0] == f"round 1 of 1: {two()[0].id}: 100.0 images/s"


@pytest.mark.parametrize(("stop_at", "kept"), [(2, [1]), (4, [2, 1])])
def test_a_stop_keeps_every_round_that_had_ended(stage, stop_at, kept):
    calls = iter(range(1, 100))
    stage.seconds = lambda _: KeyboardInterrupt() if next(calls) == stop_at else 0.1
    with pytest.raises(KeyboardInterrupt):
        stage.run(two(), count=3)
    records, _, problems = load_speed(stage.folder)
    assert problems == []
    assert [len(record.rounds) for record in records] == kept


def test_a_failure_is_a_record_and_the_others_go_on(stage):
    stage.seconds = lambda w: ValueError("no kernel\nmore") if w.depth == 18 else 0.1
    failed, completed = stage.run(two())[0]
    assert (failed.status, failed.reason) == ("failed", "ValueError: no kernel")
    assert (failed.rounds, failed.peak_memory) == ((), None)
    assert not ran_out(failed)
    assert len(completed.rounds) == 2
    assert stage.events.count("resnet18 training 32") == 1
    assert "failed: ValueError: no kernel" in stage.said[0]


def test_a_failure_in_a_later_round_keeps_the_earlier_ones(stage):
    outcomes = iter([0.1, 0.1, ValueError("late"), 0.1])
    stage.seconds = lambda _: next(outcomes)
    failed, completed = stage.run(two())[0]
    assert (failed.status, failed.rounds) == ("failed", ((0.1, 0.1),))
    assert len(completed.rounds) == 2


def test_out_of_memory_halves_the_batch_as_a_workload_of_its_own(stage):
    stage.seconds = lambda w: OUT_OF_MEMORY if w.batch_size > 8 else 0.1
    records, _ = stage.run(two()[:1])
    assert [(r.workload.batch_size, r.status) for r in records] == [
        (32, "failed"), (16, "failed"), (8, "completed"),
    ]  # fmt: skip
    assert records[0].reason.startswith("out of memory: DefaultCPUAllocator")
    assert ran_out(records[0])
    assert len(records[2].rounds) == 2
    assert len(load_speed(stage.folder)[0]) == 3


def test_halving_ends_at_the_smallest_batch(stage):
    stage.seconds = lambda _: OUT_OF_MEMORY
    records, _ = stage.run(two()[:1])
    assert [record.workload.batch_size for record in records] == [32, 16, 8, 4, 2]


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
    (workload,) = default_matrix(
        "cpu", ["float32"], models=["resnet18"], directions=["training"], batch_size=2
    )
    records, _ = stage.run([workload], sweep=True)
    assert [record.workload.batch_size for record in records] == [2, 4, 8, 16]
    assert all(len(record.rounds) == 2 for record in records)


def test_a_sweep_ends_where_memory_does(stage):
    stage.seconds = lambda w: OUT_OF_MEMORY if w.batch_size > 4 else 0.1
    records, _ = stage.run([make_workload(batch_size=2)], sweep=True)
    assert [(r.workload.batch_size, r.status) for r in records] == [
        (2, "completed"), (4, "completed"), (8, "failed"),
    ]  # fmt: skip


def test_memory_that_was_not_measured_is_a_warning(stage):
    stage.memory_problem = "peak memory was not measured: it took more than 300 s"
    (record,) = stage.run(two()[:1])[0]
    assert record.peak_memory is None
    assert record.status == "completed"
    assert stage.memory_problem in record.conditions.warnings


def test_a_batch_that_cannot_fit_is_halved_before_the_system_ends_the_process(stage):
    """One training image of 2048 pixels takes 0.77 GiB at least, the machine has 8."""
    records, _ = stage.run([make_workload(batch_size=16, resolution=2048)])
    assert [(r.workload.batch_size, r.status) for r in records] == [
        (16, "failed"), (8, "completed"),
    ]  # fmt: skip
    expected = r"out of memory: at least \d+\.\d\d GiB are needed, and the device has 8\.00 GiB"
    assert re.fullmatch(expected, records[0].reason)
    assert "resnet18 training 16" not in stage.events


def test_images_of_which_not_even_the_least_batch_fits_are_refused():
    workload = make_workload(batch_size=32, resolution=2048)
    with pytest.raises(UsageError, match="--resolution 2048: resnet18 training in a batch of 1: "):
        refuse_impossible(workload, CPU, 2**29)
    refuse_impossible(workload, CPU, 2**30)
    refuse_impossible(workload, CPU, None)


def test_float16_on_a_cpu_is_refused():
    workload = make_workload(precision="float16")
    with pytest.raises(UsageError, match="--precision float16: CPUs emulate it"):
        refuse_impossible(workload, CPU, None)
    refuse_impossible(workload, torch.device("cuda"), None)
    refuse_impossible(make_workload(precision="bfloat16"), CPU, None)


def test_compiling_without_a_compiler_is_refused(monkeypatch):
    monkeypatch.setattr(rounds, "compile_problem", lambda _: "there is no compiler (g++)")
    with pytest.raises(UsageError, match=r"--compile on: there is no compiler \(g\+\+\)"):
        refuse_impossible(make_workload(compiled=True), CPU, None)
