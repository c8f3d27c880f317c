"""State dicts of other projects: their names, and what does not fit."""

import functools
import re

import pytest
import torch

from resnet_models import build, define
from resnet_models.convert import (
    NAMINGS,
    ConversionError,
    assumed,
    convert,
    export,
    recognise,
    unwrap,
)
from resnet_models.definition import Options
from resnet_models.spec import Lineage

VARIANTS: dict[str, Options] = {
    "resnet18": {"stem": "imagenet", "shortcut": "B"},
    "resnet34": {"stem": "cifar", "shortcut": "A"},
    "resnet50": {"stem": "imagenet", "shortcut": "B"},
    "resnet101": {"stem": "cifar", "shortcut": "C"},
    "plain18": {"stem": "imagenet", "shortcut": "none"},
    "cifar_resnet20": {"stem": "cifar", "shortcut": "A"},
    "cifar_resnet56": {"stem": "cifar", "shortcut": "B"},
}


@functools.cache
def meta_state(name, **options):
    with torch.device("meta"):
        return build(name, **options).state_dict()


def without(state, *names):
    return {key: value for key, value in state.items() if key not in names}


@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("name", VARIANTS)
def test_every_naming_goes_there_and_back_and_shows_the_variant(name, naming):
    ours = meta_state(name, **VARIANTS[name])
    theirs = export(ours, naming)
    assert len(theirs) == len(ours)
    found, back = convert(theirs, ours)
    assert found == naming
    assert list(back) == list(ours)
    assert all(back[key] is ours[key] for key in ours)
    lineage: Lineage = "project2022" if naming == "project2022" else "torchvision"
    if name.startswith("cifar"):
        lineage = "paper"
    options: Options = {**VARIANTS[name], "lineage": lineage}
    assert recognise(theirs, name) == define(name, **options)


def test_the_variant_takes_what_the_caller_knows():
    definition = recognise(
        meta_state("resnet50"), "resnet50", lineage="paper", in_channels=1, num_classes=10
    )
    assert definition == define("resnet50", in_channels=1, num_classes=10)
    with pytest.raises(ValueError, match="the lineage 'paper' only"):
        recognise(meta_state("cifar_resnet20"), "cifar_resnet20", lineage="torchvision")
    with pytest.raises(ValueError, match="no model named 'resnet19'"):
        recognise(meta_state("resnet50"), "resnet19")


POOL, ZEROS = "no pool after the stem", "zeros of option A on both sides"


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("resnet18", {}, ["lineage paper (a ReLU at the end of a block)"]),
        ("resnet50", {}, ["lineage paper (stride on the first 1x1, a ReLU at the end of a block)"]),
        (
            "resnet50",
            {"lineage": "project2022", "stem": "cifar", "shortcut": "A"},
            ["lineage project2022 (stride on the 3x3, no ReLU at the end of a block)", POOL, ZEROS],
        ),
        ("cifar_resnet20", {}, [POOL, ZEROS, "shortcuts (cifar_plain20 has the same names)"]),
        (
            "cifar_plain20",
            {},
            [POOL, "no shortcuts (cifar_resnet20 with option A has the same names)"],
        ),
        ("cifar_resnet20", {"shortcut": "B"}, [POOL]),
    ],
)
def test_what_a_state_dict_does_not_show_is_said(name, options, words):
    assert assumed(define(name, **options)) == words


def test_wrappers_without_end_are_no_prefix():
    prefix, state = unwrap({"module." * 10_000 + "fc.bias": torch.ones(1)})
    assert len(prefix) < 200
    assert len(state) == 1


# Ours, as common CIFAR-10 repositories have it, and as the 2022 project has it.
NAMES = """
conv1.weight conv1.weight encoder.gate.0.weight
bn1.running_var bn1.running_var encoder.gate.1.running_var
layer1.0.downsample.0.weight layer1.0.shortcut.0.weight encoder.blocks.0.blocks.0.shortcut.conv.weight
layer4.0.downsample.1.bias layer4.0.shortcut.1.bias encoder.blocks.3.blocks.0.shortcut.bn.bias
layer2.3.conv2.weight layer2.3.conv2.weight encoder.blocks.1.blocks.3.blocks.2.conv.weight
layer3.5.bn3.running_mean layer3.5.bn3.running_mean encoder.blocks.2.blocks.5.blocks.4.bn.running_mean
fc.bias linear.bias decoder.decoder.bias
"""  # noqa: E501


@pytest.mark.parametrize(
    ("ours", "cifar", "project2022"), [line.split() for line in NAMES.strip().splitlines()]
)
def test_names_are_those_of_the_projects(ours, cifar, project2022):
    tensors = meta_state("resnet50")
    names = {naming: export(tensors, naming) for naming in NAMINGS}
    assert names["cifar"][cifar] is tensors[ours]
    assert names["project2022"][project2022] is tensors[ours]
    assert names["torchvision"] == tensors


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod."])
@pytest.mark.parametrize("naming", NAMINGS)
def test_prefixes_of_wrappers_are_dropped(prefix, naming):
    ours = meta_state("cifar_resnet20")
    theirs = {prefix + key: value for key, value in export(ours, naming).items()}
    assert unwrap(theirs) == (prefix, export(ours, naming))
    assert convert(theirs, ours) == (naming, ours)


def test_counters_may_be_absent():
    ours = meta_state("resnet18")
    old = without(ours, *(key for key in ours if key.endswith("num_batches_tracked")))
    assert len(old) < len(ours)
    assert recognise(old, "resnet18").shortcut == "B"
    _, state = convert(old, ours)
    assert list(state) == list(ours)
    assert state["bn1.num_batches_tracked"].item() == 0


GOOD = meta_state("resnet18", num_classes=10)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "missing conv1.weight, bn1.weight, bn1.bias, bn1.running_mean and 98 more"),
        (without(GOOD, "fc.bias"), "the torchvision names, missing fc.bias$"),
        (
            without(export(GOOD, "cifar"), "linear.bias", "layer2.0.shortcut.0.weight"),
            "the cifar names, missing layer2.0.shortcut.0.weight, linear.bias$",
        ),
        (GOOD | {"extra.weight": torch.zeros(1)}, "left over extra.weight$"),
        (
            GOOD | {"linear.weight": torch.zeros(10, 512)},
            "ambiguous names: one tensor is there as 'fc.weight' and as 'linear.weight'",
        ),
        (
            GOOD | {"layer2.0.shortcut.1.bias": torch.zeros(128)},
            "as 'layer2.0.downsample.1.bias' and as 'layer2.0.shortcut.1.bias'",
        ),
        (GOOD | {"module.fc.bias": torch.zeros(10)}, "left over module.fc.bias$"),
        (
            meta_state("resnet18"),
            r"for 1000 classes, not 10: fc.weight has the shape \(1000, 512\), not \(10, 512\)",
        ),
        (
            export(meta_state("resnet18", num_classes=10, in_channels=1), "project2022"),
            r"images of 1 channels, not 3: encoder.gate.0.weight has the shape \(64, 1, 7, 7\)",
        ),
        (
            meta_state("resnet18", num_classes=10, stem="cifar"),
            "the stem starts with a 3x3 convolution, not 7x7: conv1.weight",
        ),
        (
            GOOD | {"layer1.0.bn1.bias": torch.zeros(65)},
            r"^layer1.0.bn1.bias has the shape \(65,\), not \(64,\)",
        ),
        (GOOD | {"conv1.weight": torch.zeros(64)}, r"^conv1.weight has the shape \(64,\)"),
    ],
)
def test_what_does_not_fit_is_named(state, words):
    with pytest.raises(ConversionError) as caught:
        convert(state, GOOD)
    assert re.search(words, str(caught.value)), caught.value


@pytest.mark.parametrize(
    ("given", "asked", "words"),
    [
        ("resnet34", "resnet18", "They are those of --model resnet34$"),
        ("resnet50", "resnet34", "They are those of --model resnet50$"),
        ("cifar_resnet56", "cifar_resnet20", "--model cifar_resnet56 or --model cifar_plain56$"),
    ],
)
@pytest.mark.parametrize("naming", NAMINGS)
def test_weights_of_another_network_say_whose_they_are(given, asked, words, naming):
    with pytest.raises(ConversionError, match=f"^not weights of {asked}: .*{words}"):
        recognise(export(meta_state(given), naming), asked)


def test_weights_of_no_network_here_suggest_none():
    with pytest.raises(ConversionError, match=r"left over features.0.weight$"):
        recognise(GOOD | {"features.0.weight": torch.zeros(8, 3, 3, 3)}, "resnet18")
