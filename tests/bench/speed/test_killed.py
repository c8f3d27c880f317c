"""``bench speed`` that is killed while it writes: nothing runs afterwards that could tidy up."""

import signal
import subprocess
import sys

import pytest

from bench.records.store import load_speed
from tests.support.tools import ROOT

pytestmark = pytest.mark.heavy

# The program with little to measure. Its write with the number in argv[1] ends half done.
PROGRAM = """
import os, signal, sys
from bench.cli.app import main
from bench.speed import limits, memory, timing

timing.MOST_WARMUP_SECONDS = timing.SAMPLE_SECONDS = 0.0
limits.PRODUCT_SIZE = {"cpu": 64}
limits.IMAGES = {"cpu": 1}
limits.COPIED_BYTES = {"cpu": 2**20}
memory.in_a_child = lambda _: (None, "not here")
left, fsync = int(sys.argv.pop(1)), os.fsync

def half_written(file):
    global left
    left -= 1
    if not left:
        os.truncate(file, os.fstat(file).st_size // 2)
        os.kill(os.getpid(), signal.SIGKILL)
    fsync(file)

os.fsync = half_written
main()
"""
OPTIONS = ("--models", "cifar_resnet20", "--batch-size", "2", "--device", "cpu",
           "--precision", "float32", "--rounds", "3")  # fmt: skip


# A round writes the limits, then a record of training and one of inference.
@pytest.mark.parametrize(
    ("write", "kept"),
    [
        pytest.param(3, {"training": 1}, marks=pytest.mark.slow),
        (5, {"training": 1, "inference": 1}),
    ],
)
def test_what_is_killed_while_it_writes_leaves_whole_records_alone(tmp_path, write, kept):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(write), "speed", *OPTIONS, "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    records, limits, problems = load_speed(tmp_path / "speed")
    assert problems == []
    assert limits is not None
    assert {record.workload.direction: len(record.rounds) for record in records} == kept
