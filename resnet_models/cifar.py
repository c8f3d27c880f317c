"""The CIFAR-10 networks of section 4.2: 6n+2 layers, three stages of basic blocks, a linear head.

Module names follow ``resnet.py``.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet_models.blocks import BLOCKS, Conv3x3, initialise, make_stage
from resnet_models.definition import Definition
from resnet_models.spec import PLANES, STRIDES, Initialization


class CifarResNet(nn.Module):
    """A network of Table 6, or the plain one of the same depth (Figure 6, left).

    Args:
        definition: which one.
        initialization: of the convolutions, see ``blocks.initialise``.
        zero_init_residual: start the last BatchNorm gamma of each block at zero.
    """

    def __init__(
        self,
        definition: Definition,
        *,
        initialization: Initialization = "he",
        zero_init_residual: bool = False,
    ) -> None:
        super().__init__()
        spec = definition.spec
        planes = in_planes = PLANES["table6"][0]
        self.conv1 = Conv3x3(definition.in_channels, planes)
        self.bn1 = nn.BatchNorm2d(planes)
        stages = []
        for planes, count, stride in zip(
            PLANES["table6"], spec.layers, STRIDES["table6"], strict=True
        ):
            stages.append(
                make_stage(
                    BLOCKS[spec.block],
                    in_planes,
                    planes,
                    count,
                    stride,
                    lineage=definition.lineage,
                    shortcut=definition.shortcut,
                )
            )
            in_planes = planes
        self.layer1, self.layer2, self.layer3 = stages
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(in_planes, definition.num_classes)
        initialise(self, initialization=initialization, zero_init_residual=zero_init_residual)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) images -> (N, num_classes) logits."""
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = self.layer3(self.layer2(self.layer1(x)))
        logits: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return logits
