"""Every check passes here, and fails where the engine is made to be wrong."""

import functools
from unittest.mock import Mock

import pytest
import torch
import torch.nn.functional as F

from bench.errors import BenchError
from bench.runner import selftest, trial
from bench.runner.selftest import CHECKS, CUDA_CHECKS, CheckError, run_checks
from bench.runner.trial import differences, do, engines, exact_engine, gap_between
from bench.speed import limits
from bench.training.engine import applied
from bench.training.stop import StopRequest
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


def without_update(trainer, *rest, step=Trainer.step):
    trainer.frozen = True
    step(trainer, *rest)


def forgetting(part):
    load = Trainer.load_state_dict
    return lambda trainer, state: load(trainer, {**state, part: trainer.state_dict()[part]})


class Deaf(StopRequest):
    wanted = property(lambda _: False, lambda _, __: None)


def by_graph(deterministic, plain):
    """Losses that are off by so much where steps are captured."""
    return lambda _, engine: [
        1.0 + (deterministic if engine.deterministic else plain) * engine.cuda_graph
    ]


def lowered(error):
    return lambda _, engine: [2.0, 1.0 + error * (engine.precision == "bfloat16")]


SUMS = functools.partial(F.cross_entropy, reduction="sum")


@pytest.mark.parametrize(
    ("check", "owner", "name", "wrong", "words"),
    [
        ("learns", Trainer, "step", without_update, r"loss .* were to be reached"),
        ("repeats", torch, "manual_seed", lambda _: torch.seed(), r"20 with the same seed .*\d"),
        ("repeats", selftest, "SEEDS", (0, 0, 0), "different seeds are the same"),
        *(
            ("resumes", Trainer, "load_state_dict", forgetting(part), words)
            for part, words in {
                "model": "the resumed run differs in",
                "optimizer": "the resumed run differs in",
                "metrics": "the resumed run differs in|training diverged",
            }.items()
        ),
        ("resumes", trial, "StopRequest", Deaf, "it did not stop"),
        # No difference at all means that the precision was never lowered.
        ("mixed_precision", selftest, "losses", lowered(0.0), "of the losses in float32"),
        ("mixed_precision", selftest, "losses", lowered(0.5), "of the losses in float32"),
        ("accumulation", F, "cross_entropy", SUMS, "the gradients differ by"),
        # Of a GPU, as far as they can be followed without one.
        ("graph_equals_eager", selftest, "losses", by_graph(1e-7, 0.0), "differ by .* with --det"),
        ("graph_equals_eager", selftest, "losses", by_graph(0.0, 0.5), "by .* without --det"),
    ],
)
def test_a_check_fails_where_the_engine_is_wrong(
    check, owner, name, wrong, words, small, monkeypatch
):
    monkeypatch.setattr(owner, name, wrong)
    with pytest.raises((CheckError, BenchError), match=words):
        getattr(selftest, check)(CPU)


def test_losses_that_are_not_those_of_the_cpu_fail(monkeypatch):
    monkeypatch.setattr(selftest, "losses", Mock(side_effect=[[1.0], [1.5]]))
    with pytest.raises(CheckError, match=r"differ from the CPU's by 33.33%"):
        selftest.follows_cpu(CPU)


def test_a_graph_that_does_the_same_passes(monkeypatch):
    monkeypatch.setattr(selftest, "losses", by_graph(0.0, 0.0))
    assert "0 with --deterministic and 0 without" in selftest.graph_equals_eager(CPU)


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
    one, other = (trial.make_trainer(CPU, exact_engine(CPU)) for _ in range(2))
    assert differences(one, other) == []
    other.model.bn1.running_mean[3] += 1e-7
    assert differences(one, other) == ["model.bn1.running_mean"]


def test_a_crash_is_a_failed_check_and_the_others_go_on(monkeypatch):
    def crash(device):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(selftest, "CHECKS", {"one": crash, "two": lambda _: "fine"})
    assert [(result.name, result.status, result.detail) for result in run_checks(CPU)] == [
        ("one", "failed", "ZeroDivisionError: by zero"),
        ("two", "passed", "fine"),
        *((name, "skipped", "needs a GPU") for name in CUDA_CHECKS),
    ]


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
        steps = trial.make_steps(CPU, engine)
        do(steps, 4)  # there are two an epoch
        assert next(steps).metrics.read()[2] == 5 * trial.BATCH_SIZE


# The speeds.


CPU_ENGINES = [("float32", False, None), ("bfloat16", False, None)]
CUDA_ENGINES = [
    ("float32", True, True), ("float32", False, True),
    ("bfloat16", True, True), ("bfloat16", False, True),
    ("float16", True, True), ("float16", False, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("device", "native", "expected"),
    [("cpu", True, CPU_ENGINES), ("cpu", False, CPU_ENGINES[:1]), ("cuda", True, CUDA_ENGINES)],
)
def test_engines_are_every_way_to_train_that_is_not_emulated(device, native, expected, monkeypatch):
    monkeypatch.setattr(limits, "native_bfloat16", lambda _: native)
    found = engines(torch.device(device))
    assert [(engine.precision, engine.cuda_graph, engine.tf32) for engine in found] == expected


def test_rows_hold_raw_samples_and_failures(monkeypatch):
    monkeypatch.setattr(limits, "native_bfloat16", lambda _: False)
    networks = (("cifar_resnet20", "cifar"), ("cifar_resnet20", "imagenet"))
    monkeypatch.setattr(trial, "NETWORKS", networks)
    good, bad = trial.measure_speeds(CPU)
    assert good.problem is None
    assert len(good.speed.train_step_seconds) == trial.SPEED_SAMPLES["cpu"]
    assert good.speed.batch_size == trial.SPEED_BATCH_SIZE["cpu"]
    assert bad.speed is None
    assert bad.problem.startswith("ValueError: cifar_resnet20 has the stem 'cifar'")
