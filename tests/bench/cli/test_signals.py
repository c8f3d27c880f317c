"""``python -m bench signals``: what a table says of untrained networks."""

import json
import re

import pytest
import torch

from bench.config import recipes
from bench.data.batches import DeviceData
from bench.data.datasets import Split
from bench.records.schema import Signals
from bench.training.engine import EngineOptions
from bench.training.signals import at_initialisation
from resnet_models import define
from tests.support.grids import CPU, run
from tests.support.small import small_config, small_dataset, small_recipe
from tests.support.tools import assert_refused, bench


@pytest.fixture
def signals(monkeypatch):
    monkeypatch.setattr("bench.data.sources.load", lambda name, **_: small_dataset(name))
    return lambda *arguments: bench("signals", *arguments, "--device", "cpu")


@pytest.mark.heavy
def test_the_table_shows_the_gradient_at_both_ends(signals, tmp_path):
    file = tmp_path / "signals.json"
    models = "cifar_plain20,cifar_resnet20"
    done = signals("--models", models, "--seeds", 2, "--json", file)
    assert done.returncode == 0, done.stderr
    raw = json.loads(file.read_text())
    assert list(raw) == models.split(",")
    for model, seeds in raw.items():
        first = [sorted(Signals(**each).input_gradient_norm[:2]) for each in seeds]
        mean = sum((low + high) / 2 for low, high in first) / 2
        assert re.search(rf"{model} +2 +\S+ +{mean:.2e}", done.stdout), done.stdout
    assert len({str(each) for seeds in raw.values() for each in seeds}) == 4


@pytest.mark.heavy
def test_they_are_those_that_a_cell_of_the_seed_begins_with(tmp_path):
    recipe = small_recipe(batch_size=16, zero_init_residual=False)
    assert recipe.initialization == recipes.paper_cifar(warmup=False).initialization
    config = small_config(models=("cifar_resnet20",), seeds=(3,), recipe=recipe)
    (record,) = run(tmp_path, config, engine=EngineOptions(precision="float32"))
    dataset = small_dataset("mnist")
    first = Split(dataset.train.images[:8], dataset.train.labels[:8])  # half a batch
    data = DeviceData(first, dataset.spec, CPU)
    definition = define("cifar_resnet20", in_channels=1, num_classes=10)
    found = at_initialisation(definition, data, 3)
    before = record.signals[0]
    assert (found.images, found.blocks) == (before.images, before.blocks)
    torch.testing.assert_close(found.input_gradient_norm, before.input_gradient_norm)


def test_an_unknown_network_is_refused(signals):
    assert_refused(signals("--models", "ResNet20"), 2, "did you mean cifar_resnet20")
