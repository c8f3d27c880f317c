"""The programs in ``examples`` do what they say."""

import runpy
import sys
from pathlib import Path

import pytest

from bench.records import store
from resnet_models import MODELS
from tests.support.small import small_dataset
from tests.support.tools import ROOT

pytestmark = pytest.mark.heavy
PUBLISHED = ROOT / "reports" / "published" / "project2022-small-cpu-2026-11-24"


@pytest.fixture
def run(monkeypatch, capsys):
    def run_example(name: str, *arguments: Path) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")
        return capsys.readouterr().out

    return run_example


def test_every_example_has_a_test():
    found = {path.name for path in (ROOT / "examples").iterdir() if path.suffix == ".py"}
    assert found == {
        "compare_your_network.py",
        "count_a_network.py",
        "judge_your_records.py",
        "preact_resnet20.py",
        "train_by_your_recipe.py",
    }


def test_count_a_network(run):
    published = MODELS["cifar_resnet56"].parameters["A", "cifar", 3, 10]
    assert f"option A: {published:,} parameters, 125,485,696 MACs" in run("count_a_network.py")


def test_train_by_your_recipe_then_judge_the_records(run, tmp_path, mnist):
    out = run("train_by_your_recipe.py", tmp_path)
    assert "resnet18: " in out
    assert "my_short_sgd" in (tmp_path / "index.html").read_text()
    assert "'refuted'" not in run("judge_your_records.py", tmp_path)


def test_compare_your_network(run, tmp_path, monkeypatch):
    monkeypatch.setattr("bench.data.sources.load", lambda name, **_: small_dataset(name, 400))
    out = run("compare_your_network.py", tmp_path)
    assert "preact_resnet20 " in out
    assert " over 2 seeds in " in out
    assert out.splitlines()[-1] == str(tmp_path / "index.html")
    records, problems = store.load_all(tmp_path / "runs")
    assert (len(records), problems) == (4, [])
    for record in records:
        assert record.status == "completed"
        assert sum(epoch.steps for epoch in record.epochs) == 24
        assert record.cell.depth == 20
        # Of both networks: BatchNorm stands elsewhere, and its weights are as many in sum.
        assert (record.cost.parameters, record.cost.macs) == (269_722, 40_551_040)


def test_a_network_of_ones_own_fits_on_a_screen():
    lines = (ROOT / "examples" / "preact_resnet20.py").read_text().splitlines()
    assert len(lines) <= 40


def test_judge_your_records(run):
    out = run("judge_your_records.py", PUBLISHED)
    # Its seeds had been looked at before the claims about its budget were made.
    assert out == "{'reproduced': 23, 'not run': 89}\n"
