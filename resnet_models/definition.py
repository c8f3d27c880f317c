"""From a name and options to one network with nothing left open.

Importing this takes no torch, so that networks can be listed and counted by formula without it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, Unpack, get_args

from resnet_models.catalog import MODELS
from resnet_models.spec import Initialization, Lineage, ModelSpec, Shortcut, Stem
from resnet_models.text import meant, near

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One network, with nothing left open; made by ``define``."""

    model: str
    lineage: Lineage
    stem: Stem
    shortcut: Shortcut
    in_channels: int
    num_classes: int

    @property
    def spec(self) -> ModelSpec:
        return MODELS[self.model]

    def build(
        self, *, initialization: Initialization = "he", zero_init_residual: bool = False
    ) -> "nn.Module":
        """Make the network with fresh weights from torch's global generator.

        (N, in_channels, H, W) images -> (N, num_classes) logits.
        """
        from resnet_models.resnet import ResNet

        return ResNet(self, initialization=initialization, zero_init_residual=zero_init_residual)


def define(
    name: str,
    *,
    lineage: Lineage = "paper",
    stem: Stem | None = None,
    shortcut: Shortcut | None = None,
    in_channels: int = 3,
    num_classes: int | None = None,
) -> Definition:
    """The network ``name``, as published where an option is None.

    Published are, for Table 1, the ImageNet stem, option B and 1000 classes (plain networks: no
    shortcut); for Table 6, the CIFAR stem, option A and 10 classes.

    Raises:
        ValueError: no such network in MODELS, or it has no such variant.
    """
    if name not in MODELS:
        like = meant(near(name, MODELS))
        raise ValueError(f"no model named {name!r}{like}; there are {', '.join(MODELS)}")
    spec = MODELS[name]
    published: tuple[Stem, int] = ("imagenet", 1000) if spec.family == "table1" else ("cifar", 10)
    stem = stem or published[0]
    shortcut = shortcut or spec.shortcuts[0]
    num_classes = published[1] if num_classes is None else num_classes
    for what, given, known in (("lineage", lineage, Lineage), ("stem", stem, Stem)):
        if given not in get_args(known):
            raise ValueError(f"no {what} {given!r}; there are {', '.join(get_args(known))}")
    if shortcut not in spec.shortcuts:
        raise ValueError(
            f"{name} with shortcut {shortcut!r} does not exist; it has {', '.join(spec.shortcuts)}"
        )
    if spec.family == "table6" and (stem, lineage) != ("cifar", "paper"):
        raise ValueError(f"{name} has the stem 'cifar' and the lineage 'paper' only")
    if min(in_channels, num_classes) < 1:
        raise ValueError(f"{in_channels} input channels and {num_classes} classes: at least 1 each")
    return Definition(
        model=name,
        lineage=lineage,
        stem=stem,
        shortcut=shortcut,
        in_channels=in_channels,
        num_classes=num_classes,
    )


class Options(TypedDict, total=False):
    """Those of ``define``."""

    lineage: Lineage
    stem: Stem | None
    shortcut: Shortcut | None
    in_channels: int
    num_classes: int | None


def build(
    name: str, *, zero_init_residual: bool = False, **options: Unpack[Options]
) -> "nn.Module":
    """As ``define``, and with fresh weights from torch's global generator."""
    return define(name, **options).build(zero_init_residual=zero_init_residual)
