"""Analytic cost of a network: parameters and MACs.

MACs are the multiply-adds of convolutions and fully connected layers in one forward pass of one
image, the paper's "FLOPs" (section 3.3). BatchNorm, activations, pooling and additions are left
out, as they are there; ``resnet_models.layers`` lists them apart.
"""

import functools
import warnings
from dataclasses import replace

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from bench.errors import BenchError
from bench.records.schema import Cost
from resnet_models import Definition
from resnet_models.blocks import skip_padding
from resnet_models.custom import CustomDefinition
from resnet_models.layers import layer_table

with warnings.catch_warnings():
    # fvcore scripts unrelated losses on import, which newer torch calls deprecated.
    warnings.simplefilter("ignore")
    from fvcore.nn import FlopCountAnalysis

TABLE1_RESOLUTION = 224
TABLE1_CLASSES = 1000


def parameter_count(model: nn.Module) -> int:
    """Numbers that training changes; BatchNorm's running statistics are not among them."""
    return sum(parameter.numel() for parameter in model.parameters())


def fvcore_macs(model: nn.Module, input_shape: tuple[int, int, int]) -> int:
    """MACs of one image (C, H, W), counted by fvcore on a trace in evaluation mode.

    The weights must be real: fvcore cannot trace on the meta device.
    """
    device = next(model.parameters()).device
    was_training = model.training
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls the tracer that fvcore uses deprecated
        analysis = FlopCountAnalysis(model.eval(), torch.zeros(1, *input_shape, device=device))
        operators = analysis.unsupported_ops_warnings(False).by_operator()
    model.train(was_training)
    return int(operators["conv"] + operators["linear"])


def torch_macs(model: nn.Module, input_shape: tuple[int, int, int]) -> int:
    """MACs of one image (C, H, W), counted by torch as its operators run; also on "meta"."""
    device = next(model.parameters()).device
    was_training = model.training
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model.eval()(torch.zeros(1, *input_shape, device=device))
    model.train(was_training)
    return int(counter.get_total_flops()) // 2  # torch counts a multiply-add as two


@functools.cache
def measure(definition: Definition | CustomDefinition, resolution: int) -> Cost:
    """Cost of a network as a cell trains it, and as Table 1 lists it if it is one of that family.

    fvcore's count is the one that is stored; torch's of a custom network, which no formula checks:
    it counts every product of matrices that runs, fvcore only what it knows by name.

    Raises:
        BenchError: the formula of ``resnet_models.layers`` does not agree with it.
    """
    table1_parameters, table1_macs = None, None
    if isinstance(definition, CustomDefinition):
        network = definition.build()
        parameters = parameter_count(network)
        macs = torch_macs(network, (definition.in_channels, resolution, resolution))
    else:
        parameters, macs = _count(definition, resolution)
    if isinstance(definition, Definition) and definition.spec.family == "table1":
        listed = replace(definition, stem="imagenet", in_channels=3, num_classes=TABLE1_CLASSES)
        table1_parameters, table1_macs = _count(listed, TABLE1_RESOLUTION)
    return Cost(
        parameters=parameters,
        macs=macs,
        input_shape=(definition.in_channels, resolution, resolution),
        table1_parameters=table1_parameters,
        table1_macs=table1_macs,
    )


@functools.cache
def _count(definition: Definition, resolution: int) -> tuple[int, int]:
    """Parameters and MACs of the network itself, checked against the formula."""
    network = definition.build()
    macs = fvcore_macs(network, (definition.in_channels, resolution, resolution))
    parameters = parameter_count(network)
    layers = layer_table(definition, resolution)
    expected = sum(layer.parameters for layer in layers), sum(layer.macs for layer in layers)
    if (parameters, macs) != expected:
        raise BenchError(
            f"{definition.model}: counted {parameters:,} parameters and {macs:,} MACs, but by "
            f"formula they are {expected[0]:,} and {expected[1]:,}. Please report this."
        )
    return parameters, macs


def training_operations(definition: Definition, resolution: int) -> int:
    """Additions and multiplications of an image's products, forward and backward, in our loop.

    Counted by torch in what really runs: without the taps that see only padding, and without the
    gradient of the image.
    """
    images = 2  # BatchNorm refuses a single pixel of a single image
    model = definition.build().train().to("meta")
    skip_padding(model)
    inputs = torch.empty(images, definition.in_channels, resolution, resolution, device="meta")
    with FlopCounterMode(display=False) as counter:
        model(inputs).sum().backward()
    return int(counter.get_total_flops()) // images
