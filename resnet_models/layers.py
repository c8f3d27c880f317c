"""The layers of a network by formula, from its definition alone. No torch here.

A second description of the networks beside ``resnet.py``: the tests hold the two to the same
names, shapes, parameters and MACs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from math import prod
from typing import Final, Literal

from resnet_models import Definition
from resnet_models.spec import PLANES, STRIDES

Kind = Literal[
    "convolution", "batch norm", "relu", "max pool", "average pool", "zero padding", "addition",
    "linear",
]  # fmt: skip
Shape = tuple[int, ...]

EXPANSION: Final = {"basic": 1, "bottleneck": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One step of the forward pass of one image.

    Operations are what all kinds but convolutions and the linear layer do: 2 for each number that
    a BatchNorm scales and shifts, 1 for each that a ReLU or an addition gives or a pool looks at.
    """

    name: str  # of the module; ReLUs and additions, which have none, are named after their block
    kind: Kind
    input_shape: Shape  # (C, H, W), or (features,) of the linear layer; an addition has two such
    output_shape: Shape
    parameters: int = 0
    macs: int = 0  # multiply-adds of a convolution or the linear layer
    operations: int = 0
    kernel: int | None = None  # side of the window of a convolution or a pool
    stride: int | None = None

    @property
    def live_parameters(self) -> int:
        """Parameters that meet a number of the input; the others only ever meet padding."""
        if self.kind != "convolution":
            return self.parameters
        return self._pairs * sum(count > 0 for count in self._meetings()) ** 2

    @property
    def live_macs(self) -> int:
        """Multiply-adds with a number of the input; the others are with padding."""
        if self.kind != "convolution":
            return self.macs
        return self._pairs * sum(self._meetings()) ** 2

    @property
    def _pairs(self) -> int:
        """Pairs of an input plane and an output plane."""
        return self.input_shape[0] * self.output_shape[0]

    def _meetings(self) -> list[int]:
        """For each row of a convolution's taps, how many of its places lie in the image.

        Maps are square and padding is (kernel - 1) / 2, so columns are as rows.
        """
        assert self.kernel is not None
        assert self.stride is not None
        last, places = self.input_shape[1] - 1, self.output_shape[1]
        shifts = [tap - (self.kernel - 1) // 2 for tap in range(self.kernel)]
        # Of place p the tap looks at row p * stride + shift, which is to lie from 0 to last.
        first = [max(0, -(shift // self.stride)) for shift in shifts]
        end = [min(places, (last - shift) // self.stride + 1) for shift in shifts]
        return [max(0, until - since) for since, until in zip(first, end, strict=True)]


def layer_table(definition: Definition, resolution: int) -> list[Layer]:
    """Every layer in the order of execution, for images of ``resolution`` pixels a side."""
    spec = definition.spec
    walk = _Walk((definition.in_channels, resolution, resolution))
    planes, strides = PLANES[spec.family], STRIDES[spec.family]
    kernel, stride = (7, 2) if definition.stem == "imagenet" else (3, 1)
    walk.convolution("conv1", planes[0], kernel, stride)
    walk.batch_norm("bn1")
    walk.relu("relu")
    if definition.stem == "imagenet":
        walk.max_pool("maxpool", 3, 2)
    stages = zip(planes, spec.layers, strides, strict=True)
    for number, (width, count, stride) in enumerate(stages, start=1):
        for block in range(count):
            name = f"layer{number}.{block}"
            _block(walk, name, definition, width, stride if block == 0 else 1)
    walk.average_pool("avgpool")
    walk.linear("fc", definition.num_classes)
    return walk.layers


def _block(walk: "_Walk", name: str, definition: Definition, planes: int, stride: int) -> None:
    x = walk.shape
    out_planes = planes * EXPANSION[definition.spec.block]
    changes = stride != 1 or x[0] != out_planes
    if definition.shortcut == "A" and changes:
        walk.zero_padding(f"{name}.downsample", out_planes, stride)
    elif definition.shortcut == "C" or (definition.shortcut == "B" and changes):
        walk.convolution(f"{name}.downsample.0", out_planes, 1, stride)
        walk.batch_norm(f"{name}.downsample.1")
    walk.shape = x
    convolutions = _convolutions(definition, planes, stride)
    for number, (kernel, width, step) in enumerate(convolutions, start=1):
        if number > 1:
            walk.relu(f"{name}.relu{number - 1}")
        walk.convolution(f"{name}.conv{number}", width, kernel, step)
        walk.batch_norm(f"{name}.bn{number}")
    if definition.shortcut != "none":
        walk.addition(f"{name}.addition")
    if definition.lineage != "project2022":
        walk.relu(f"{name}.relu{len(convolutions)}")


def _convolutions(definition: Definition, planes: int, stride: int) -> list[tuple[int, int, int]]:
    """Kernel, output planes and stride of each convolution of a block (Figure 5)."""
    if definition.spec.block == "basic":
        return [(3, planes, stride), (3, planes, 1)]
    first, second = (stride, 1) if definition.lineage == "paper" else (1, stride)
    return [(1, planes, first), (3, planes, second), (1, 4 * planes, 1)]


class _Walk:
    """Follows the shape of one image through the layers that are added."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.layers: list[Layer] = []

    def _add(self, name: str, kind: Kind, shape: Shape, **counts: int) -> None:
        # The linear layer sees the pooled map as a list of features.
        seen = self.shape if len(shape) == 3 else (prod(self.shape),)
        self.layers.append(
            Layer(name=name, kind=kind, input_shape=seen, output_shape=shape, **counts)
        )
        self.shape = shape

    def _strided(self, planes: int, stride: int) -> Shape:
        """Shape after a window with padding (kernel - 1) / 2: the kernel does not matter."""
        return (planes, *(-(-side // stride) for side in self.shape[1:]))

    def convolution(self, name: str, planes: int, kernel: int, stride: int) -> None:
        shape = self._strided(planes, stride)
        weights = self.shape[0] * planes * kernel**2
        counts = {"parameters": weights, "macs": weights * prod(shape[1:])}
        self._add(name, "convolution", shape, kernel=kernel, stride=stride, **counts)

    def batch_norm(self, name: str) -> None:
        counts = {"parameters": 2 * self.shape[0], "operations": 2 * prod(self.shape)}
        self._add(name, "batch norm", self.shape, **counts)

    def relu(self, name: str) -> None:
        self._add(name, "relu", self.shape, operations=prod(self.shape))

    def addition(self, name: str) -> None:
        self._add(name, "addition", self.shape, operations=prod(self.shape))

    def zero_padding(self, name: str, planes: int, stride: int) -> None:
        self._add(name, "zero padding", self._strided(planes, stride), stride=stride)

    def max_pool(self, name: str, kernel: int, stride: int) -> None:
        shape = self._strided(self.shape[0], stride)
        operations = kernel**2 * prod(shape)
        self._add(name, "max pool", shape, operations=operations, kernel=kernel, stride=stride)

    def average_pool(self, name: str) -> None:
        self._add(name, "average pool", (self.shape[0], 1, 1), operations=prod(self.shape))

    def linear(self, name: str, features: int) -> None:
        inputs = self.shape[0]
        counts = {"parameters": (inputs + 1) * features, "macs": inputs * features}
        self._add(name, "linear", (features,), **counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One row of Table 1 for one network: a stage, as the paper writes it."""

    name: str
    output_size: int
    text: str


def stages(definition: Definition, resolution: int) -> list[Stage]:
    """A column of Table 1: conv1, conv2_x ... and the head, made from the layer table."""
    found = []
    for name, group in groupby(layer_table(definition, resolution), key=_stage_name):
        layers = list(group)
        maps = [layer.output_shape[1] for layer in layers if len(layer.output_shape) == 3]
        text = [words for layer in layers if "." not in layer.name and (words := _words(layer))]
        text += _blocks(layers)
        found.append(Stage(name=name, output_size=maps[-1], text="; ".join(text)))
    return found


def _stage_name(layer: Layer) -> str:
    """The paper's name: conv1; conv2_x, which the max pool opens; conv3_x ...; head."""
    if layer.name == "maxpool":
        return "conv2_x"
    if layer.name.startswith("layer"):
        return f"conv{int(layer.name[5]) + 1}_x"
    return "head" if layer.name in ("avgpool", "fc") else "conv1"


def _words(layer: Layer) -> str:
    """How Table 1 writes a layer outside the blocks; nothing for BatchNorm and ReLU."""
    stride = f", stride {layer.stride}" if layer.stride not in (None, 1) else ""
    if layer.kind == "convolution":
        return f"{layer.kernel}×{layer.kernel}, {layer.output_shape[0]}{stride}"
    if layer.kind == "max pool":
        return f"{layer.kernel}×{layer.kernel} max pool{stride}"
    if layer.kind == "linear":
        return f"{layer.output_shape[0]}-d fc"
    return layer.kind if layer.kind == "average pool" else ""


def _blocks(layers: Iterable[Layer]) -> list[str]:
    """``[3×3, 64; 3×3, 64] × 2``: equal blocks once, with their number; shortcuts left out."""
    blocks: dict[str, list[str]] = {}
    for layer in layers:
        block, _, inner = layer.name.rpartition(".")
        if layer.kind == "convolution" and inner.startswith("conv") and block:
            text = f"{layer.kernel}×{layer.kernel}, {layer.output_shape[0]}"
            blocks.setdefault(block, []).append(text)
    texts = ["; ".join(convolutions) for convolutions in blocks.values()]
    return [f"[{text}] × {len(list(equal))}" for text, equal in groupby(texts)]
