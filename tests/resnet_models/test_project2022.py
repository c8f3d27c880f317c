"""The ``project2022`` lineage has the counts and the structure that its notebooks print."""

import json
import re
from importlib.resources import files

import pytest

from resnet_models import MODELS, define
from resnet_models.layers import layer_table

RUNS = json.loads(files("bench.reference").joinpath("project2022.json").read_text())["runs"]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run["notebook"])
def test_parameters_are_those_that_the_notebook_prints(run):
    """By its label: the MNIST notebook that trains ResNet-34 prints a summary of ResNet-50."""
    parameters = MODELS[f"resnet{run['labelled_depth']}"].parameters
    assert parameters["B", "imagenet", run["in_channels"], 10] == run["summary_total_params"]


# The layer summary that Resnet50_Training_CIFAR10.ipynb prints for a 3x32x32 image: how often, then
# c(onvolution), b(atch norm), r(elu), m(ax pool), a(verage pool) or l(inear), channels@side and
# =parameters. A projection comes before the convolutions of its block, and the row after a block's
# last BatchNorm is the block itself: no ReLU follows the addition.
PRINTED = """
1 c64@16=9408 b64@16=128 r64@16 m64@8
1 c256@8=16384 b256@8=512 c64@8=4096 b64@8=128 r64@8 c64@8=36864 b64@8=128 r64@8 c256@8=16384 b256@8=512
2 c64@8=16384 b64@8=128 r64@8 c64@8=36864 b64@8=128 r64@8 c256@8=16384 b256@8=512
1 c512@4=131072 b512@4=1024 c128@8=32768 b128@8=256 r128@8 c128@4=147456 b128@4=256 r128@4 c512@4=65536 b512@4=1024
3 c128@4=65536 b128@4=256 r128@4 c128@4=147456 b128@4=256 r128@4 c512@4=65536 b512@4=1024
1 c1024@2=524288 b1024@2=2048 c256@4=131072 b256@4=512 r256@4 c256@2=589824 b256@2=512 r256@2 c1024@2=262144 b1024@2=2048
5 c256@2=262144 b256@2=512 r256@2 c256@2=589824 b256@2=512 r256@2 c1024@2=262144 b1024@2=2048
1 c2048@1=2097152 b2048@1=4096 c512@2=524288 b512@2=1024 r512@2 c512@1=2359296 b512@1=1024 r512@1 c2048@1=1048576 b2048@1=4096
2 c512@1=1048576 b512@1=1024 r512@1 c512@1=2359296 b512@1=1024 r512@1 c2048@1=1048576 b2048@1=4096
1 a2048@1 l10=20490
"""  # noqa: E501


def printed_rows():
    """Kind, channels, side (0: none) and parameters of each row."""
    rows = []
    for line in PRINTED.strip().splitlines():
        count, *words = line.split()
        pattern = r"(\w)(\d+)(?:@(\d+))?(?:=(\d+))?"
        found = [re.fullmatch(pattern, word).groups(default="0") for word in words]
        rows += [(kind, *map(int, numbers)) for kind, *numbers in found] * int(count)
    return rows


def test_structure_is_the_printed_one():
    definition = define("resnet50", lineage="project2022", num_classes=10)
    ours = [
        (layer.kind[0], layer.output_shape[0], (*layer.output_shape, 0)[1], layer.parameters)
        for layer in layer_table(definition, 32)
        if layer.kind != "addition"  # not a module there, so not a row
    ]
    assert ours == printed_rows()


def test_the_summary_adds_up_to_the_printed_total():
    total = next(run for run in RUNS if run["notebook"] == "Resnet50_Training_CIFAR10.ipynb")
    assert sum(row[3] for row in printed_rows()) == total["summary_total_params"]
