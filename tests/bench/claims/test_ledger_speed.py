"""Ten thousand records are judged in half a minute and two gigabytes, reading them included."""

import json
import os
import subprocess
import sys

import pytest

from bench.config import recipes
from bench.records import store
from tests.support.factories import make_record
from tests.support.tools import ROOT

RECORDS = 10_000
DEPTHS = (20, 32, 44, 56, 110)
MEASURE = """
import resource, sys, time
from pathlib import Path
from bench.claims.ledger import judge_observed, observe_folder
start = time.monotonic()
problems = []
verdicts = judge_observed(observe_folder(Path(sys.argv[1]), problems))
assert not problems, problems[:3]
print(time.monotonic() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
print(sum(len(verdict.records) for verdict in verdicts))
"""


def many_records(folder):
    """Every cell of Table 6 with 2,000 seeds: 64,000 iterations are 164 epochs.

    Seeds share the file of their epochs, which is the same for all of them here.
    """
    for depth in DEPTHS:
        recipe = recipes.paper_cifar(warmup=depth >= 110)
        first = make_record(depth, network="cifar_resnet", recipe=recipe, profile="table6")
        cell_folder = store.save(folder, first)
        content = json.loads((cell_folder / store.RECORD_FILE).read_text())
        for seed in range(1, RECORDS // len(DEPTHS)):
            content["cell"]["seed"] = seed
            other = folder / first.cell.model_copy(update={"seed": seed}).id
            other.mkdir()
            (other / store.RECORD_FILE).write_text(json.dumps(content))
            os.link(cell_folder / store.EPOCHS_FILE, other / store.EPOCHS_FILE)


@pytest.mark.slow
def test_ten_thousand_records(tmp_path):
    many_records(tmp_path)
    assert len(list(tmp_path.glob(f"*/{store.RECORD_FILE}"))) == RECORDS
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)],
        capture_output=True, text=True, cwd=ROOT, timeout=250, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seconds, gibibytes = map(float, done.stdout.split()[:2])
    print(f"\n{RECORDS} records of 164 epochs: {seconds:.1f} s, {gibibytes:.2f} GiB")
    assert int(done.stdout.split()[2]) >= RECORDS
    assert gibibytes <= 2
    assert seconds <= 30
