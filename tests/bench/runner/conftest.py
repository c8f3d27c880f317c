"""Files that somebody else wrote, and a grid that has run."""

from pathlib import Path

import pytest
import torch

from bench.records import store
from tests.support.checkpoints import TEST
from tests.support.grids import run
from tests.support.tools import bench


@pytest.fixture
def file(tmp_path):
    def write(content, name="weights.pt"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def evaluate(monkeypatch, tmp_path):
    """``bench evaluate`` of a file, or of an object in one, on a small test set."""
    monkeypatch.setattr("bench.data.sources.load", lambda name, **_: TEST[name])

    def run(checkpoint, *more, out=tmp_path, model="cifar_resnet20", dataset="cifar10"):
        if not isinstance(checkpoint, Path):
            torch.save(checkpoint, tmp_path / "weights.pt")
            checkpoint = tmp_path / "weights.pt"
        named = ["--checkpoint", checkpoint, "--dataset", dataset, "--out", out]
        named += [] if model is None else ["--model", model]
        return bench("evaluate", *named, "--device", "cpu", *more, COLUMNS="300")

    return run


@pytest.fixture
def only(tmp_path):
    """The one evaluation that is stored."""

    def load(folder=tmp_path):
        (evaluation,), problems = store.load_evaluations(folder / "evaluations")
        assert not problems
        return evaluation

    return load


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Its folder and the records of its two cells."""
    folder = tmp_path_factory.mktemp("runs")
    return folder, run(folder)
