"""Peak memory in a process of its own; whatever happens to it is a sentence."""

import os
import subprocess
import sys

import numpy as np
import pytest

from bench.speed import memory
from bench.speed.memory import in_a_child
from tests.support.speeds import make_workload

SMALL = make_workload(model="cifar_resnet20", stem="cifar", shortcut="A", batch_size=2)


def test_the_peak_is_that_of_the_child_and_not_of_this_process():
    block = np.ones(3 * 2**29, np.uint8)
    small, problem = in_a_child(SMALL)
    assert problem is None
    assert small.source == "child process"
    assert 2**26 < small.size_bytes < len(block)
    # 256 images: the activations of 20 layers alone take some 400 MB more.
    large, _ = in_a_child(SMALL.model_copy(update={"batch_size": 256}))
    assert large.size_bytes > small.size_bytes + 200 * 2**20


def test_a_child_that_breaks_has_no_peak(monkeypatch):
    impossible = SMALL.model_copy(update={"model": "resnet18", "shortcut": "B", "batch_size": 1})
    impossible = impossible.model_copy(update={"stem": "imagenet"})  # BatchNorm refuses one pixel
    peak, problem = in_a_child(impossible)
    assert peak is None
    assert problem.startswith("peak memory was not measured: ValueError: Expected more than 1")


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
    def killed(*_, **__):
        raise subprocess.CalledProcessError(-9, "child", stderr="")

    monkeypatch.setattr(memory.subprocess, "run", killed)
    assert in_a_child(SMALL) == (
        None,
        "peak memory was not measured: it ended with -9, for want of memory perhaps",
    )


def test_a_child_that_takes_too_long_is_ended():
    peak, problem = in_a_child(SMALL, seconds=0.05)
    assert peak is None
    assert problem == "peak memory was not measured: it took more than 0.05 s"


def test_the_child_finds_the_package_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    seen = {}

    def look(command, **options):
        seen.update(options["env"])
        raise OSError("enough")

    monkeypatch.setattr(memory.subprocess, "run", look)
    assert in_a_child(SMALL)[1] == "peak memory was not measured: enough"
    code = "import bench.speed.memory_child"
    environment = os.environ | {"PYTHONPATH": seen["PYTHONPATH"]}
    monkeypatch.undo()
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
