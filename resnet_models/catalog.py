"""Every network by name, with the parameter counts that the tests hold it to."""

from dataclasses import dataclass

from resnet_models.blocks import BasicBlock, Bottleneck, Lineage, ResidualBlock
from resnet_models.resnet import ResNet, Stem


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """A network of Table 1.

    Attributes:
        depth: layers with weights, projections not counted.
        block: BasicBlock or Bottleneck.
        layers: blocks in conv2_x, conv3_x, conv4_x and conv5_x.
        parameters: (stem, input channels, classes) -> exact count; the lineages do not differ.
    """

    depth: int
    block: type[ResidualBlock]
    layers: tuple[int, int, int, int]
    parameters: dict[tuple[Stem, int, int], int]


MODELS = {
    "resnet18": ModelSpec(
        depth=18,
        block=BasicBlock,
        layers=(2, 2, 2, 2),
        parameters={
            ("imagenet", 3, 1000): 11_689_512,
            ("imagenet", 3, 10): 11_181_642,
            ("imagenet", 1, 10): 11_175_370,
            ("cifar", 3, 10): 11_173_962,
            ("cifar", 1, 10): 11_172_810,
        },
    ),
    "resnet34": ModelSpec(
        depth=34,
        block=BasicBlock,
        layers=(3, 4, 6, 3),
        parameters={
            ("imagenet", 3, 1000): 21_797_672,
            ("imagenet", 3, 10): 21_289_802,
            ("imagenet", 1, 10): 21_283_530,
            ("cifar", 3, 10): 21_282_122,
            ("cifar", 1, 10): 21_280_970,
        },
    ),
    "resnet50": ModelSpec(
        depth=50,
        block=Bottleneck,
        layers=(3, 4, 6, 3),
        parameters={
            ("imagenet", 3, 1000): 25_557_032,
            ("imagenet", 3, 10): 23_528_522,
            ("imagenet", 1, 10): 23_522_250,
            ("cifar", 3, 10): 23_520_842,
            ("cifar", 1, 10): 23_519_690,
        },
    ),
    "resnet101": ModelSpec(
        depth=101,
        block=Bottleneck,
        layers=(3, 4, 23, 3),
        parameters={
            ("imagenet", 3, 1000): 44_549_160,
            ("imagenet", 3, 10): 42_520_650,
            ("imagenet", 1, 10): 42_514_378,
            ("cifar", 3, 10): 42_512_970,
            ("cifar", 1, 10): 42_511_818,
        },
    ),
    "resnet152": ModelSpec(
        depth=152,
        block=Bottleneck,
        layers=(3, 8, 36, 3),
        parameters={
            ("imagenet", 3, 1000): 60_192_808,
            ("imagenet", 3, 10): 58_164_298,
            ("imagenet", 1, 10): 58_158_026,
            ("cifar", 3, 10): 58_156_618,
            ("cifar", 1, 10): 58_155_466,
        },
    ),
}


def build(
    name: str,
    *,
    lineage: Lineage = "paper",
    stem: Stem = "imagenet",
    in_channels: int = 3,
    num_classes: int = 1000,
    zero_init_residual: bool = False,
) -> ResNet:
    """Make the network ``name`` with fresh weights from torch's global generator.

    Raises:
        ValueError: no such network in MODELS.
    """
    if name not in MODELS:
        raise ValueError(f"no model named {name!r}; there are {', '.join(MODELS)}")
    spec = MODELS[name]
    return ResNet(
        spec.block,
        spec.layers,
        lineage=lineage,
        stem=stem,
        in_channels=in_channels,
        num_classes=num_classes,
        zero_init_residual=zero_init_residual,
    )
