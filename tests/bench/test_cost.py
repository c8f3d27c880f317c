"""Cost equals the published and the independently computed numbers."""

import json
from importlib.resources import files

import pytest

from bench import cost
from bench.config import DEPTHS
from bench.reference.loader import load_paper
from resnet_models import build


@pytest.fixture(scope="module")
def small_inputs():
    """MACs with 10 classes on 32x32 RGB and 28x28 grey images, computed analytically."""
    paper = json.loads(files("bench.reference").joinpath("paper.json").read_text())
    return paper["computed"]["imagenet_stem_on_small_inputs_10cls_macs"]["values"]


@pytest.mark.parametrize("lineage", ["paper", "torchvision", "project2022"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_table_1_cost_is_exact(depth, lineage):
    expected = load_paper().cost(depth, lineage)
    assert cost.table1_cost(f"resnet{depth}", lineage) == (expected.params, expected.macs_total)


@pytest.mark.parametrize("depth", DEPTHS)
def test_paper_lineage_lies_within_2_percent_of_the_printed_flops(depth):
    printed = load_paper().tables.table1.depths[depth].flops_printed
    assert cost.table1_cost(f"resnet{depth}", "paper")[1] == pytest.approx(printed, rel=0.02)


@pytest.mark.parametrize("lineage", ["paper", "torchvision"])
@pytest.mark.parametrize("depth", [18, 50])
def test_cost_at_the_training_resolution_counts_layers_as_defined(depth, lineage, small_inputs):
    version = "v1" if lineage == "paper" else "v1.5"
    for shape, key in [((3, 32, 32), "32x32_3ch"), ((1, 28, 28), "28x28_1ch")]:
        measured = cost.measure(f"resnet{depth}", lineage, "imagenet", shape, 10)
        assert measured.macs == small_inputs[str(depth)][version][key]
        assert measured.input_shape == shape


def test_counting_leaves_the_model_in_its_mode():
    model = build("resnet18", num_classes=10).train()
    cost.count_macs(model, (3, 32, 32))
    assert model.training
