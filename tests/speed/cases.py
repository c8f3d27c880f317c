"""What is timed: the blocks of Tables 1 and 6 at the shapes of their stages, and whole networks.

A block is described by a network that has it, so its shapes, parameters and MACs come from
``resnet_models.layers``, which other tests hold to the real networks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Literal

from torch import nn

from bench.analysis.networks import RESOLUTION
from resnet_models import MODELS, Definition, define
from resnet_models.blocks import BLOCKS
from resnet_models.layers import Layer, layer_table
from resnet_models.spec import PLANES, STRIDES, Family, Lineage

TITLES: dict[Family, str] = {"table1": "Table 1", "table6": "Table 6"}
# One network with each kind of block; every network of a family has the same blocks.
HOLDERS: dict[Family, tuple[str, ...]] = {
    "table1": ("resnet34", "resnet50", "plain34"),
    "table6": ("cifar_resnet20", "cifar_plain20"),
}
# Those that a short run times: each kind of block, and two depths of Table 6.
REPRESENTATIVE = ("resnet18", "resnet50", "plain18", "cifar_resnet20", "cifar_resnet56",
                  "cifar_plain20")  # fmt: skip
NETWORK_RESOLUTION = 32


@dataclass(frozen=True)  # with slots it could not cache its layers
class Block:
    """The first or an inner block of a stage (from 0) of a network, on maps as in that network."""

    definition: Definition
    stage: int
    first: bool

    @cached_property
    def _places(self) -> tuple[list[Layer], list[Layer]]:
        """All layers up to the block's, and the block's."""
        prefix = f"layer{self.stage + 1}.{0 if self.first else 1}."
        table = layer_table(self.definition, RESOLUTION[self.definition.spec.family])
        own = [layer for layer in table if layer.name.startswith(prefix)]
        return table[: table.index(own[0])], own

    @property
    def layers(self) -> list[Layer]:
        return self._places[1]

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self._places[0][-1].output_shape

    @property
    def stride(self) -> int:
        return STRIDES[self.definition.spec.family][self.stage] if self.first else 1

    @property
    def size(self) -> int:
        return self.layers[-1].output_shape[1]  # side of the maps of the stage, pixels

    @property
    def published(self) -> bool:
        """Whether its network as the paper has it holds this block."""
        spec = self.definition.spec
        return (self.definition.shortcut, self.definition.lineage) == (spec.shortcuts[0], "paper")

    @property
    def words(self) -> dict[str, str | None]:
        """Where it stands and what it is; None where that makes no difference."""
        family, shortcut = self.definition.spec.family, self.definition.shortcut
        kind = "plain" if shortcut == "none" else self.definition.spec.block
        changes = self.first or shortcut == "none"
        strided_bottleneck = kind == "bottleneck" and self.stride > 1
        return {
            "stage": f"{TITLES[family]}, conv{self.stage + 2}_x, {self.size}×{self.size}",
            "block": kind,
            "position": "first" if self.first else "inner",
            "shortcut": shortcut if changes else "identity",
            "lineage": self.definition.lineage if strided_bottleneck else None,
        }

    @property
    def id(self) -> str:
        words = self.words
        option = words["shortcut"] if words["shortcut"] in ("A", "B") else None
        parts = (words["block"], words["position"], option, words["lineage"])
        return "-".join([*filter(None, parts), f"{self.size}x{self.size}"])

    def build(self) -> nn.Module:
        spec = self.definition.spec
        block = BLOCKS[spec.block]
        planes = PLANES[spec.family][self.stage]
        lineage, shortcut = self.definition.lineage, self.definition.shortcut
        return block(self.input_shape[0], planes, self.stride, lineage=lineage, shortcut=shortcut)


@dataclass(frozen=True)
class Network:
    """A whole network on 32x32 images.

    With the CIFAR stem: behind the ImageNet stem such an image is one pixel in the last stage,
    where most multiplications are with padding, and time per MAC would say little.
    """

    definition: Definition

    @property
    def layers(self) -> list[Layer]:
        return layer_table(self.definition, NETWORK_RESOLUTION)

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.definition.in_channels, NETWORK_RESOLUTION, NETWORK_RESOLUTION)

    @property
    def words(self) -> dict[str, str | None]:
        title, side = TITLES[self.definition.spec.family], NETWORK_RESOLUTION
        return {
            "stage": f"{title}, whole networks, {side}×{side}",
            "block": self.definition.model,
            "position": "whole",
            "shortcut": self.definition.shortcut,
            "lineage": None,
        }

    @property
    def id(self) -> str:
        return self.definition.model

    def build(self) -> nn.Module:
        return self.definition.build()


Case = Block | Network


def _blocks(family: Family) -> Iterator[Block]:
    for stage, stride in enumerate(STRIDES[family]):
        for model in HOLDERS[family]:
            spec = MODELS[model]
            # Only a bottleneck changes the width in the first stage: a basic block is an inner one.
            if stride > 1 or spec.block == "bottleneck":
                lineages: tuple[Lineage, ...] = ("paper",)
                if stride > 1 and spec.block == "bottleneck":
                    lineages = ("paper", "torchvision")
                for lineage in lineages:
                    for shortcut in sorted(set(spec.shortcuts) - {"C"}):
                        definition = define(model, lineage=lineage, shortcut=shortcut)
                        yield Block(definition, stage, first=True)
            yield Block(define(model), stage, first=False)


BLOCK_CASES = list(chain.from_iterable(_blocks(family) for family in TITLES))
NETWORK_CASES = [Network(define(model, stem="cifar", num_classes=10)) for model in MODELS]
_ALL: list[Case] = [*BLOCK_CASES, *NETWORK_CASES]
CASES = {case.id: case for case in _ALL}

Extent = Literal["smoke", "published", "full"]
"""A few small ones; what the paper has, and networks of each kind; everything."""


def blocks(extent: Extent) -> list[str]:
    return [
        case.id
        for case in BLOCK_CASES
        if extent == "full"
        or (extent == "published" and case.published)
        or (extent == "smoke" and count(case, "parameters") < 100_000)
    ]


def networks(extent: Extent) -> list[str]:
    chosen = {"smoke": ("cifar_resnet20",), "published": REPRESENTATIVE, "full": tuple(MODELS)}
    return [case.id for case in NETWORK_CASES if case.definition.model in chosen[extent]]


def count(case: Case, what: Literal["parameters", "macs"]) -> int:
    """Of the whole case; MACs of one image, forward."""
    return sum(getattr(layer, what) for layer in case.layers)
