"""``bench speed --trace``: five steps of one workload, in the format of Chrome."""

import json

import pytest

from bench.speed import trace
from tests.support.tools import assert_refused, bench

pytestmark = pytest.mark.heavy

ONE = ["--models", "cifar_resnet20", "--batch-size", "2", "--precision", "float32"]


@pytest.mark.parametrize(
    ("direction", "operation"),
    [("training", "aten::convolution_backward"), ("inference", "aten::convolution")],
)
def test_five_steps_with_their_operations(tmp_path, direction, operation):
    path = tmp_path / "traces" / "one.json"
    words = [*ONE, "--direction", direction, "--device", "cpu", "--out", tmp_path / "out"]
    done = bench("speed", *words, "--trace", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "5 steps of cifar_resnet20-paper-cifar-3x32-10classes-" in done.stdout
    events = [each for each in json.loads(path.read_text())["traceEvents"] if "dur" in each]
    steps = [each for each in events if each["name"].startswith("step ")]
    assert [each["name"] for each in steps] == [f"step {number}" for number in range(1, 6)]
    convolutions = [each for each in events if each["name"] == operation]
    assert len(convolutions) % trace.STEPS == 0
    assert convolutions
    first, last = steps[0]["ts"], steps[-1]["ts"] + steps[-1]["dur"]
    assert all(first <= each["ts"] <= last for each in convolutions)
    assert not (tmp_path / "out").exists()  # nothing was timed


def test_a_trace_is_of_one_workload_and_needs_a_file(tmp_path):
    done = bench("speed", *ONE, "--device", "cpu", "--trace", tmp_path / "one.json")
    assert_refused(done, 2, "--trace is of one workload, and 2 are chosen: leave one by --models")
    assert not (tmp_path / "one.json").exists()
    done = bench("speed", *ONE, "--direction", "training", "--trace", tmp_path)
    assert_refused(done, 2, "--trace .*: no file can be written there")
