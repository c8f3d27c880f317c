"""Analytic cost of a network: parameters and MACs.

MACs are the multiply-adds of convolutions and fully connected layers in one forward pass of one
image, the paper's "FLOPs" (section 3.3). BatchNorm, activations, pooling and additions are left
out, as they are there.
"""

import functools
import warnings

import torch
from torch import nn

from bench.records import Cost
from resnet_models import build
from resnet_models.blocks import Lineage
from resnet_models.resnet import Stem

with warnings.catch_warnings():
    # fvcore scripts unrelated losses on import, which newer torch calls deprecated.
    warnings.simplefilter("ignore")
    from fvcore.nn import FlopCountAnalysis

TABLE1_INPUT_SHAPE = (3, 224, 224)
TABLE1_CLASSES = 1000


def parameter_count(model: nn.Module) -> int:
    """Numbers that training changes; BatchNorm's running statistics are not among them."""
    return sum(parameter.numel() for parameter in model.parameters())


def count_macs(model: nn.Module, input_shape: tuple[int, int, int]) -> int:
    """MACs of one image (C, H, W), counted by fvcore on a trace in evaluation mode.

    Evaluation mode runs each layer as defined; see ``resnet_models.blocks.Conv3x3``.
    """
    device = next(model.parameters()).device
    was_training = model.training
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls the tracer that fvcore uses deprecated
        analysis = FlopCountAnalysis(model.eval(), torch.zeros(1, *input_shape, device=device))
        operators = analysis.unsupported_ops_warnings(False).by_operator()
    model.train(was_training)
    return int(operators["conv"] + operators["linear"])


@functools.cache
def table1_cost(model: str, lineage: Lineage) -> tuple[int, int]:
    """Parameters and MACs of a network as in Table 1: 224x224 images, 1000 classes."""
    network = build(model, lineage=lineage, num_classes=TABLE1_CLASSES)
    return parameter_count(network), count_macs(network, TABLE1_INPUT_SHAPE)


@functools.cache
def measure(
    model: str, lineage: Lineage, stem: Stem, input_shape: tuple[int, int, int], num_classes: int
) -> Cost:
    """Cost of a network as the cell trains it, and as Table 1 lists it."""
    network = build(
        model, lineage=lineage, stem=stem, in_channels=input_shape[0], num_classes=num_classes
    )
    table1_parameters, table1_macs = table1_cost(model, lineage)
    return Cost(
        parameters=parameter_count(network),
        macs=count_macs(network, input_shape),
        input_shape=input_shape,
        table1_parameters=table1_parameters,
        table1_macs=table1_macs,
    )
