"""What profile quick promises, on the real thing: about a quarter of an hour on two cores."""

import subprocess
import sys

import pytest

from bench.records import store
from tests.support.tools import ROOT

pytestmark = pytest.mark.heavy

LEAST_ACCURACY = {"mnist": 0.96, "cifar10": 0.35}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_network_learns_within_the_memory(tmp_path, cifar10, mnist):
    command = [sys.executable, "-m", "bench", "run", "--profile", "quick", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    records, problems = store.load_all(tmp_path / "runs")
    assert (len(records), problems) == (10, [])
    for record in records:
        assert record.final.test_images == 10_000
        assert record.final.test_accuracy >= LEAST_ACCURACY[record.cell.dataset], record.cell.id
        if record.environment.device == "cpu":
            assert record.peak_memory.size_bytes <= 3e9
