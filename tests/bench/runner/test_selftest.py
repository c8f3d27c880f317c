"""Every check passes here, and fails where the engine is made to be wrong."""

import functools

import pytest
import torch
import torch.nn.functional as F

from bench.runner import selftest, trial
from bench.runner.selftest import (
    CHECKS,
    CUDA_CHECKS,
    CheckError,
    run_checks,
)
from bench.runner.trial import (
    differences,
    do,
    engines,
    exact_engine,
    gap_between,
    make_steps,
    make_trainer,
    measure_speeds,
)
from bench.speed import limits
from bench.training.engine import applied
from bench.training.trainer import Metrics, Trainer
from tests.bench.training.test_loop import CUDA

pytestmark = pytest.mark.heavy

CPU = torch.device("cpu")


@pytest.fixture
def small(monkeypatch):
    """Four steps of training instead of 16, and losses of three instead of eight."""
    whole = trial.synthetic_dataset
    monkeypatch.setattr(trial, "synthetic_dataset", lambda: whole(train=32, test=16))
    monkeypatch.setattr(selftest, "STOP_AFTER", 3)
    monkeypatch.setattr(selftest, "losses", functools.partial(trial.losses, steps=3))


@pytest.mark.parametrize("name", sorted(set(CHECKS) - {"training learns"}))
def test_check(name, small):
    assert CHECKS[name](CPU)


def test_training_learns():
    assert selftest.learns(CPU)


@pytest.mark.parametrize("device", [pytest.param("cpu", marks=pytest.mark.slow), CUDA])
@pytest.mark.parametrize("name", CHECKS)
def test_check_as_the_doctor_does_it(name, device):
    assert CHECKS[name](torch.device(device))


@pytest.mark.parametrize("device", [CUDA])
@pytest.mark.parametrize("name", CUDA_CHECKS)
def test_check_of_a_gpu(name, device):
    assert CUDA_CHECKS[name](torch.device(device))


def test_what_does_not_learn_fails(small, monkeypatch):
    step = Trainer.step

    def step_without_update(trainer, *rest):
        trainer.frozen = True
        step(trainer, *rest)

    monkeypatch.setattr(Trainer, "step", step_without_update)
    with pytest.raises(CheckError, match=r"loss .* were to be reached"):
        selftest.learns(CPU)


def test_runs_that_do_not_repeat_fail(small, monkeypatch):
    monkeypatch.setattr(torch, "manual_seed", lambda _: torch.seed())
    with pytest.raises(CheckError, match=r"cifar_resnet20 with the same seed differ in .* and \d+"):
        selftest.repeats(CPU)


def test_runs_that_ignore_the_seed_fail(small, monkeypatch):
    monkeypatch.setattr(selftest, "SEEDS", (0, 0, 0))
    with pytest.raises(CheckError, match="different seeds are the same"):
        selftest.repeats(CPU)


@pytest.mark.parametrize("forgotten", ["model", "optimizer", "metrics"])
def test_a_resume_that_forgets_something_fails(forgotten, small, monkeypatch):
    load = Trainer.load_state_dict

    def load_the_rest(trainer, state):
        load(trainer, {**state, forgotten: trainer.state_dict()[forgotten]})

    monkeypatch.setattr(Trainer, "load_state_dict", load_the_rest)
    with pytest.raises(CheckError, match="the resumed run differs in"):
        selftest.resumes(CPU)


def test_a_run_that_cannot_be_stopped_fails(small, monkeypatch):
    class Deaf(trial.StopRequest):
        wanted = property(lambda _: False, lambda _, __: None)

    monkeypatch.setattr(trial, "StopRequest", Deaf)
    with pytest.raises(CheckError, match="it did not stop"):
        selftest.resumes(CPU)


@pytest.mark.parametrize("error", [0.0, 0.5])
def test_a_lower_precision_that_is_not_one_or_is_wrong_fails(error, monkeypatch):
    """No difference at all means that the precision was never lowered."""
    losses = {"float32": [2.0, 1.0], "bfloat16": [2.0, 1.0 + error]}
    monkeypatch.setattr(selftest, "losses", lambda _, engine: losses[engine.precision])
    with pytest.raises(CheckError, match="of the losses in float32"):
        selftest.mixed_precision(CPU)


def test_gradients_that_do_not_add_up_fail(monkeypatch):
    """Sums, weighted as if they were means."""
    wrong = functools.partial(F.cross_entropy, reduction="sum")
    monkeypatch.setattr("bench.training.trainer.F.cross_entropy", wrong)
    with pytest.raises(CheckError, match="the gradients differ by"):
        selftest.accumulation(CPU)


def test_losses_of_steps_fall():
    found = trial.losses(CPU, exact_engine(CPU), steps=3)
    assert len(set(found)) == 3
    assert all(1 < loss < 5 for loss in found)


def test_gap_is_the_largest_relative_difference():
    assert gap_between([1.0, 3.0], [1.0, 2.0]) == 0.5
    assert gap_between([1.0, 1.0], [1.0, 2.0]) == 0.5
    assert gap_between([float("nan"), 1.0], [1.0, 1.0]) == float("inf")
    assert gap_between([1.0], [float("nan")]) == float("inf")


def test_differences_are_named():
    engine = exact_engine(CPU)
    with applied(engine):
        torch.manual_seed(0)
        one = make_trainer(CPU, engine)
        torch.manual_seed(0)
        other = make_trainer(CPU, engine)
    assert differences(one, other) == []
    other.model.bn1.running_mean[3] += 1e-7
    assert differences(one, other) == ["model.bn1.running_mean"]


def test_a_crash_is_a_failed_check_and_the_others_go_on(monkeypatch):
    def crash(device):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(selftest, "CHECKS", {"one": crash, "two": lambda _: "fine"})
    seen = []
    results = run_checks(CPU, seen.append)
    assert seen == results
    assert [(result.name, result.status, result.detail) for result in results] == [
        ("one", "failed", "ZeroDivisionError: by zero"),
        ("two", "passed", "fine"),
        *((name, "skipped", "needs a GPU") for name in CUDA_CHECKS),
    ]


# The checks of GPUs, as far as they can be followed without one.


@pytest.mark.parametrize(
    ("deterministic", "plain", "text"),
    [(1e-7, 0.0, "with --deterministic"), (0.0, 0.5, "without --deterministic")],
)
def test_a_graph_that_does_something_else_fails(deterministic, plain, text, monkeypatch):
    def losses(device, engine):
        gap = deterministic if engine.deterministic else plain
        return [1.0 + gap * engine.cuda_graph]

    monkeypatch.setattr(selftest, "losses", losses)
    with pytest.raises(CheckError, match=f"captured and eager steps differ by .* {text}"):
        selftest.graph_equals_eager(CPU)


def test_a_graph_that_does_the_same_passes(monkeypatch):
    monkeypatch.setattr(selftest, "losses", lambda *_: [1.0])
    assert "0 with --deterministic and 0 without" in selftest.graph_equals_eager(CPU)


@pytest.fixture
def eager(monkeypatch):
    """Captured steps are eager ones, for want of a GPU."""
    monkeypatch.setattr(
        selftest, "exact_engine", lambda device, **_: exact_engine(device, cuda_graph=False)
    )


def test_waiting_is_forbidden_only_while_steps_run(eager, monkeypatch):
    modes, noted = ["default"], []
    monkeypatch.setattr(torch.cuda, "get_sync_debug_mode", lambda: modes[-1])
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", modes.append)
    monkeypatch.setattr(Metrics, "end_step", lambda *_: noted.append(modes[-1]))
    assert selftest.no_waiting(CPU)
    assert modes == ["default"] + ["error", "default"] * 2
    assert noted == (["default"] * 4 + ["error"] * 4) * 2


def test_memory_that_grows_fails(eager, monkeypatch):
    monkeypatch.setattr(selftest, "MEMORY_STEPS", 2)
    allocated = iter([1000, 1000, 1000, 1512])
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: next(allocated))
    with pytest.raises(CheckError, match="2 steps leave 512 bytes behind"):
        selftest.constant_memory(CPU)


def test_steps_go_on_without_end(small):
    engine = exact_engine(CPU)
    with applied(engine):
        steps = make_steps(CPU, engine)
        do(steps, 4)  # there are two an epoch
        assert next(steps).metrics.read()[2] == 5 * trial.BATCH_SIZE


def test_losses_that_are_not_those_of_the_cpu_fail(monkeypatch):
    found = iter([[1.0], [1.5]])
    monkeypatch.setattr(selftest, "losses", lambda *_: next(found))
    with pytest.raises(CheckError, match=r"differ from the CPU's by 33.33%"):
        selftest.follows_cpu(CPU)


# The speeds.


@pytest.mark.parametrize("native", [True, False])
def test_engines_of_a_cpu(native, monkeypatch):
    monkeypatch.setattr(limits, "native_bfloat16", lambda _: native)
    found = [(engine.precision, engine.cuda_graph, engine.tf32) for engine in engines(CPU)]
    expected = ["float32", "bfloat16"] if native else ["float32"]
    assert found == [(precision, False, None) for precision in expected]


def test_engines_of_a_gpu_are_captured_and_not(monkeypatch):
    monkeypatch.setattr(limits, "native_bfloat16", lambda _: True)
    found = list(engines(torch.device("cuda")))
    assert [(engine.precision, engine.cuda_graph) for engine in found] == [
        ("float32", True), ("float32", False),
        ("bfloat16", True), ("bfloat16", False),
        ("float16", False),
    ]  # fmt: skip
    assert all(engine.tf32 for engine in found)


def test_rows_hold_raw_samples_and_failures(monkeypatch):
    monkeypatch.setattr(limits, "native_bfloat16", lambda _: False)
    networks = (("cifar_resnet20", "cifar"), ("cifar_resnet20", "imagenet"))
    monkeypatch.setattr(trial, "NETWORKS", networks)
    seen = []
    good, bad = rows = measure_speeds(CPU, seen.append)
    assert seen == rows
    assert good.problem is None
    assert len(good.speed.train_step_seconds) == trial.SPEED_SAMPLES["cpu"]
    assert good.speed.batch_size == trial.SPEED_BATCH_SIZE["cpu"]
    assert bad.speed is None
    assert bad.problem.startswith("ValueError: cifar_resnet20 has the stem 'cifar'")
