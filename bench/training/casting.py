"""All weights of a network in a lower precision at once, for steps that are many small kernels."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call


def call_in(dtype: torch.dtype, model: nn.Module, images: Tensor) -> Tensor:
    """``model(images)`` with the weights that autocast would cast, one by one, cast together.

    Rounding is autocast's, forward and backward. In a ResNet-18 it saves 40 kernels a step.
    """
    weights = {
        f"{name}.{kind}": parameter
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
        for kind, parameter in module.named_parameters(recurse=False)
    }
    cast: tuple[Tensor, ...] = _CastTogether.apply(dtype, *weights.values())
    logits: Tensor = functional_call(model, dict(zip(weights, cast, strict=True)), (images,))
    return logits


class _CastTogether(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, dtype: torch.dtype, *weights: Tensor) -> tuple[Tensor, ...]:
        return _copies(weights, dtype)

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return (None, *_copies(gradients, torch.float32))


def _copies(tensors: Sequence[Tensor], dtype: torch.dtype) -> tuple[Tensor, ...]:
    made = [torch.empty_like(tensor, dtype=dtype) for tensor in tensors]
    torch._foreach_copy_(made, list(tensors))
    return tuple(made)
