"""The words that describe a network. No torch here."""

from dataclasses import dataclass
from typing import Literal

# table1: ImageNet networks of Table 1 and their plain counterparts (Table 2)
# table6: CIFAR-10 networks of section 4.2 (Table 6, Figure 6), 6n+2 layers
Family = Literal["table1", "table6"]

# basic: two 3x3 convolutions; bottleneck: 1x1, 3x3, 1x1 (Figure 5)
Block = Literal["basic", "bottleneck"]

# Which published definition a network of Table 1 follows:
#   paper        stride on the first 1x1 of a bottleneck (He et al.; also called v1)
#   torchvision  stride on the 3x3 (v1.5)
#   project2022  stride on the 3x3 and no ReLU after the addition (the 2022 student project)
# A basic block has its stride on the first 3x3 in all of them.
Lineage = Literal["paper", "torchvision", "project2022"]

# imagenet: 7x7 convolution with stride 2, then a 3x3 max pool with stride 2 (Table 1, conv1)
# cifar:    3x3 convolution with stride 1 and no pool, for 32x32 images (section 4.2)
Stem = Literal["imagenet", "cifar"]

# A: zero padding where shapes change, no parameters; B: projections there, identity elsewhere;
# C: projections everywhere (section 3.3); none: a plain network
Shortcut = Literal["A", "B", "C", "none"]

# How a state dict names the tensors (``convert.py``):
#   torchvision  layer1.0.downsample.0, fc: the names of this package too
#   cifar        layer1.0.shortcut.0, linear: common CIFAR-10 repositories
#   project2022  encoder.blocks.0.blocks.0.shortcut.conv, decoder.decoder
Naming = Literal["torchvision", "cifar", "project2022"]

# he: normal with variance 2 / fan_out (arXiv:1502.01852); torch: what torch does by itself
Initialization = Literal["he", "torch"]

PLANES: dict[Family, tuple[int, ...]] = {"table1": (64, 128, 256, 512), "table6": (16, 32, 64)}
STRIDES: dict[Family, tuple[int, ...]] = {"table1": (1, 2, 2, 2), "table6": (1, 2, 2)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """A named network."""

    family: Family
    depth: int  # layers with weights, projections not counted
    block: Block
    layers: tuple[int, ...]  # blocks in each stage (conv2_x ... conv5_x, or the three of Table 6)
    shortcuts: tuple[Shortcut, ...]  # the options that it may have, the published one first
    # (shortcut, stem, input channels, classes) -> exact count; the lineages do not differ
    parameters: dict[tuple[Shortcut, Stem, int, int], int]

    @property
    def network(self) -> str:
        """Its name without the depth, such as ``cifar_resnet``."""
        kind = "plain" if self.shortcuts == ("none",) else "resnet"
        return kind if self.family == "table1" else f"cifar_{kind}"
