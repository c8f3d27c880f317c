"""The programs in ``examples`` do what they say."""

import runpy
import sys
from shutil import copy
from types import SimpleNamespace
from typing import cast

import pytest
import torch

from bench.config import recipes
from bench.config.recipe import LinearSchedule
from bench.data.datasets import Dataset, Split
from bench.records import store
from bench.runner.trial import exact_engine, synthetic_dataset
from bench.training.loop import Data, Training
from bench.training.trainer import Trainer
from resnet_models import MODELS, define
from tests.support.small import small_dataset
from tests.support.tools import ROOT

pytestmark = pytest.mark.heavy
PUBLISHED = ROOT / "reports" / "published"


@pytest.fixture
def run(monkeypatch, capsys):
    def run_example(name: str, *arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")
        return capsys.readouterr().out

    return run_example


def test_every_example_has_a_test():
    found = {path.name for path in (ROOT / "examples").iterdir() if path.suffix == ".py"}
    assert found == {
        "choose_recipe.py",
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
    out = run("judge_your_records.py", PUBLISHED / "project2022-small-cpu-2026-11-24")
    # Its seeds had been looked at before the claims about its budget were made.
    assert out == "{'reproduced': 23, 'not run': 111}\n"


@pytest.fixture(scope="module")
def example():
    return SimpleNamespace(**runpy.run_path(str(ROOT / "examples" / "choose_recipe.py")))


class Unreadable:
    def __getattr__(self, name):
        raise AssertionError(f"a test image was looked at ({name})")


TINY = recipes.quick("mnist").model_copy(
    update={"batch_size": 16, "epochs": 2, "images_per_epoch": 32}
)


@pytest.fixture
def runs(example, tmp_path, monkeypatch):
    """On images of which those of the test set cannot be read."""
    monkeypatch.setitem(example.Runs.__init__.__globals__, "choose_precision", lambda _: "float32")
    dataset = synthetic_dataset("mnist", train=96)
    return example.Runs(
        Dataset(dataset.spec, dataset.train, cast(Split, Unreadable())), 32, tmp_path / "a.csv"
    )


def test_choosing_a_recipe_trains_and_judges_as_hold_out_does_and_sees_no_test_image(runs):
    found = runs.accuracy(TINY, "cifar_resnet20", 1)

    device = torch.device("cpu")
    torch.manual_seed(1)
    network = define("cifar_resnet20", in_channels=1, num_classes=10).build(zero_init_residual=True)
    recipe = recipes.hold_out(TINY, 32)
    trainer = Trainer(network, recipe, device, exact_engine(device, micro_batch_size=16))
    *_, last = Training(trainer, Data.on(device, synthetic_dataset("mnist", train=96)), 1).epochs()
    assert 0 < found == last.validation_correct / 32


def test_a_run_is_a_line_and_is_not_trained_again(example, runs, monkeypatch):
    first = runs.accuracy(TINY, "cifar_resnet20", 1)
    runs.accuracy(TINY, "cifar_resnet20", 2)
    written = runs.file.read_text()
    assert [line.split(",")[:4] for line in written.splitlines()[1:]] == [
        ["mnist", "float32", "cifar_resnet20", "1"],
        ["mnist", "float32", "cifar_resnet20", "2"],
    ]

    dataset = synthetic_dataset("mnist", train=96)
    again = example.Runs(dataset, 32, runs.file)
    monkeypatch.setattr(again, "_train", None)
    assert again.accuracy(TINY, "cifar_resnet20", 1) == first
    assert runs.file.read_text() == written


def test_a_run_that_diverges_has_nothing_right(runs, example):
    wild = TINY.model_copy(update={"learning_rate": 1e30})
    assert runs.accuracy(wild, "cifar_resnet20", 1) == 0
    assert ",nan,nan," in runs.file.read_text()
    assert (
        example.Runs(synthetic_dataset("mnist"), 32, runs.file).accuracy(wild, "cifar_resnet20", 1)
        == 0
    )


@pytest.mark.parametrize(("dataset", "number"), [("cifar10", 28), ("mnist", 12), ("mnist", 2)])
def test_candidates_differ_and_keep_the_budget(example, dataset, number):
    today = recipes.quick(dataset)
    found = example.candidates(today, number, dataset)
    assert found[0] == today
    assert len(set(found)) == len(found) == number
    assert {(each.epochs, each.images_per_epoch) for each in found} == {
        (today.epochs, today.images_per_epoch)
    }
    assert {each.augmentation for each in found} == (
        {"none", "crop_flip"} if dataset == "cifar10" else {"none"}
    )
    assert found == example.candidates(today, number, dataset)


def test_neighbours_differ_in_one_field(example):
    today = recipes.quick("cifar10")
    told = example.setting(today)
    found = [example.setting(each) for each in example.neighbours(today, "cifar10")]
    assert [sum(each[name] != told[name] for name in told) for each in found] == [1] * len(found)
    assert {name for each in found for name in told if each[name] != told[name]} == (
        set(told) - {"optimizer"}
    )


def test_the_best_mean_wins_and_todays_setting_is_never_left_out(example):
    rates = [0.1, 0.2, 0.3, 0.4]
    found = [TINY.model_copy(update={"learning_rate": rate}) for rate in rates]
    seen = []

    def accuracy(recipe, model, seed):
        seen.append((recipe.learning_rate, model, seed))
        # 0.4 is the best with the first seed, and far behind with the second
        return recipe.learning_rate - (0.5 if seed == 2 and recipe.learning_rate == 0.4 else 0)

    rungs = [example.Rung(("resnet18",), 1, 2), example.Rung(("resnet18", "resnet50"), 2, 1)]
    assert example.choose(found, rungs, accuracy) == [found[2], found[0]]
    assert seen[:4] == [(rate, "resnet18", 1) for rate in rates]
    assert seen[4:] == [
        (rate, model, 2) for rate in (0.4, 0.3, 0.1) for model in ("resnet18", "resnet50")
    ]


def test_no_rung_trains_by_the_seed_that_profiles_report(example):
    assert [rung.seed for rung in (*example.DRAWN, *example.FINAL)] == [1, 1, 1, 2, 3]


@pytest.mark.parametrize(
    ("name", "number", "before"),
    [
        (
            "cifar10",
            28,
            {
                "momentum": 0.9,
                "batch_size": 64,
                "schedule": LinearSchedule(warmup_fraction=0.2),
            },
        ),
        ("mnist", 10, {"weight_decay": 5e-4}),
    ],
)
def test_the_published_runs_lead_to_the_recipe_of_quick(
    example, run, monkeypatch, tmp_path, request, name, number, before
):
    """``before``: how the former recipe differs from today's, which was chosen."""
    today = recipes.quick(name)
    dataset = request.getfixturevalue(name)
    file = tmp_path / f"selection-{name}.csv"
    copy(PUBLISHED / "quick-selection-2026-12-01" / file.name, file)
    written = file.read_bytes()
    monkeypatch.setattr(recipes, "quick", lambda _: today.model_copy(update=before))
    monkeypatch.setattr("bench.data.sources.load", lambda *_, **__: dataset)
    monkeypatch.setattr("bench.training.engine.choose_precision", lambda _: "bfloat16")
    monkeypatch.setattr("bench.training.trainer.Trainer", None)  # nothing is trained again
    out = run("choose_recipe.py", name, number, file)
    assert f"chosen: {example.setting(today)}" in out
    assert file.read_bytes() == written
