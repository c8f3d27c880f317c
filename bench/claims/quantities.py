"""What can be counted by formula on a network as published. No torch here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from bench.analysis.networks import RESOLUTION
from resnet_models import Definition
from resnet_models.layers import Layer, layer_table


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that can be counted by formula on a network as published."""

    words: str
    of: Callable[[Definition], int]
    text: Callable[[float], str]


_BLOCK: Final = "layer2.1."
"""The second block of the second stage: one whose shortcut changes no shape."""


@cache
def _layers(definition: Definition) -> tuple[Layer, ...]:
    return tuple(layer_table(definition, RESOLUTION[definition.spec.family]))


def _total(what: Literal["parameters", "macs"], part: str = "") -> Callable[[Definition], int]:
    return lambda definition: sum(
        getattr(layer, what) for layer in _layers(definition) if layer.name.startswith(part)
    )


def _projections(definition: Definition) -> int:
    return sum(layer.name.endswith("downsample.0") for layer in _layers(definition))


def _million(value: float) -> str:
    return f"{value / 1e6:,.4g} million"


QUANTITIES: Final[dict[str, Quantity]] = {
    "parameters": Quantity("parameters", _total("parameters"), _million),
    "macs": Quantity("multiply-adds", _total("macs"), lambda value: f"{value / 1e9:,.4g}·10⁹"),
    "block_macs": Quantity("multiply-adds of a block of conv3_x", _total("macs", _BLOCK), _million),
    "block_parameters": Quantity(
        "parameters of a block of conv3_x", _total("parameters", _BLOCK), _million
    ),
    "projections": Quantity("projection shortcuts", _projections, "{:,.0f}".format),
}
