"""Networks of other projects, rebuilt here, and ours with their weights: the same outputs."""

from collections import OrderedDict
from functools import partial

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from resnet_models.convert import convert, export, recognise


def random_network(model, seed=0):
    """In evaluation mode, with BatchNorm statistics that are not those of a fresh network."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.bias.data, module.running_mean):
                tensor.normal_(generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
            module.num_batches_tracked.fill_(7)
        elif isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.data.normal_(0, 0.1, generator=generator)
    return model.eval()


TorchvisionNetwork = partial(torchvision.models.resnet50, num_classes=10)


def conv_bn(in_planes, planes, size, stride=1):
    conv = nn.Conv2d(in_planes, planes, size, stride, padding=size // 2, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, bn=nn.BatchNorm2d(planes)))


class Project2022Block(nn.Module):
    """A bottleneck without a ReLU after the addition."""

    def __init__(self, in_planes, planes, stride):
        super().__init__()
        self.blocks = nn.Sequential(
            conv_bn(in_planes, planes, 1),
            nn.ReLU(),
            conv_bn(planes, planes, 3, stride),
            nn.ReLU(),
            conv_bn(planes, 4 * planes, 1),
        )
        same = in_planes == 4 * planes
        self.shortcut = nn.Identity() if same else conv_bn(in_planes, 4 * planes, 1, stride)

    def forward(self, x):
        return self.blocks(x) + self.shortcut(x)


class Project2022Network(nn.Module):
    """The module tree of the 2022 project's ResNet-50, so far as names and arithmetic show it."""

    def __init__(self):
        super().__init__()
        stages, in_planes = [], 64
        for planes, count, stride in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]:
            stage = nn.Module()
            stage.blocks = nn.Sequential(Project2022Block(in_planes, planes, stride))
            in_planes = 4 * planes
            stage.blocks.extend(Project2022Block(in_planes, planes, 1) for _ in range(count - 1))
            stages.append(stage)
        self.encoder, self.decoder = nn.Module(), nn.Module()
        self.encoder.gate = nn.Sequential(
            nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.encoder.blocks = nn.ModuleList(stages)
        self.decoder.decoder = nn.Linear(2048, 10)

    def forward(self, x):
        x = self.encoder.gate(x)
        for stage in self.encoder.blocks:
            x = stage.blocks(x)
        return self.decoder.decoder(F.adaptive_avg_pool2d(x, 1).flatten(1))


class CifarBlock(nn.Module):
    def __init__(self, in_planes, planes, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(in_planes, planes, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.stride, self.pad = stride, (planes - in_planes) // 2

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        picked = x[:, :, :: self.stride, :: self.stride]
        return F.relu(out + F.pad(picked, (0, 0, 0, 0, self.pad, self.pad)))


class CifarNetwork(nn.Module):
    """ResNet-20 as in common CIFAR-10 repositories: option A, a head called ``linear``."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*(CifarBlock(16, 16, 1) for _ in range(3)))
        self.layer2 = nn.Sequential(CifarBlock(16, 32, 2), *(CifarBlock(32, 32, 1) for _ in "ab"))
        self.layer3 = nn.Sequential(CifarBlock(32, 64, 2), *(CifarBlock(64, 64, 1) for _ in "ab"))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))


@pytest.mark.parametrize(
    ("make", "name", "naming", "variant"),
    [
        (TorchvisionNetwork, "resnet50", "torchvision", ("torchvision", "imagenet", "B")),
        (Project2022Network, "resnet50", "project2022", ("project2022", "imagenet", "B")),
        (CifarNetwork, "cifar_resnet20", "cifar", ("paper", "cifar", "A")),
    ],
)
def test_outputs_of_their_networks_are_ours_bit_for_bit(make, name, naming, variant):
    theirs = random_network(make())
    state = nn.DataParallel(theirs).state_dict()
    definition = recognise(state, name, num_classes=10)
    assert (definition.lineage, definition.stem, definition.shortcut) == variant
    ours = definition.build().eval()
    found, converted = convert(state, ours.state_dict())
    assert found == naming
    ours.load_state_dict(converted)
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        logits = theirs(images)
        assert torch.equal(ours(images), logits)
    assert logits.std() > 0  # the images and the weights matter
    # and back into their network
    fresh = make()
    fresh.load_state_dict(export(ours.state_dict(), naming))
    with torch.inference_mode():
        assert torch.equal(fresh.eval()(images), logits)
