"""Words that two packages must spell alike, because neither may import the other."""

from typing import get_args

from bench import config
from bench.data.datasets import SPECS
from bench.reference.loader import load_project2022
from resnet_models import MODELS, blocks, resnet


def test_lineages_and_stems():
    assert get_args(config.Lineage) == get_args(blocks.Lineage)
    assert get_args(config.Stem) == get_args(resnet.Stem)


def test_models_and_depths():
    assert tuple(MODELS) == config.MODELS
    assert tuple(spec.depth for spec in MODELS.values()) == config.DEPTHS


def test_datasets():
    assert tuple(SPECS) == config.DATASETS == tuple(load_project2022().meta.datasets)
