"""How a case is timed. The same code on a CPU and on a GPU."""

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from bench.training.engine import EngineOptions, applied, choose_engine, synchronize
from bench.training.environment import choose_device
from tests.speed.cases import Case, Network, count

DIRECTIONS = ("forward", "forward+backward")
DEVICE = choose_device("auto")
# Images at a time: enough to keep the device busy, few enough for small memories.
BATCH_SIZES = {
    "cpu": {"table1": 8, "table6": 128, "network": 8},
    "cuda": {"table1": 64, "table6": 1024, "network": 64},
}
ENGINE = choose_engine(DEVICE, EngineOptions(precision="float32"), batch_size=1)


def clock() -> float:
    """Seconds, once the device has done all that was asked of it."""
    synchronize(DEVICE)
    return time.perf_counter()


def batch_size(case: Case) -> int:
    sizes = BATCH_SIZES[DEVICE.type]
    return sizes["network" if isinstance(case, Network) else case.definition.spec.family]


def prepare(case: Case, direction: str, images: int) -> Callable[[], object]:
    """One repetition: a forward pass in evaluation mode, or forward and backward in training mode.

    Backward starts from a gradient of ones and ends with those of the parameters, and of the input
    but for a whole network, whose input are images.
    """
    torch.manual_seed(0)
    layout = torch.channels_last
    module = case.build().to(DEVICE).to(memory_format=layout)
    x = torch.randn(images, *case.input_shape, device=DEVICE).to(memory_format=layout)
    _fit_statistics(module, x)
    if direction == "forward":
        module.eval()

        def forward() -> Tensor:
            with torch.inference_mode():
                return module(x)

        return forward

    module.train()
    wanted: list[Tensor] = [*module.parameters()]
    if not isinstance(case, Network):
        wanted.append(x.requires_grad_())
    ones = torch.ones_like(module(x))
    return lambda: torch.autograd.grad(module(x), wanted, ones)


def _fit_statistics(module: nn.Module, x: Tensor) -> None:
    """Set BatchNorm's running statistics to those of ``x``: deep sums would overflow without."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = 1.0
    with torch.no_grad(), applied(ENGINE):
        module.train()(x)


def facts(case: Case, direction: str, images: int) -> dict[str, object]:
    """What the stored result says beside the times; MACs are those of one image, forward."""
    return case.words | {
        "direction": direction,
        "input_shape": list(case.input_shape),
        "batch_size": images,
        "macs": count(case, "macs"),
        "parameters": count(case, "parameters"),
        "dtype": "tf32" if ENGINE.tf32 else "float32",
        "device": DEVICE.type,
        "threads": torch.get_num_threads(),
    }
