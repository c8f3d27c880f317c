"""Files of somebody else's, and a test set for ``bench evaluate``."""

import io
import os

import torch

from bench.data.datasets import SPECS
from resnet_models import build
from tests.support.small import small_dataset

STATE = {
    "conv1.weight": torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(0)),
    "bn1.num_batches_tracked": torch.tensor(5),
    "fc.bias": torch.arange(10.0),
}
TEST = {name: small_dataset(name, train=1, test=40) for name in SPECS}


class Payload:
    """Makes a file when it is unpickled by anything but a safe loader."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


def saved(content, **options):
    """The bytes that torch.save writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def legacy(content):
    """The bytes that torch.save wrote before PyTorch 1.6."""
    return saved(content, _use_new_zipfile_serialization=False)


def network(name="cifar_resnet20", **options):
    """In evaluation mode, with errors that depend on the normalisation."""
    torch.manual_seed(1)
    model = build(name, **options)
    for key, mean in model.named_buffers():
        if key in ("bn1.running_mean", "layer1.0.bn1.running_mean"):
            torch.nn.init.normal_(mean)
    return model.eval()
