"""ResNet-20 with pre-activation (He et al. 2016, arXiv:1603.05027, Figure 1b), option A.

python -m bench run --profile table6 --network examples.preact_resnet20:preact_resnet20
"""

import torch.nn.functional as F
from torch import Tensor, nn

from resnet_models.blocks import ZeroPadding


class Block(nn.Module):
    def __init__(self, before: int, planes: int, stride: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(before), nn.BatchNorm2d(planes)
        self.conv1 = nn.Conv2d(before, planes, 3, stride=stride, padding=1, bias=False)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.shortcut = ZeroPadding(before, planes, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv1(F.relu(self.norm1(x)))
        out = self.conv2(F.relu(self.norm2(out)))
        total: Tensor = out + self.shortcut(x)
        return total


def preact_resnet20(in_channels: int, num_classes: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(in_channels, 16, 3, padding=1, bias=False)]
    before = 16
    for planes, stride in ((16, 1), (32, 2), (64, 2)):
        for step in (stride, 1, 1):
            layers.append(Block(before, planes, step))
            before = planes
    layers += [nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    network = nn.Sequential(*layers, nn.Linear(64, num_classes))
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network
