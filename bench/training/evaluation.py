"""Looking at the images of a data set once, without training on them."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.data.batches import DeviceData, EpochPlan
from bench.records.schema import Precision
from bench.training.engine import autocast
from bench.training.graphs import Graphs

# Large enough to keep a device busy, small enough for the activations of ResNet-152.
BATCH_SIZE = {"cpu": 250, "cuda": 2000}


class Look(NamedTuple):
    """What came of looking at images once.

    Attributes:
        predicted: class of each, (images,) bytes on the device.
    """

    images: int
    correct: int
    loss: float
    predicted: Tensor


@torch.inference_mode()
def predict(model: nn.Module, images: Tensor, precision: Precision) -> Tensor:
    """Float32 logits (B, classes) of images (B, C, H, W), in evaluation mode."""
    if model.training:  # it takes a walk through all modules to switch
        model.eval()
    with autocast(images.device, precision):
        logits: Tensor = model(images)
    return logits.float()


class Evaluator:
    """Looks at ``data`` with ``model``, time and again.

    Args:
        model: as it stands at each look.
        data: on the model's device.
        precision: of products and convolutions.
        graphs: where whole batches are captured; None: nowhere.
    """

    def __init__(
        self, model: nn.Module, data: DeviceData, precision: Precision, graphs: Graphs | None = None
    ) -> None:
        self.model = model
        self.data = data
        self.precision = precision
        self.graphs = graphs
        self._key = object()  # of its captured call; itself would hold the model
        device = data.labels.device
        self._loss = torch.zeros((), dtype=torch.float64, device=device)
        self._correct = torch.zeros((), dtype=torch.int64, device=device)
        self._predicted = torch.zeros(len(data), dtype=torch.uint8, device=device)

    def look(self, images: int | None = None, *, first: int = 0) -> Look:
        """Look at ``images`` (None: all) from the one numbered ``first`` on, once each."""
        end = len(self.data) if images is None else min(first + images, len(self.data))
        return self.look_at(torch.arange(first, end, device=self.data.labels.device))

    @torch.inference_mode()
    def look_at(self, indices: Tensor) -> Look:
        """Look at the images of ``indices`` (images,), each there once, in that order."""
        whole = BATCH_SIZE[indices.device.type]
        self._loss.zero_()
        self._correct.zero_()
        for part in torch.split(indices, whole):
            batch = EpochPlan(part, None, None)
            if self.graphs and len(part) == whole:
                self.graphs.run(self._key, self._add, batch)
            else:
                self._add(batch)
        images = len(indices)
        mean = float(self._loss) / images
        return Look(images, int(self._correct), mean, self._predicted[indices])

    def _add(self, batch: EpochPlan) -> None:
        inputs, labels = self.data.batch(batch.indices)
        logits = predict(self.model, inputs, self.precision)
        self._loss += F.cross_entropy(logits, labels, reduction="sum")
        classes = logits.argmax(1)
        self._correct += (classes == labels).sum()
        self._predicted[batch.indices] = classes.to(torch.uint8)
