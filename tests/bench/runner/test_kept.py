"""Weights of our own cells: kept with their record, proven, and what they were trained to be."""

import csv
import errno
import io
import json
import os
import shutil
from hashlib import sha256
from typing import Any

import pytest
import safetensors
import torch
from torch import nn

from bench.config.cell import CustomNetwork
from bench.config.plan import Plan
from bench.config.profiles import PROFILES, RunConfig
from bench.errors import StorageError
from bench.records import store
from bench.records.store import WEIGHTS_FILE
from bench.runner import kept
from bench.training.engine import EngineOptions
from resnet_models.hub import ABOUT, load
from tests.support.factories import make_evaluation
from tests.support.grids import DATASETS, make_options, run
from tests.support.small import small_config
from tests.support.tools import assert_refused, bench

pytestmark = pytest.mark.heavy

ONE = small_config(models=("cifar_resnet20",))
FLOAT32 = EngineOptions(precision="float32")


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A results folder with one cell, and its record."""
    folder = tmp_path_factory.mktemp("results")
    (record,) = run(folder / "runs", ONE, engine=FLOAT32)
    return folder, record


@pytest.fixture
def results(once, tmp_path):
    folder, record = shutil.copytree(once[0], tmp_path / "results"), once[1]
    return folder, record, folder / "runs" / record.cell.id / WEIGHTS_FILE


def test_the_record_names_the_file_and_the_file_its_record(results):
    _, record, path = results
    content = path.read_bytes()
    assert record.weights.size_bytes == len(content)
    assert record.weights.sha256 == sha256(content).hexdigest()
    assert store.load(path.parent) == record
    with safetensors.safe_open(path, "pt") as file:
        about = json.loads(file.metadata()[ABOUT])
        numbers = sum(file.get_tensor(key).numel() for key in file.keys() if "bn" not in key)  # noqa: SIM118
    assert about["cell"] == record.cell.id
    assert (about["model"], about["lineage"], about["seed"]) == ("cifar_resnet20", "paper", 0)
    assert about["recipe"] == record.recipe.model_dump(mode="json")
    assert about["test_accuracy"] == record.final.test_accuracy
    assert (about["commit"], about["license"]) == (record.environment.commit, "MIT")
    assert numbers < record.cost.parameters  # by those of BatchNorm


def test_they_predict_what_the_record_says(results):
    folder, record, path = results
    network = load("cifar_resnet20", path.parent).eval()
    spec, split = DATASETS["mnist"].spec, DATASETS["mnist"].test
    images = torch.from_numpy(split.images).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        logits = network((images - spec.channel_mean[0]) / spec.channel_std[0])
    classes = store.load_predictions(folder / "runs", record)
    assert logits.argmax(1).tolist() == classes[0].tolist()


def test_the_same_run_gives_the_same_file(results, tmp_path):
    (again,) = run(tmp_path / "again", ONE, engine=FLOAT32)
    assert again.weights == results[1].weights


def test_no_weights_are_kept_where_none_are_asked_for(results):
    folder, _, path = results
    (again,) = run(folder / "runs", ONE, engine=FLOAT32, weights=False, fresh=True)
    assert again.weights is None
    assert again.command.endswith("--no-weights --fresh")
    assert not path.exists()  # of the record that was replaced
    for name, make in PROFILES.items():
        assert make_options(folder, make()).keeps_weights is (name != "smoke")


def test_a_full_disk_keeps_what_was_there_and_tells_what_takes_less(results, monkeypatch):
    folder, record, path = results
    before = {each: each.read_bytes() for each in path.parent.iterdir()}
    no_space = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(no_space))
    with pytest.raises(StorageError, match=r"No space left.*--out;.*--no-weights needs less"):
        store.save(folder / "runs", record, weights=b"new")
    assert {each: each.read_bytes() for each in path.parent.iterdir()} == before


class Odd:
    """Makes a network whose state dict holds more than tensors."""

    path, sha256, model = "odd:Odd", "0" * 64, "custom_odd"

    def build(self, *, in_channels, num_classes):
        class Network(nn.Sequential):
            def get_extra_state(self):
                return {"any": object()}

            def set_extra_state(self, _):
                pass

        pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return Network(pool, nn.Linear(in_channels, num_classes))


def test_a_trained_network_whose_state_is_not_tensors_has_its_record(tmp_path):
    planned = ONE.plans[0]
    cell = planned.cell.model_copy(
        update={"model": "custom_odd", "lineage": "custom", "stem": "custom", "shortcut": "custom"}
    )
    cell = cell.model_copy(
        update={"custom": CustomNetwork(factory="odd:Odd", sha256="0" * 64, layers=1)}
    )
    factory: Any = Odd()
    plans = (Plan(cell, planned.recipe, factory),)
    config = RunConfig(profile="small", plans=plans, speed_samples=1, words=())
    out = io.StringIO()
    (record,) = run(tmp_path, config, out=out)
    assert (record.status, record.weights) == ("completed", None)
    assert "custom_odd-mnist-small-seed0: its weights are not kept: " in out.getvalue()


@pytest.fixture
def evaluate(monkeypatch):
    monkeypatch.setattr("bench.data.sources.load", lambda name, **_: DATASETS[name])
    return lambda *words: bench("evaluate", *words, "--device", "cpu", COLUMNS="300")


def test_evaluate_record_finds_the_error_again_and_stores_nothing(evaluate, results):
    folder, record, _ = results
    before = sorted(folder.rglob("*"))
    done = evaluate("--record", record.cell.id, "--results", folder)
    assert (done.returncode, done.stderr) == (0, "")
    error = f"{100 - 100 * record.final.test_accuracy:.2f} %"
    assert f"Top-1 error on 32 test images of mnist: {error}" in done.stdout
    assert done.stdout.endswith(
        f"The record has {error} on 32 images: a difference of +0.00 points.\n"
    )
    assert sorted(folder.rglob("*")) == before
    done = evaluate("--record", record.cell.id, "--results", folder, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert row["sha256"] == record.weights.sha256
    assert row["normalisation"] == record.recipe.normalisation == "dataset"


def test_another_precision_in_training_is_said(results):
    folder, record, _ = results
    found = kept.find(folder, record.cell.id)
    engine = record.engine.model_copy(update={"precision": "bfloat16"})
    lower = kept.Kept(record.model_copy(update={"engine": engine}), found.path)

    told = lower.beside(make_evaluation())
    assert "on 32 images, in bfloat16 instead of float32: a difference of " in told


def test_weights_that_are_not_the_records_are_refused(evaluate, results):
    folder, record, path = results
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    done = evaluate("--record", record.cell.id, "--results", folder)
    assert_refused(done, 1, f"{path} is not what was written with its record: its hash is ")
    path.unlink()
    done = evaluate("--record", record.cell.id, "--results", folder)
    assert_refused(done, 1, f"cannot read {path}: No such file.*Run its cell again")


def test_what_cannot_be_evaluated_exits_with_2(evaluate, results):
    folder, record, _ = results
    named = ["--record", record.cell.id, "--results", folder]
    assert_refused(evaluate(), 2, "--checkpoint FILE and --dataset NAME are needed, or --record ID")
    done = evaluate(*named, "--dataset", "mnist", "--normalize", "none")
    assert_refused(done, 2, "--record evaluates .*: leave out --dataset, --normalize$")
    done = evaluate("--record", "resnet20", "--results", folder)
    assert_refused(done, 2, f"no such record in .*did you mean {record.cell.id}")
    assert_refused(evaluate("--record", "x", "--results", folder / "no"), 2, "no such record in")
    store.save(folder / "runs", record.model_copy(update={"weights": None}))
    assert_refused(
        evaluate(*named), 2, "no weights were kept with it. Run its cell again with --fr"
    )
