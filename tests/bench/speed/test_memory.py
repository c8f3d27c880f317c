"""Peak memory in a process of its own; whatever happens to it is a sentence."""

import subprocess
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from bench.speed import memory
from bench.speed.memory import in_a_child, in_this_process
from tests.support.speeds import make_workload

pytestmark = pytest.mark.heavy

SMALL = make_workload(model="cifar_resnet20", stem="cifar", shortcut="A", batch_size=2)


def test_the_peak_is_that_of_the_child_and_not_of_this_process(tmp_path, monkeypatch):
    """The child finds the package from any folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    block = np.ones(2**30, np.uint8)
    peak, problem = in_a_child(SMALL)
    assert problem is None
    assert peak.source == "child process"
    assert 2**26 < peak.size_bytes < len(block)


def test_the_peak_is_that_of_the_repetitions(monkeypatch):
    peaks = []
    for size in (1, 300 * 2**20):
        monkeypatch.setattr(memory, "prepare", lambda *_, n=size: lambda: np.ones(n, np.uint8))
        peaks.append(in_this_process(SMALL, torch.device("cpu")))
    if peaks[0].source == "process since cell start":  # elsewhere a peak never falls
        assert peaks[1].size_bytes > peaks[0].size_bytes + 250 * 2**20


@pytest.mark.slow
def test_a_large_batch_takes_more_memory_than_a_small_one():
    small, large = (in_a_child(SMALL.model_copy(update={"batch_size": n}))[0] for n in (2, 256))
    # The activations of 20 layers alone take some 400 MB.
    assert large.size_bytes > small.size_bytes + 200 * 2**20


@pytest.mark.parametrize(
    ("child", "words"), [("bench.no_such_module", "No module named"), ("this", "Invalid JSON")]
)
def test_a_child_that_says_something_else_has_no_peak(monkeypatch, child, words):
    monkeypatch.setattr(memory, "CHILD", child)
    peak, problem = in_a_child(SMALL)
    assert peak is None
    assert problem.startswith("peak memory was not measured: ")
    assert words in problem or "validation error" in problem


def test_a_child_that_is_killed_has_no_peak(monkeypatch):
    killed = subprocess.CalledProcessError(-9, "child", stderr="")
    monkeypatch.setattr(subprocess, "run", Mock(side_effect=killed))
    assert in_a_child(SMALL) == (
        None,
        "peak memory was not measured: it ended with -9, for want of memory perhaps",
    )


def test_a_child_that_takes_too_long_is_ended():
    expected = "peak memory was not measured: it took more than 0.05 s"
    assert in_a_child(SMALL, seconds=0.05) == (None, expected)
