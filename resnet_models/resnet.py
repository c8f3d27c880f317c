"""ResNet of Table 1: a stem, four stages of residual blocks, a linear head.

Module names are torchvision's, so that state dicts can be exchanged.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from resnet_models.blocks import Lineage, ResidualBlock

# imagenet: 7x7 convolution with stride 2, then a 3x3 max pool with stride 2 (Table 1, conv1)
# cifar:    3x3 convolution with stride 1 and no pool, for 32x32 images (section 4.2)
Stem = Literal["imagenet", "cifar"]

STAGE_PLANES = (64, 128, 256, 512)
STAGE_STRIDES = (1, 2, 2, 2)


def make_stage(
    block: type[ResidualBlock],
    in_planes: int,
    planes: int,
    count: int,
    stride: int,
    lineage: Lineage,
) -> nn.Sequential:
    """``count`` blocks on maps of one size; the first one changes width and size."""
    first = block(in_planes, planes, stride, lineage)
    rest = [block(planes * block.expansion, planes, 1, lineage) for _ in range(count - 1)]
    return nn.Sequential(first, *rest)


class ResNet(nn.Module):
    """A network of Table 1.

    Args:
        block: BasicBlock or Bottleneck.
        layers: blocks in each of the four stages (conv2_x ... conv5_x).
        lineage: which published definition to follow, see ``blocks.Lineage``.
        stem: "imagenet" or "cifar".
        in_channels: channels of the images.
        num_classes: outputs of the head.
        zero_init_residual: start the last BatchNorm gamma of each block at zero, so that every
            block starts as its shortcut (Goyal et al., arXiv:1706.02677, section 5.1).
    """

    def __init__(
        self,
        block: type[ResidualBlock],
        layers: tuple[int, int, int, int],
        *,
        lineage: Lineage = "paper",
        stem: Stem = "imagenet",
        in_channels: int = 3,
        num_classes: int = 1000,
        zero_init_residual: bool = False,
    ) -> None:
        super().__init__()
        planes = STAGE_PLANES[0]
        if stem == "imagenet":
            self.conv1 = nn.Conv2d(in_channels, planes, 7, stride=2, padding=3, bias=False)
            self.maxpool: nn.Module = nn.MaxPool2d(3, stride=2, padding=1)
        else:
            self.conv1 = nn.Conv2d(in_channels, planes, 3, padding=1, bias=False)
            self.maxpool = nn.Identity()
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        stages = []
        in_planes = planes
        for planes, count, stride in zip(STAGE_PLANES, layers, STAGE_STRIDES, strict=True):
            stages.append(make_stage(block, in_planes, planes, count, stride, lineage))
            in_planes = planes * block.expansion
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(in_planes, num_classes)
        self._initialise(zero_init_residual)

    def _initialise(self, zero_init_residual: bool) -> None:
        """He initialisation (arXiv:1502.01852): convolutions normal with variance 2 / fan_out."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, ResidualBlock) and zero_init_residual:
                nn.init.zeros_(module.last_norm().weight)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) images -> (N, num_classes) logits."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        logits: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return logits
