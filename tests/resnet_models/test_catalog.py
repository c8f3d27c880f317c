"""The catalog is complete and its counts are exact."""

import json
from importlib.resources import files
from itertools import product
from typing import get_args

import pytest
import torch

from resnet_models import MODELS, build, define
from resnet_models.layers import layer_table
from resnet_models.spec import Lineage

pytestmark = pytest.mark.heavy

COMPUTED = json.loads(files("bench.reference").joinpath("paper.json").read_text())["computed"]
DEPTHS = {
    "resnet": [18, 34, 50, 101, 152],
    "plain": [18, 34],
    "cifar_resnet": [20, 32, 44, 56, 110, 1202],
    "cifar_plain": [20, 32, 44, 56, 110],
}
CASES = [
    (name, *setting, count)
    for name, spec in MODELS.items()
    for setting, count in spec.parameters.items()
]


def by_formula(name, **options):
    return sum(layer.parameters for layer in layer_table(define(name, **options), 32))


def on_meta(name, **options):
    with torch.device("meta"):
        return build(name, **options)


def test_catalog_names_every_network_of_tables_1_2_and_6():
    assert list(MODELS) == [f"{kind}{depth}" for kind, depths in DEPTHS.items() for depth in depths]


@pytest.mark.parametrize("name", MODELS)
def test_depth_counts_the_layers_with_weights(name):
    spec = MODELS[name]
    convolutions = {"basic": 2, "bottleneck": 3}[spec.block]
    assert spec.depth == convolutions * sum(spec.layers) + 2
    assert name == f"{spec.network}{spec.depth}"


@pytest.mark.parametrize("name", MODELS)
def test_every_published_setting_has_its_count(name):
    spec = MODELS[name]
    published = {("cifar", 3, 10)}
    if spec.family == "table1":
        published |= {("imagenet", 3, 1000), ("imagenet", 3, 10)}
    for shortcut in spec.shortcuts:
        assert {(shortcut, *setting) for setting in published} <= set(spec.parameters)


@pytest.mark.parametrize(("name", "shortcut", "stem", "channels", "classes", "count"), CASES)
def test_parameter_count_is_exact(name, shortcut, stem, channels, classes, count):
    """By formula in every lineage; the tests of layers hold the formula to the modules."""
    options = {"shortcut": shortcut, "stem": stem, "in_channels": channels, "num_classes": classes}
    for lineage in get_args(Lineage) if MODELS[name].family == "table1" else ["paper"]:
        assert by_formula(name, lineage=lineage, **options) == count
    if (channels, classes) == (3, 10) and (MODELS[name].depth < 1000 or shortcut == "A"):
        assert sum(p.numel() for p in on_meta(name, **options).parameters()) == count


def test_counts_are_those_of_the_reference():
    for depth, costs in COMPUTED["imagenet_macs_224"].items():
        exact = MODELS[f"resnet{depth}"].parameters
        for stride, option in product(("v1", "v1.5"), "ABC"):
            assert exact[option, "imagenet", 3, 1000] == costs[f"{stride}_option{option}"]["params"]
    for depth in ("18", "34"):
        plain = COMPUTED["imagenet_macs_224"][depth]["plain_same_depth"]["params"]
        assert MODELS[f"plain{depth}"].parameters["none", "imagenet", 3, 1000] == plain
    for depth, costs in COMPUTED["cifar_resnets"].items():
        exact = MODELS[f"cifar_resnet{depth}"].parameters
        for option, channels in product("AB", (1, 3)):
            expected = costs[f"params_option{option}_{channels}ch"]
            assert exact[option, "cifar", channels, 10] == expected


@pytest.mark.parametrize(
    ("residual", "plain"),
    [(name.replace("plain", "resnet"), name) for name in MODELS if "plain" in name],
)
def test_a_plain_network_has_the_parameters_of_option_a(residual, plain):
    """Section 3.3: identity shortcuts add no parameters, so the comparison is a fair one."""
    models = on_meta(residual, shortcut="A"), on_meta(plain)
    with_shortcuts, without = (
        [(key, value.shape) for key, value in model.state_dict().items()] for model in models
    )
    assert with_shortcuts == without


def test_100_classes():
    for depth, counts in COMPUTED["torchvision_params"].items():
        assert by_formula(f"resnet{depth}", num_classes=100) == counts["100cls_3ch"]
    for depth, costs in COMPUTED["cifar_resnets"].items():
        expected = costs["params_optionA_100classes"]
        assert by_formula(f"cifar_resnet{depth}", num_classes=100) == expected


def test_published_settings_are_the_defaults():
    for name, published in {
        "resnet50": ("imagenet", "B", 1000),
        "plain34": ("imagenet", "none", 1000),
        "cifar_resnet20": ("cifar", "A", 10),
        "cifar_plain20": ("cifar", "none", 10),
    }.items():
        found = define(name)
        assert (found.stem, found.shortcut, found.num_classes) == published


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        (
            "resnet19",
            {},
            r"no model named 'resnet19' .did you mean resnet18 or .*; there are resnet18, ",
        ),
        ("resnet18", {"lineage": "v2"}, "no lineage 'v2'; there are paper, torchvision, project"),
        ("resnet18", {"stem": "7x7"}, "no stem '7x7'; there are imagenet, cifar"),
        ("resnet18", {"shortcut": "none"}, "shortcut 'none' does not exist; it has B, A, C"),
        ("plain18", {"shortcut": "B"}, "shortcut 'B' does not exist; it has none"),
        ("cifar_resnet20", {"shortcut": "C"}, "shortcut 'C' does not exist; it has A, B"),
        ("cifar_resnet20", {"stem": "imagenet"}, "has the stem 'cifar' and the lineage 'paper'"),
        ("cifar_plain20", {"lineage": "torchvision"}, "has the stem 'cifar' and the lineage"),
        ("resnet18", {"in_channels": 0}, "0 input channels and 1000 classes: at least 1 each"),
        ("resnet18", {"num_classes": 0}, "3 input channels and 0 classes: at least 1 each"),
    ],
)
def test_what_does_not_exist_is_refused(name, options, text):
    with pytest.raises(ValueError, match=text):
        build(name, **options)
