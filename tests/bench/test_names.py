"""Words that two rooms must spell alike."""

from bench import config
from bench.data.datasets import SPECS
from bench.reference.loader import load_paper, load_project2022
from resnet_models import MODELS


def test_models_and_depths():
    assert tuple(load_paper().tables.table1.depths) == config.DEPTHS
    assert tuple(MODELS[name].depth for name in config.TABLE1) == config.DEPTHS


def test_datasets():
    assert tuple(SPECS) == config.DATASETS == tuple(load_project2022().meta.datasets)
