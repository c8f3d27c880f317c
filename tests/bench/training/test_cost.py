"""Cost equals the published and the independently computed numbers, whoever counts."""

import json
import time
from importlib.resources import files

import pytest
import torch

from bench.config.profiles import DEPTHS
from bench.errors import BenchError
from bench.reference.loader import load_paper
from bench.training import cost
from resnet_models import MODELS, build, define
from resnet_models.layers import layer_table
from resnet_models.spec import Shortcut

pytestmark = pytest.mark.heavy

COMPUTED = json.loads(files("bench.reference").joinpath("paper.json").read_text())["computed"]
OPTIONS: tuple[Shortcut, ...] = ("A", "B", "C")
VERSIONS = {"paper": "v1", "torchvision": "v1.5", "project2022": "v1.5"}


def slow_but(*few, among=DEPTHS):
    """``among``, of which all but a ``few`` are left to the slow tests."""
    return [each if each in few else pytest.param(each, marks=pytest.mark.slow) for each in among]


def resolution(name):
    return 224 if MODELS[name].family == "table1" else 32


def formula_macs(definition, pixels):
    return sum(layer.macs for layer in layer_table(definition, pixels))


def counted(definition, pixels):
    """Parameters and MACs as torch counts them, without memory for weights."""
    with torch.device("meta"):
        model = definition.build()
    shape = (definition.in_channels, pixels, pixels)
    return cost.parameter_count(model), cost.torch_macs(model, shape)


@pytest.mark.parametrize("lineage", VERSIONS)
@pytest.mark.parametrize("depth", slow_but(18, 50))
def test_table_1_cost_is_exact(depth, lineage):
    expected = COMPUTED["imagenet_macs_224"][str(depth)]
    for option in OPTIONS:
        exact = expected[f"{VERSIONS[lineage]}_option{option}"]
        definition = define(f"resnet{depth}", lineage=lineage, shortcut=option)
        assert counted(definition, 224) == (exact["params"], exact["macs_total"])
        assert formula_macs(definition, 224) == exact["macs_total"]


@pytest.mark.parametrize("depth", slow_but(18, 50))
def test_fvcore_agrees_on_table_1_and_the_record_says_so(depth):
    definition = define(f"resnet{depth}", stem="cifar", in_channels=1, num_classes=10)
    measured = cost.measure(definition, 28)  # fvcore's count
    exact = COMPUTED["imagenet_macs_224"][str(depth)]["v1_optionB"]
    assert measured.table1_parameters == exact["params"]
    assert measured.table1_macs == exact["macs_total"]
    assert (measured.parameters, measured.macs) == counted(definition, 28)
    assert measured.input_shape == (1, 28, 28)


@pytest.mark.parametrize("depth", DEPTHS)
def test_paper_lineage_lies_within_2_percent_of_the_printed_flops(depth):
    printed = load_paper().tables.table1.depths[depth].flops_printed
    assert formula_macs(define(f"resnet{depth}"), 224) == pytest.approx(printed, rel=0.02)


@pytest.mark.parametrize("depth", [18, 34])
def test_plain_networks_cost_what_option_a_costs(depth):
    exact = COMPUTED["imagenet_macs_224"][str(depth)]["plain_same_depth"]
    assert counted(define(f"plain{depth}"), 224) == (exact["params"], exact["macs_total"])


@pytest.mark.parametrize("depth", slow_but(20, 56, among=[20, 32, 44, 56, 110, 1202]))
def test_table_6_cost_is_exact(depth):
    exact = COMPUTED["cifar_resnets"][str(depth)]
    for option in OPTIONS[:2]:
        definition = define(f"cifar_resnet{depth}", shortcut=option)
        expected = exact[f"params_option{option}_3ch"], exact[f"macs_option{option}_32x32_3ch"]
        assert counted(definition, 32) == expected
        grey = define(f"cifar_resnet{depth}", shortcut=option, in_channels=1)
        assert formula_macs(grey, 28) == exact[f"macs_option{option}_28x28_1ch"]
    if depth < 1202:
        plain = define(f"cifar_plain{depth}")
        assert counted(plain, 32) == (exact["params_plain_3ch"], exact["macs_optionA_32x32_3ch"])


@pytest.mark.parametrize("name", ["cifar_resnet20", "cifar_plain32"])
def test_fvcore_agrees_on_table_6(name):
    for shortcut in MODELS[name].shortcuts:
        definition = define(name, shortcut=shortcut)
        assert cost.fvcore_macs(definition.build(), (3, 32, 32)) == formula_macs(definition, 32)


@pytest.mark.parametrize("name", ["cifar_resnet20", "cifar_plain20"])
def test_networks_of_table_6_are_not_listed_in_table_1(name):
    definition = define(name)
    measured = cost.measure(definition, 32)
    assert (measured.parameters, measured.macs) == counted(definition, 32)
    assert (measured.table1_parameters, measured.table1_macs) == (None, None)


@pytest.mark.parametrize("lineage", ["paper", "torchvision"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_cost_at_the_training_resolution_counts_layers_as_defined(depth, lineage):
    """By the formula, which ``cost.measure`` holds against fvcore's count in every cell."""
    exact = COMPUTED["imagenet_stem_on_small_inputs_10cls_macs"]["values"][str(depth)]
    for channels, pixels, key in [(3, 32, "32x32_3ch"), (1, 28, "28x28_1ch")]:
        definition = define(f"resnet{depth}", lineage=lineage, in_channels=channels, num_classes=10)
        assert formula_macs(definition, pixels) == exact[VERSIONS[lineage]][key]


@pytest.mark.parametrize(
    "name", ["resnet34", "resnet101", "plain18", "cifar_resnet32", "cifar_plain20"]
)
def test_a_network_of_each_family_has_the_parameters_of_the_catalog(name):
    assert_as_in_catalog(name)


def assert_as_in_catalog(name):
    definition = define(name)
    parameters, macs = counted(definition, resolution(name))
    key = (definition.shortcut, definition.stem, 3, definition.num_classes)
    assert parameters == MODELS[name].parameters[key]
    assert macs == formula_macs(definition, resolution(name))


@pytest.mark.slow
def test_the_whole_catalog_is_built_and_counted_in_10_seconds():
    counted(define("resnet18"), 224)  # torch loads its operators once
    start = time.process_time()  # the work, whatever else the machine does meanwhile
    for name in MODELS:
        assert_as_in_catalog(name)
    assert time.process_time() - start <= 10


def test_operations_are_three_times_the_forward_ones_but_for_the_gradient_of_the_image():
    first, *others = (
        layer.macs for layer in layer_table(define("cifar_resnet20"), 32) if layer.macs
    )
    assert cost.training_operations(define("cifar_resnet20"), 32) == 2 * (
        2 * first + 3 * sum(others)
    )


def test_operations_that_our_loop_leaves_out_are_not_counted():
    definition = define("resnet18", num_classes=10)
    macs = sum(layer.macs for layer in layer_table(definition, 32))
    assert 0.7 < cost.training_operations(definition, 32) / (6 * macs) < 0.9


@pytest.mark.parametrize("count", [cost.fvcore_macs, cost.torch_macs])
@pytest.mark.parametrize("training", [True, False])
def test_counting_leaves_the_model_in_its_mode(count, training):
    model = build("cifar_resnet20").train(training)
    count(model, (3, 32, 32))
    assert model.training is training
    assert all(
        buffer.count_nonzero() == 0 for key, buffer in model.named_buffers() if "mean" in key
    )


def test_a_count_that_contradicts_the_formula_fails_the_cell(monkeypatch):
    monkeypatch.setattr(cost, "fvcore_macs", lambda *_: 1)
    with pytest.raises(BenchError, match=r"and 1 MACs, but by formula they are .* Please report"):
        cost.measure(define("cifar_resnet20", in_channels=2), 32)
