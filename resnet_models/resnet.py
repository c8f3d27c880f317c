"""ResNet of Table 1: a stem, four stages of residual blocks, a linear head.

Module names are torchvision's, so that state dicts can be exchanged.
"""

import torch
from torch import Tensor, nn

from resnet_models.blocks import BLOCKS, initialise, make_stage
from resnet_models.definition import Definition
from resnet_models.spec import PLANES, STRIDES, Initialization


class ResNet(nn.Module):
    """A network of Table 1, or the plain one of the same depth (Table 2).

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
        block = BLOCKS[spec.block]
        planes = PLANES["table1"][0]
        if definition.stem == "imagenet":
            self.conv1 = nn.Conv2d(
                definition.in_channels, planes, 7, stride=2, padding=3, bias=False
            )
            self.maxpool: nn.Module = nn.MaxPool2d(3, stride=2, padding=1)
        else:
            self.conv1 = nn.Conv2d(definition.in_channels, planes, 3, padding=1, bias=False)
            self.maxpool = nn.Identity()
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        stages = []
        in_planes = planes
        for planes, count, stride in zip(
            PLANES["table1"], spec.layers, STRIDES["table1"], strict=True
        ):
            stages.append(
                make_stage(
                    block,
                    in_planes,
                    planes,
                    count,
                    stride,
                    lineage=definition.lineage,
                    shortcut=definition.shortcut,
                )
            )
            in_planes = planes * block.expansion
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(in_planes, definition.num_classes)
        initialise(self, initialization=initialization, zero_init_residual=zero_init_residual)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) images -> (N, num_classes) logits."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        logits: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return logits
