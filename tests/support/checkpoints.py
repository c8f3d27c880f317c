"""Files and a test set for ``bench evaluate``, and the command in this process."""

import io
import sys

import pytest
import torch

from bench.cli import app
from bench.data.datasets import SPECS
from resnet_models import build
from tests.support.small import small_dataset

STATE = {
    "conv1.weight": torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(0)),
    "bn1.num_batches_tracked": torch.tensor(5),
    "fc.bias": torch.arange(10.0),
}


def saved(content, **options):
    """The bytes that torch.save writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def legacy(content):
    """The bytes that torch.save wrote before PyTorch 1.6."""
    return saved(content, _use_new_zipfile_serialization=False)


TEST = {name: small_dataset(name, train=1, test=40) for name in SPECS}


def network(name="cifar_resnet20", **options):
    """In evaluation mode, with errors that depend on the normalisation."""
    torch.manual_seed(1)
    model = build(name, **options)
    for norm in (model.bn1, model.layer1[0].bn1):
        torch.nn.init.normal_(norm.running_mean)
    return model.eval()


def options(checkpoint, out, *more, model="cifar_resnet20", dataset="cifar10"):
    """Arguments of ``bench evaluate``; the last of equal ones counts."""
    named = ["--checkpoint", checkpoint, "--model", model, "--dataset", dataset, "--out", out]
    return [*named, "--device", "cpu", *more]


def make_command(monkeypatch, capsys):
    """A function from arguments to exit code, standard output and error, on the small test set."""
    monkeypatch.setattr("bench.data.sources.load", lambda name, **_: TEST[name])
    monkeypatch.setenv("COLUMNS", "300")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bench", "evaluate", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            app.main()
        out, err = capsys.readouterr()
        return caught.value.code, out, err

    return run
