"""Synthetic speed records and limits, of the machine in ``factories.ENVIRONMENT``."""

from datetime import timedelta
from typing import Any

import pytest

from bench.records.schema import PeakMemory
from bench.records.speed import Conditions, Limits, SpeedRecord, StepSplit, Workload
from bench.speed import limits, memory, timing
from tests.support.factories import ENVIRONMENT, START


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """``bench speed`` with few samples of little work: for what it does, not what it finds."""
    monkeypatch.setattr(timing, "MOST_WARMUP_SECONDS", 0.0)
    monkeypatch.setattr(timing, "SAMPLE_SECONDS", 0.0)
    monkeypatch.setattr(limits, "PRODUCT_SIZE", {"cpu": 64})
    monkeypatch.setattr(limits, "IMAGES", {"cpu": 1})
    monkeypatch.setattr(limits, "COPIED_BYTES", {"cpu": 2**20})
    monkeypatch.setattr(limits.LimitSamples.add_round, "__defaults__", (0.0,))  # seconds
    monkeypatch.setattr(memory, "in_a_child", lambda _: (None, "not here"))


QUIET = Conditions(
    load_before=0.1,
    foreign_cpu_share=0.01,
    cpu_governor="performance",
    gpu_clock_mhz=None,
)


def make_workload(**changes: Any) -> Workload:
    fields: dict[str, Any] = {
        "model": "resnet18",
        "stem": "imagenet",
        "shortcut": "B",
        "direction": "training",
        "batch_size": 32,
        "precision": "float32",
    }
    return Workload(**(fields | changes))


def make_speed_record(workload: Workload | None = None, **changes: Any) -> SpeedRecord:
    fields: dict[str, Any] = {
        "workload": workload or make_workload(),
        "status": "completed",
        "reason": None,
        "command": "python -m bench speed",
        "started_at": START,
        "finished_at": START + timedelta(seconds=9),
        "environment": ENVIRONMENT,
        "conditions": QUIET,
        "parameters": 11_181_642,
        "macs": 37_000_000,
        "warmup": ((0.3,), (0.2,)),
        "rounds": ((0.1, 0.12), (0.11, 0.14)),
        "split": None,
        "peak_memory": PeakMemory(size_bytes=2**30, source="child process"),
        "energy_joules": None,
    }
    return SpeedRecord(**(fields | changes))


def make_split(**changes: Any) -> StepSplit:
    fields: dict[str, Any] = {
        "data": (0.01, 0.02, 0.01),
        "forward": (0.03, 0.03, 0.03),
        "backward": (0.05, 0.05, 0.09),
        "optimizer": (0.01, 0.01, 0.01),
    }
    return StepSplit(**(fields | changes))


def make_limits(**changes: Any) -> Limits:
    """200 GFLOP/s in float32, 400 in bfloat16, 20 GB/s."""
    fields: dict[str, Any] = {
        "command": "python -m bench speed",
        "started_at": START,
        "finished_at": START + timedelta(seconds=9),
        "environment": ENVIRONMENT,
        "conditions": QUIET,
        "product_size": 1000,
        "product_seconds": {"float32": (0.02, 0.01, 0.5), "bfloat16": (0.005, 0.006)},
        "copy_bytes": 10**9,
        "copy_seconds": (0.06, 0.05, 0.2),
    }
    return Limits(**(fields | changes))
