"""Weights that are cast together give the bits that autocast gives, forward and backward."""

import pytest
import torch
import torch.nn.functional as F

from bench.records.schema import Precision
from bench.training.casting import call_in
from bench.training.engine import DTYPES, autocast
from resnet_models import build

CPU = torch.device("cpu")


@pytest.mark.parametrize("precision", DTYPES)
def test_rounding_is_that_of_autocast(precision: Precision):
    torch.manual_seed(0)
    model = build("cifar_resnet20", in_channels=3, num_classes=10)
    images, labels = torch.randn(4, 3, 16, 16), torch.arange(4)
    results = []
    for together in (False, True):
        model.zero_grad()
        with autocast(CPU, precision):
            logits = call_in(DTYPES[precision], model, images) if together else model(images)
        for _ in range(2):  # gradients add up in float32
            F.cross_entropy(logits.float(), labels).backward(retain_graph=True)
        gradients = [parameter.grad for parameter in model.parameters()]
        results.append((logits, gradients))
        assert {gradient.dtype for gradient in gradients} == {torch.float32}
    torch.testing.assert_close(*results, rtol=0, atol=0)
