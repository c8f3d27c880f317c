"""The loop of tutorials and of the CIFAR-10 repositories, to be measured against.

torchvision's dataset, PIL transforms image by image, a DataLoader with two workers, float32,
loss.item() every step. Better than most copies of it, the workers stay alive between epochs and
images come from pinned memory on a GPU.
"""

import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision import transforms

from bench.config import recipes
from bench.data.batches import PAD
from bench.data.datasets import Dataset
from resnet_models import Definition

WORKERS: Final = 2
RATE: Final = 0.01  # small, so that no loss diverges: not-a-numbers have speeds of their own

Loop = Callable[[int], None]
"""Trains for a number of steps."""


def their_loop(
    definition: Definition, dataset: Dataset, device: torch.device, batch_size: int
) -> Loop:
    """The loop that everybody copies; its workers end when nothing refers to it any more."""
    recipe = recipes.full("cifar10")
    torch.manual_seed(0)
    model = definition.build().to(device).train()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=RATE, momentum=recipe.momentum, weight_decay=recipe.weight_decay
    )
    with warnings.catch_warnings():
        # That there are fewer than two CPUs, or that a process with threads should not fork: both
        # are as everybody has it.
        warnings.simplefilter("ignore")
        loader = DataLoader(
            as_torchvision(dataset),
            batch_size=batch_size,
            shuffle=True,
            num_workers=WORKERS,
            pin_memory=device.type == "cuda",
            drop_last=True,
            persistent_workers=True,
        )
        batches = without_end(lambda _epoch: iter(loader))
        next(batches)  # starts the workers

    def run(steps: int) -> None:
        loss_sum, correct = 0.0, 0
        for _ in range(steps):
            images, labels = (part.to(device) for part in next(batches))
            optimizer.zero_grad()
            logits: Tensor = model(images)
            loss = F.cross_entropy(logits, labels)
            loss.backward()  # type: ignore[no-untyped-call]  # torch's gap
            optimizer.step()
            loss_sum += loss.item()
            correct += int(logits.argmax(1).eq(labels).sum().item())

    return run


def as_torchvision(dataset: Dataset) -> torchvision.datasets.CIFAR10:
    """The training set as torchvision's own dataset, which makes a PIL image of each sample."""
    spec = dataset.spec
    # Its constructor reads files; the images are at hand, verified.
    made = torchvision.datasets.CIFAR10.__new__(torchvision.datasets.CIFAR10)
    made.data, made.targets = dataset.train.images, dataset.train.labels.tolist()
    made.target_transform = None
    made.transform = transforms.Compose(
        [
            transforms.RandomCrop(spec.resolution, padding=PAD),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(spec.channel_mean, spec.channel_std),
        ]
    )
    return made


def without_end(epoch_batches: Callable[[int], Iterator[Any]]) -> Iterator[Any]:
    """Batches, epoch after epoch."""
    epoch = 0
    while True:
        epoch += 1
        yield from epoch_batches(epoch)
