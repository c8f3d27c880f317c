"""How strongly the layers of a network respond, and how the gradient passes its blocks.

The first is Figure 7 of the paper (section 4.2, "Analysis of Layer Responses"); the second puts
figures to equation 1, whose derivative is dH/dx = F'(x) + 1.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.data.batches import DeviceData
from bench.records.schema import Moment, Signals
from resnet_models import Definition
from resnet_models.blocks import Conv3x3, ResidualBlock

MOST_IMAGES: Final = 64


def images_for(micro_batch_size: int) -> int:
    """Half a micro-batch: in float32 it takes no more memory than a whole one in bfloat16."""
    return min(MOST_IMAGES, max(2, micro_batch_size // 2))


def measure(model: nn.Module, data: DeviceData, images: int, moment: Moment) -> Signals:
    """Signals of ``model`` on the first ``images`` of ``data``, unaugmented, in float32.

    BatchNorm normalises by this batch, as in training. Weights, gradients, running statistics and
    random numbers are left as they were, so that training goes the same way with it and without.
    """
    blocks = _named(model, ResidualBlock)
    norms = {name: model.get_submodule(_norm_of(name)) for name in _named(model, Conv3x3)}
    responses: dict[str, Tensor] = {}
    gradients: dict[str, Tensor] = {}

    def watch_response(name: str, _norm: nn.Module, _inputs: object, output: Tensor) -> None:
        responses[name] = output.detach().double().std()

    def watch_gradient(name: str, _block: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        def keep(gradient: Tensor) -> None:
            gradients[name] = gradient.double().norm()

        inputs[0].register_hook(keep)  # type: ignore[no-untyped-call]  # torch's gap

    with ExitStack() as stack:
        for name, norm in norms.items():
            stack.enter_context(norm.register_forward_hook(partial(watch_response, name)))
        for name, block in blocks.items():
            stack.enter_context(block.register_forward_pre_hook(partial(watch_gradient, name)))
        stack.enter_context(_batch_statistics(model))
        inputs, labels = data.batch(torch.arange(images, device=data.labels.device))
        F.cross_entropy(model(inputs), labels).backward()  # type: ignore[no-untyped-call]  # ditto
    weights = [_gradient_norm(model.get_submodule(name)) for name in norms]
    model.zero_grad(set_to_none=True)
    return Signals(
        moment=moment,
        images=images,
        layers=tuple(norms),
        response_std=tuple(float(responses[name]) for name in norms),
        weight_gradient_norm=tuple(weights),
        blocks=tuple(blocks),
        input_gradient_norm=tuple(float(gradients[name]) for name in blocks),
    )


def at_initialisation(definition: Definition, data: DeviceData, seed: int) -> Signals:
    """Signals of a network as section 4.2 begins to train it: He's weights, no gamma at zero.

    The weights of ``seed`` are those that a cell of this seed starts with. Torch's global generator
    is set to it.
    """
    torch.manual_seed(seed)
    model = definition.build().to(data.labels.device).to(memory_format=torch.channels_last)
    return measure(model, data, min(MOST_IMAGES, len(data)), "initial")


def _named(model: nn.Module, kind: type[nn.Module]) -> dict[str, nn.Module]:
    return {name: module for name, module in model.named_modules() if isinstance(module, kind)}


def _norm_of(convolution: str) -> str:
    """``layer1.0.bn2`` for ``layer1.0.conv2``."""
    block, dot, name = convolution.rpartition(".")
    return f"{block}{dot}{name.replace('conv', 'bn')}"


def _gradient_norm(convolution: nn.Module) -> float:
    gradient = convolution.get_parameter("weight").grad
    assert gradient is not None
    return float(gradient.double().norm())  # squares of small float32 numbers vanish


@contextmanager
def _batch_statistics(model: nn.Module) -> Iterator[None]:
    """Training mode, in which BatchNorm keeps no running statistics for the time being."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    was_training = model.training
    model.train()
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
        model.train(was_training)
