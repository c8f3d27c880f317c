"""The networks: a stem, three or four stages of residual blocks, a linear head.

Module names are torchvision's, so that state dicts can be exchanged.
"""

import torch
from torch import Tensor, nn

from resnet_models.blocks import BLOCKS, Conv3x3, initialise, make_stage
from resnet_models.spec import PLANES, STRIDES, Initialization, Lineage, ModelSpec, Shortcut, Stem


class ResNet(nn.Module):
    """A network of Table 1 (four stages) or of Table 6 (three), or the plain one of its depth.

    Args:
        spec: which one.
        lineage: see ``spec.Lineage``.
        stem: first layers.
        shortcut: option of the shortcuts; none in a plain network.
        in_channels: of the images.
        num_classes: outputs of the head.
        initialization: of the convolutions, see ``blocks.initialise``.
        zero_init_residual: start the last BatchNorm gamma of each block at zero.
    """

    def __init__(
        self,
        spec: ModelSpec,
        *,
        lineage: Lineage,
        stem: Stem,
        shortcut: Shortcut,
        in_channels: int,
        num_classes: int,
        initialization: Initialization = "he",
        zero_init_residual: bool = False,
    ) -> None:
        super().__init__()
        block, all_planes = BLOCKS[spec.block], PLANES[spec.family]
        planes = all_planes[0]
        pool: nn.Module = nn.Identity()
        if stem == "imagenet":
            self.conv1 = nn.Conv2d(in_channels, planes, 7, stride=2, padding=3, bias=False)
            pool = nn.MaxPool2d(3, stride=2, padding=1)
        elif spec.family == "table6":
            self.conv1 = Conv3x3(in_channels, planes)  # Figure 7 shows its response too
        else:
            self.conv1 = nn.Conv2d(in_channels, planes, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = pool
        self.stages = [f"layer{number}" for number in range(1, len(spec.layers) + 1)]
        in_planes = planes
        for name, planes, count, stride in zip(
            self.stages, all_planes, spec.layers, STRIDES[spec.family], strict=True
        ):
            stage = make_stage(
                block, in_planes, planes, count, stride, lineage=lineage, shortcut=shortcut
            )
            self.add_module(name, stage)
            in_planes = planes * block.expansion
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(in_planes, num_classes)
        initialise(self, initialization=initialization, zero_init_residual=zero_init_residual)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) images -> (N, num_classes) logits."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for name in self.stages:
            x = getattr(self, name)(x)
        logits: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return logits
