"""Every network with every engine of the device; one that fails keeps no other from it."""

import pytest
import torch

from bench.runner import speed_matrix
from bench.runner.speed_matrix import engines, measure

CPU = torch.device("cpu")


@pytest.mark.parametrize("native", [True, False])
def test_engines_of_a_cpu(native, monkeypatch):
    monkeypatch.setattr(speed_matrix, "native_bfloat16", lambda _: native)
    found = [(engine.precision, engine.cuda_graph, engine.tf32) for engine in engines(CPU)]
    expected = ["float32", "bfloat16"] if native else ["float32"]
    assert found == [(precision, False, None) for precision in expected]


def test_engines_of_a_gpu_are_captured_and_not(monkeypatch):
    monkeypatch.setattr(speed_matrix, "native_bfloat16", lambda _: True)
    found = list(engines(torch.device("cuda")))
    assert [(engine.precision, engine.cuda_graph) for engine in found] == [
        ("float32", True), ("float32", False),
        ("bfloat16", True), ("bfloat16", False),
        ("float16", False),
    ]  # fmt: skip
    assert all(engine.tf32 for engine in found)


def test_rows_hold_raw_samples_and_failures(monkeypatch):
    monkeypatch.setattr(speed_matrix, "native_bfloat16", lambda _: False)
    networks = (("cifar_resnet20", "cifar"), ("cifar_resnet20", "imagenet"))
    monkeypatch.setattr(speed_matrix, "NETWORKS", networks)
    seen = []
    good, bad = rows = measure(CPU, seen.append)
    assert seen == rows
    assert good.problem is None
    assert len(good.speed.train_step_seconds) == speed_matrix.SAMPLES["cpu"]
    assert good.speed.batch_size == speed_matrix.BATCH_SIZE["cpu"]
    assert bad.speed is None
    assert bad.problem.startswith("ValueError: cifar_resnet20 has the stem 'cifar'")
