"""CUDA tensors without a GPU: operations check shapes, types and devices, and compute nothing."""

from contextlib import ExitStack, contextmanager
from unittest import mock

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode


def _apply(module, change, recurse=True):
    """nn.Module._apply swaps the data of tensors, which fake ones refuse: put new ones in."""
    for child in module.children():
        child._apply(change)
    for name, parameter in module._parameters.items():
        if parameter is not None:
            with torch.no_grad():
                module._parameters[name] = nn.Parameter(change(parameter), parameter.requires_grad)
    for name, buffer in module._buffers.items():
        if buffer is not None:
            module._buffers[name] = change(buffer)
    return module


def _fused_sgd(parameters, gradients, momenta, *, lr, **_):
    devices = {each.device.type for each in (*parameters, *gradients, *momenta, lr)}
    assert devices == {"cuda"}
    for parameter, gradient, momentum in zip(parameters, gradients, momenta, strict=True):
        assert parameter.stride() == gradient.stride() == momentum.stride()
        assert parameter.dtype == gradient.dtype == momentum.dtype


@contextmanager
def fake_cuda():
    """Inside, tensors can be on ``cuda``. There is no backward pass: it asks for a real device."""
    with ExitStack() as stack:
        for owner, name, stand_in in (
            (nn.Module, "_apply", _apply),
            (torch.cuda.amp.common, "amp_definitely_not_available", lambda: False),
            (torch.cuda, "is_current_stream_capturing", lambda: False),
            (torch.cuda, "is_bf16_supported", lambda *_, **__: True),
            (torch, "_fused_sgd_", _fused_sgd),
        ):
            stack.enter_context(mock.patch.object(owner, name, stand_in))
        stack.enter_context(FakeTensorMode(allow_non_fake_inputs=True))
        yield
