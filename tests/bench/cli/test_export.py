"""``python -m bench export``: what other programs read, and what is refused."""

import json
import sys
from typing import Any

import pytest
import safetensors.torch
import torch

from bench.data.datasets import SPECS
from bench.records import store
from resnet_models import build
from tests.support.factories import make_record
from tests.support.tools import assert_refused, bench

yaml: Any = pytest.importorskip("yaml")  # comes with fvcore; no stubs
WEIGHTS = safetensors.torch.save(build("cifar_resnet20").state_dict())


@pytest.fixture
def results(tmp_path):
    record = make_record(20, network="cifar_resnet")
    store.save(tmp_path / "results" / "runs", record, weights=WEIGHTS)
    return tmp_path / "results", record


def hub(results, folder, *more):
    folder_, record = results
    named = ["--hub", folder, "--results", folder_, "--record", record.cell.id]
    return bench("export", *named, *more)


def test_the_card_is_in_the_format_of_the_hub(results, tmp_path):
    record = results[1]
    done = hub(results, tmp_path / "hub")
    assert (done.returncode, done.stderr) == (0, "")
    _, head, text = (tmp_path / "hub" / "README.md").read_text().split("---\n", 2)
    metadata = yaml.safe_load(head)
    assert metadata["license"] == "mit"
    assert metadata["datasets"] == ["uoft-cs/cifar10"]
    (entry,) = metadata["model-index"]
    (result,) = entry["results"]
    assert entry["name"] == "ResNet-20 on CIFAR-10"
    assert result["task"]["type"] == "image-classification"
    assert result["dataset"] == {"name": "CIFAR-10", "type": "uoft-cs/cifar10", "split": "test"}
    accuracy, loss = result["metrics"]
    assert (accuracy["type"], accuracy["value"]) == ("accuracy", 100 * record.final.test_accuracy)
    assert (loss["type"], loss["value"]) == ("loss", record.final.test_loss)
    assert f"{100 * record.final.test_accuracy:.2f} % of 10,000 images" in text
    assert record.command in text
    mean = ", ".join(f"{value:g}" for value in SPECS["cifar10"].channel_mean)
    assert f"32×32 pixels in [0, 1]; mean {mean} and deviation" in text


def test_the_program_in_the_card_loads_the_weights(results, tmp_path, monkeypatch):
    hub(results, tmp_path / "hub")
    monkeypatch.chdir(tmp_path / "hub")
    text = (tmp_path / "hub" / "README.md").read_text()
    found: dict[str, torch.nn.Module] = {}
    exec(text.partition("```python\n")[2].partition("```")[0], found)
    state, expected = found["network"].state_dict(), safetensors.torch.load(WEIGHTS)
    assert all(torch.equal(state[name], expected[name]) for name in expected)
    arguments = json.loads((tmp_path / "hub" / "config.json").read_text())
    assert build(**arguments).state_dict().keys() == expected.keys()


def test_what_is_there_is_not_overwritten(results, tmp_path):
    (tmp_path / "README.md").write_text("mine")
    done = hub(results, tmp_path)
    assert_refused(done, 2, r"--hub .* has README\.md already: name another folder")
    assert (tmp_path / "README.md").read_text() == "mine"
    assert not (tmp_path / "model.safetensors").exists()


def test_weights_that_are_not_the_records_are_refused(results, tmp_path):
    folder, record = results
    (folder / "runs" / record.cell.id / store.WEIGHTS_FILE).write_bytes(WEIGHTS[:-1])
    assert_refused(hub(results, tmp_path / "hub"), 1, "is not what was written with its record")
    assert not (tmp_path / "hub").exists()


def test_a_folder_that_cannot_be_written_to_is_named_with_its_option(results, tmp_path):
    (tmp_path / "file").write_text("")
    assert_refused(hub(results, tmp_path / "file"), 1, "cannot write .*another folder with --hub")


def test_nothing_to_export_exits_with_2(tmp_path):
    assert_refused(bench("export"), 2, "either --hub FOLDER or --tensorboard FOLDER")
    named = ["--hub", tmp_path, "--results"]
    assert_refused(bench("export", *named, tmp_path), 2, "--hub needs --record ID")
    assert_refused(bench("export", *named, tmp_path / "no"), 2, "there is no such folder")


def test_without_tensorboard_it_is_said_what_to_install(results, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto.event_pb2", None)
    done = bench("export", "--results", results[0], "--tensorboard", tmp_path / "events")
    assert_refused(done, 1, r"pip install tensorboard, .* the extra resnet-bench\[tensorboard\]")
    assert not (tmp_path / "events").exists()
