"""The benchmarks of tests/speed: what is timed is what the networks have, and how it is told."""

import json
import os
import platform
import subprocess
import sys
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bench.records import blocks as block_times
from bench.records.blocks import PASSES
from bench.training.cost import parameter_count, torch_macs
from tests import conftest
from tests.speed import timing
from tests.speed.cases import BLOCK_CASES, CASES, NETWORK_CASES, blocks, count, networks
from tests.support.tools import ROOT

pytestmark = pytest.mark.heavy

CASE = "plain-inner-8x8"


@cache
def network_of(definition):
    with torch.device("meta"):
        return definition.build()


@pytest.mark.parametrize("case", BLOCK_CASES, ids=lambda case: case.id)
def test_a_block_is_the_one_of_its_network_and_costs_what_is_told(case):
    with torch.device("meta"):
        block = case.build()
    stage = network_of(case.definition).get_submodule(f"layer{case.stage + 1}")
    theirs = stage[0] if case.first else stage[1]
    assert repr(block) == repr(theirs)
    assert parameter_count(block) == count(case, "parameters")
    assert torch_macs(block, case.input_shape) == count(case, "macs")
    out = block(torch.zeros(2, *case.input_shape, device="meta"))
    assert out.shape[1:] == case.layers[-1].output_shape
    assert out.shape[-1] == case.size


def test_every_kind_of_block_is_there_at_every_stage():
    found = {(case.words["stage"], case.words["block"], case.first) for case in BLOCK_CASES}
    for size in (28, 14, 7):
        stage = f"Table 1, conv{ {28: 3, 14: 4, 7: 5}[size] }_x, {size}×{size}"
        for kind in ("basic", "bottleneck", "plain"):
            assert {(stage, kind, True), (stage, kind, False)} <= found
    first_stage = {(kind, first) for stage, kind, first in found if "56×56" in stage}
    # A basic block that opens the first stage changes nothing: it is an inner one.
    assert first_stage == {("basic", False), ("plain", False), ("bottleneck", False),
                           ("bottleneck", True)}  # fmt: skip
    for size in (32, 16, 8):
        assert {(kind, False) for kind in ("basic", "plain")} <= {
            (kind, first) for stage, kind, first in found if stage.endswith(f"{size}×{size}")
        }


def test_a_longer_run_has_all_of_a_shorter_one():
    assert len(CASES) == len(BLOCK_CASES) + len(NETWORK_CASES)  # no id is given twice
    for choose in (blocks, networks):
        assert set(choose("published")) < set(choose("full"))
        assert set(choose("smoke")) < set(choose("full"))
    assert len(blocks("full") + networks("full")) == len(CASES)
    assert {CASES[name].words["shortcut"] for name in blocks("published")} == {
        "A", "B", "identity", "none"
    }  # fmt: skip


def test_the_clock_waits_for_the_device(monkeypatch):
    waited: list[torch.device] = []
    monkeypatch.setattr(timing, "synchronize", waited.append)
    assert timing.clock() <= timing.clock()
    assert waited == [timing.DEVICE] * 2


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_the_clock_waits_for_a_gpu():
    start = timing.clock()
    torch.cuda._sleep(200_000_000)  # clock cycles: 50 ms or more, launched in an instant
    assert timing.clock() - start > 0.05


def test_backward_gives_the_gradient_of_every_parameter_and_of_the_input():
    case = CASES["basic-first-A-8x8"]
    gradients: Any = timing.prepare(case, "forward+backward", 2)()
    *parameters, image = gradients
    assert sum(gradient.numel() for gradient in parameters) == count(case, "parameters")
    assert image.shape == (2, *case.input_shape)
    assert all(gradient.abs().sum() > 0 for gradient in (*parameters, image))


def test_running_statistics_keep_a_deep_network_in_range():
    logits: Any = timing.prepare(CASES["cifar_resnet110"], "forward", 2)()
    assert logits.abs().max() < 1e3


def test_benchmarks_alone_run_and_are_read(tmp_path):
    path = tmp_path / "speed" / "blocks.json"
    options = ["--benchmark-only", f"--benchmark-json={path}", "-k", CASE, "-p", "no:cacheprovider"]
    # In a worker of pytest-xdist there are no benchmarks: the new process is none.
    environment = {name: text for name, text in os.environ.items() if "XDIST" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=ROOT,
        env=environment | {"COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert "skipped" not in done.stdout
    assert f"block[{CASE}-forward+backward]" in done.stdout
    table = done.stdout[done.stdout.index("benchmark 'Table 6") :]
    assert max(map(len, table.splitlines())) <= 120

    times, problems = block_times.find(tmp_path)
    assert times is not None, problems
    assert list(times.frame["direction"]) == list(PASSES) == list(timing.DIRECTIONS)
    assert set(times.frame["macs"]) == {count(CASES[CASE], "macs")}
    assert (times.frame["rounds"] >= 7).all()
    assert times.machine.torch == torch.__version__
    text = path.read_text()
    assert platform.node() not in text
    assert str(ROOT) not in text
    assert set(json.loads(text)["commit_info"]) == {"id"}


def configuration(**options):
    defaults = {"benchmark_only": False, "benchmark_enable": False, "benchmark_disable": False,
                "benchmark_json": None, "speed_full": False}  # fmt: skip
    option = SimpleNamespace(**defaults | options)
    return SimpleNamespace(option=option, getoption=lambda name: getattr(option, name))


@pytest.mark.parametrize(
    ("options", "disabled"),
    [({}, True), ({"benchmark_only": True}, False), ({"benchmark_enable": True}, False)],
)
def test_nothing_is_timed_unless_asked_for(options, disabled):
    config = configuration(**options)
    conftest.pytest_configure(config)
    assert config.option.benchmark_disable is disabled


def test_what_cannot_be_is_refused_before_anything_is_timed(tmp_path):
    with pytest.raises(pytest.UsageError, match="give --benchmark-only with it"):
        conftest.pytest_configure(configuration(speed_full=True))
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "blocks.json"
    with pytest.raises(pytest.UsageError, match=f"--benchmark-json {path}: File exists"):
        conftest.pytest_configure(configuration(benchmark_only=True, benchmark_json=path))


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("tests", False),
        ("tests/speed", False),
        ("tests/speed/test_blocks.py", False),
        ("tests/bench", True),
        ("tests/test_docs.py", True),
    ],
)
def test_with_benchmarks_only_nothing_else_is_collected(path, ignored):
    alone, together = configuration(benchmark_only=True), configuration()
    assert bool(conftest.pytest_ignore_collect(ROOT / path, alone)) is ignored
    assert conftest.pytest_ignore_collect(ROOT / path, together) is None
