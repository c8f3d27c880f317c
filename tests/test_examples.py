"""The programs in ``examples`` do what they say."""

import runpy
import sys
from pathlib import Path

import pytest

from resnet_models import MODELS
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
    assert found == {"count_a_network.py", "train_by_your_recipe.py", "judge_your_records.py"}


def test_count_a_network(run):
    published = MODELS["cifar_resnet56"].parameters["A", "cifar", 3, 10]
    assert f"option A: {published:,} parameters, 125,485,696 MACs" in run("count_a_network.py")


def test_train_by_your_recipe_then_judge_the_records(run, tmp_path, mnist):
    out = run("train_by_your_recipe.py", tmp_path)
    assert "resnet18: " in out
    assert "my_short_sgd" in (tmp_path / "index.html").read_text()
    assert "'refuted'" not in run("judge_your_records.py", tmp_path)


def test_judge_your_records(run):
    out = run("judge_your_records.py", PUBLISHED)
    assert "reproduced: project2022.accident.costs_accuracy.18.small (p = 0.0" in out
