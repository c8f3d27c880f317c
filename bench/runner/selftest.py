"""Checks of the engine on this machine, without any data set: each says what it saw.

A check takes a device and returns a line for people, or raises: ``CheckError`` where the engine
does not do what it should, anything else where it cannot do it at all.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import torch

from bench.config import recipes
from bench.records.schema import Precision, Stored
from bench.runner import trial
from bench.runner.trial import BATCH_SIZE, differences, do, exact_engine, gap_between, losses
from bench.training.engine import EngineOptions, applied, choose_engine
from bench.training.graphs import CALLS_BEFORE_CAPTURE
from bench.training.trainer import Trainer

# cuBLAS gives the same sums every time only with a workspace of fixed size, and torch looks at this
# once, at the first product: too late for the deterministic checks if another one ran before.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

# Relative differences of a step's loss. bfloat16 keeps 8 bits, float16 11: rounding is 0.4 % and
# 0.05 % of a number, and eight steps add to it.
PRECISION_TOLERANCE: Final[dict[Precision, float]] = {"bfloat16": 0.05, "float16": 0.02}
# Sums in another order round differently, and TF32 keeps 11 bits.
DEVICE_TOLERANCE: Final = 0.02
GRAPH_TOLERANCE: Final = 0.02
# Of the largest gradient. Sums over all pixels of a batch round to some 1e-5 of it; a wrong share
# of one micro-batch would be some 1e-1.
ACCUMULATION_TOLERANCE: Final = 1e-3

STOP_AFTER: Final = 11  # of 16 steps, in the middle of an epoch
MEMORY_STEPS: Final = 40
SEEDS: Final = (0, 0, 1)

Check = Callable[[torch.device], str]
Status = Literal["passed", "failed", "skipped"]


class CheckError(Exception):
    """The engine does not do what it should."""


class CheckResult(Stored):
    name: str
    status: Status
    detail: str
    seconds: float


def run_checks(device: torch.device) -> Iterator[CheckResult]:
    """Every check, those for GPUs only with one; no failure keeps another from being run."""
    for name, check in (CHECKS | CUDA_CHECKS).items():
        start = time.perf_counter()
        status: Status = "passed"
        try:
            if name in CUDA_CHECKS and device.type != "cuda":
                status, detail = "skipped", "needs a GPU"
            else:
                detail = check(device)
        except CheckError as error:
            status, detail = "failed", str(error)
        except Exception as error:  # whatever it is, the other checks still say something
            status, detail = "failed", f"{type(error).__name__}: {error}"
        seconds = time.perf_counter() - start
        yield CheckResult(name=name, status=status, detail=detail, seconds=seconds)


class Selftest(Stored):
    """What came of ``--selftest``: checks, and networks trained and tried in several ways."""

    checks: tuple[CheckResult, ...]
    speeds: tuple[trial.Row, ...]

    @property
    def failures(self) -> int:
        failed = [check for check in self.checks if check.status == "failed"]
        return len(failed) + len([row for row in self.speeds if row.problem])


def learns(device: torch.device) -> str:
    """The engine as a run would choose it fits the synthetic images and finds it in new ones."""
    engine = choose_engine(device, EngineOptions(), BATCH_SIZE)
    changes = {"batch_size": BATCH_SIZE, "epochs": 6, "images_per_epoch": None}
    recipe = recipes.smoke("mnist").model_copy(update=changes | {"test_images": None})
    _, (first, *_, last) = trial.train(device, engine, recipe=recipe)
    seen = (
        f"loss {first.train_loss:.2f} → {last.train_loss:.2f}, {last.test_accuracy:.0%} of the "
        f"test images right ({engine.precision})"
    )
    if not (last.train_loss < 0.5 * first.train_loss and last.test_accuracy > 0.8):
        raise CheckError(f"{seen}; below half the loss and above 80 % were to be reached")
    return seen


def repeats(device: torch.device) -> str:
    """The same seed gives the same bits, another seed others: with either stem and its layers."""
    engine = exact_engine(device)
    for model in ("cifar_resnet20", "resnet18"):
        first, again, other = (
            trial.train(device, engine, model=model, seed=seed)[0] for seed in SEEDS
        )
        if different := differences(first, again):
            raise CheckError(f"two runs of {model} with the same seed differ in {_few(different)}")
        if not differences(first, other):
            raise CheckError(f"two runs of {model} with different seeds are the same")
    return "two runs of a seed are the same bit for bit"


def resumes(device: torch.device) -> str:
    engine = exact_engine(device)
    whole, _ = trial.train(device, engine)
    with tempfile.TemporaryDirectory() as folder:
        with suppress(KeyboardInterrupt):
            trial.train(device, engine, folder=Path(folder), stop_after=STOP_AFTER)
            raise CheckError("it did not stop")
        resumed, _ = trial.train(device, engine, folder=Path(folder))
    if different := differences(whole, resumed):
        raise CheckError(f"the resumed run differs in {_few(different)}")
    return f"stopped after step {STOP_AFTER} of 16 and resumed: the same bit for bit"


def mixed_precision(device: torch.device) -> str:
    exact = losses(device, exact_engine(device))
    seen = []
    for precision, tolerance in PRECISION_TOLERANCE.items():
        if precision == "float16" and device.type != "cuda":
            continue
        gap = gap_between(losses(device, exact_engine(device, precision=precision)), exact)
        seen.append(f"{precision} within {gap:.2%} (at most {tolerance:.0%})")
        if not 0 < gap <= tolerance:
            raise CheckError(f"{seen[-1]} of the losses in float32")
    return f"{', '.join(seen)} of the losses in float32"


def accumulation(device: torch.device) -> str:
    """Gradients of micro-batches add up to that of the batch.

    In a network without BatchNorm: with it, every micro-batch is normalised by itself, so that the
    gradients differ by design.
    """
    batch_size = BATCH_SIZE - 2  # does not divide: 4, 4, 4 and 2
    whole, parts = (
        trial.gradient(
            device, exact_engine(device, micro_batch_size=size, cuda_graph=False), batch_size
        )
        for size in (batch_size, 4)
    )
    gap = float((whole - parts).abs().max() / whole.abs().max())
    if not gap <= ACCUMULATION_TOLERANCE:
        raise CheckError(f"the gradients differ by {gap:.2g} of the largest")
    return (
        f"the gradients of four micro-batches and of the batch differ by {gap:.1g} of the largest"
    )


def graph_equals_eager(device: torch.device) -> str:
    seen = []
    for deterministic in (True, False):
        captured, eager = (
            losses(device, exact_engine(device, cuda_graph=graph, deterministic=deterministic))
            for graph in (True, False)
        )
        gap = gap_between(captured, eager)
        seen.append(f"{gap:.2g} {'with' if deterministic else 'without'} --deterministic")
        if not gap <= (0 if deterministic else GRAPH_TOLERANCE):
            raise CheckError(f"the losses of captured and eager steps differ by {seen[-1]}")
    return f"the losses of captured and eager steps differ by {' and '.join(seen)}"


def _few(names: list[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]


def _captured_and_not(device: torch.device) -> Iterator[tuple[bool, Iterator[Trainer]]]:
    """Whether steps are captured, and such steps once libraries are loaded and that is done."""
    for graph in (True, False):
        engine = exact_engine(device, cuda_graph=graph)
        with applied(engine):
            steps = trial.make_steps(device, engine)
            do(steps, CALLS_BEFORE_CAPTURE + 1)
            yield graph, steps


def no_waiting(device: torch.device) -> str:
    """In the first epoch, of eight steps: if the CPU waits, the GPU waits for the CPU next."""
    for _, steps in _captured_and_not(device):
        before = torch.cuda.get_sync_debug_mode()
        torch.cuda.set_sync_debug_mode("error")
        try:
            do(steps, 4)
        finally:
            torch.cuda.set_sync_debug_mode(before)
    return "eight steps, captured and not, and no wait"


def constant_memory(device: torch.device) -> str:
    for graph, steps in _captured_and_not(device):
        do(steps, 2)
        before = torch.cuda.memory_allocated(device)
        do(steps, MEMORY_STEPS)
        growth = torch.cuda.memory_allocated(device) - before
        if growth > 0:
            raise CheckError(
                f"{MEMORY_STEPS} steps leave {growth:,} bytes behind (cuda_graph={graph})"
            )
    return f"{MEMORY_STEPS} steps leave nothing behind"


def follows_cpu(device: torch.device) -> str:
    cpu = torch.device("cpu")
    gap = gap_between(losses(device, exact_engine(device)), losses(cpu, exact_engine(cpu)))
    if not gap <= DEVICE_TOLERANCE:
        raise CheckError(f"the losses differ from the CPU's by {gap:.2%}")
    return f"the losses are those of the CPU within {gap:.2%} (at most {DEVICE_TOLERANCE:.0%})"


CHECKS: Final[dict[str, Check]] = {
    "training learns": learns,
    "same seed, same weights": repeats,
    "resumed equals uninterrupted": resumes,
    "mixed precision follows float32": mixed_precision,
    "micro-batches equal the batch": accumulation,
}
CUDA_CHECKS: Final[dict[str, Check]] = {
    "CUDA graph equals eager steps": graph_equals_eager,
    "no wait within an epoch": no_waiting,
    "memory does not grow": constant_memory,
    "CUDA follows the CPU": follows_cpu,
}
