"""What claims say about cost, by formula: nothing has to be trained. No torch here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from bench.analysis.networks import RESOLUTION
from bench.claims.measures import Observed
from resnet_models import Definition
from resnet_models.layers import Layer, layer_table


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that can be counted on a network.

    Attributes:
        words: what it is called in a sentence.
        of: counts it by formula, on the network as published.
        text: a number of it, for people.
    """

    words: str
    of: Callable[[Definition], int]
    text: Callable[[float], str]


def stored(observed: Observed, quantity: str) -> int | None:
    """What a record counted on its own network; None where it did not, or on another shape."""
    cost = observed.cost
    if cost is None or quantity not in ("parameters", "macs"):
        return None
    if cost.table1_macs is not None:
        return cost.table1_parameters if quantity == "parameters" else cost.table1_macs
    published = cost.input_shape == (3, RESOLUTION["table6"], RESOLUTION["table6"])
    return getattr(cost, quantity) if published else None


@cache
def _layers(definition: Definition) -> tuple[Layer, ...]:
    return tuple(layer_table(definition, RESOLUTION[definition.spec.family]))


def _block(definition: Definition) -> list[Layer]:
    """The second block of the second stage: one whose shortcut changes no shape."""
    return [layer for layer in _layers(definition) if layer.name.startswith("layer2.1.")]


def _parameters(definition: Definition) -> int:
    return sum(layer.parameters for layer in _layers(definition))


def _macs(definition: Definition) -> int:
    return sum(layer.macs for layer in _layers(definition))


def _block_macs(definition: Definition) -> int:
    return sum(layer.macs for layer in _block(definition))


def _block_parameters(definition: Definition) -> int:
    return sum(layer.parameters for layer in _block(definition))


def _projections(definition: Definition) -> int:
    return sum(layer.name.endswith("downsample.0") for layer in _layers(definition))


def _million(value: float) -> str:
    return f"{value / 1e6:,.4g} million"


def _billion(value: float) -> str:
    return f"{value / 1e9:,.4g}·10⁹"


def _count(value: float) -> str:
    return f"{value:,.0f}"


QUANTITIES: Final[dict[str, Quantity]] = {
    "parameters": Quantity("parameters", _parameters, _million),
    "macs": Quantity("multiply-adds", _macs, _billion),
    "block_macs": Quantity("multiply-adds of a block of conv3_x", _block_macs, _million),
    "block_parameters": Quantity("parameters of a block of conv3_x", _block_parameters, _million),
    "projections": Quantity("projection shortcuts", _projections, _count),
}
