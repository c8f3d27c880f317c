"""``--threads``: torch computes with so many, and the records say so."""

import pytest
import torch

from bench.records import store
from bench.speed import cell
from bench.training import environment
from tests.support.pages import without_figures
from tests.support.small import small_dataset
from tests.support.tools import assert_refused, bench

pytestmark = pytest.mark.heavy

OTHER = 1 if torch.get_num_threads() > 1 else 2


@pytest.fixture(autouse=True)
def _restored(monkeypatch):
    """However many CPUs this machine has, it has enough."""
    monkeypatch.setattr(environment, "available_cpus", lambda: 2)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def run(folder, monkeypatch, *words):
    """The record of a cell that breaks where it is timed."""
    monkeypatch.setattr(cell, "measure", lambda *_: 1 / 0)
    monkeypatch.setattr("bench.data.sources.load", lambda name, **_: small_dataset(name))
    named = ["--profile", "smoke", "--models", "resnet18", "--datasets", "mnist"]
    with without_figures():
        bench("run", *named, "--device", "cpu", "--out", folder, *words)
    (record,), _ = store.load_all(folder / "runs")
    return record


def test_run_stores_what_was_set_and_how_to_set_it_again(tmp_path, monkeypatch):
    before = torch.get_num_threads()
    record = run(tmp_path / "asked", monkeypatch, "--threads", OTHER)
    assert torch.get_num_threads() == record.environment.threads == OTHER
    assert f"--device cpu --threads {OTHER} --fresh" in record.command
    torch.set_num_threads(before)
    record = run(tmp_path / "usual", monkeypatch)
    assert record.environment.threads == before
    assert "--threads" not in record.command


def test_speed_stores_it_with_workload_and_limits(tmp_path):
    words = ["--models", "cifar_resnet20", "--direction", "inference", "--batch-size", "1"]
    words += ["--precision", "float32", "--rounds", "1", "--device", "cpu", "--out", tmp_path]
    done = bench("speed", *words, "--threads", OTHER)
    assert done.returncode == 0, done.stderr
    (record,), limits, _ = store.load_speed(tmp_path / "speed")
    for stored in (record, limits):
        assert stored.environment.threads == OTHER
        assert stored.command.endswith(f" --threads {OTHER}")


@pytest.mark.parametrize(
    ("given", "words"),
    [("3", "--threads 3: this process may use 2 CPUs"), ("0", "'--threads'"), ("x", "'--threads'")],
)
@pytest.mark.parametrize("command", ["run", "speed"])
def test_threads_that_do_not_exist_are_refused(command, given, words, tmp_path):
    done = bench(command, "--threads", given, "--device", "cpu", "--out", tmp_path / "out")
    assert_refused(done, 2, words)
    assert not (tmp_path / "out").exists()
