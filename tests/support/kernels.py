"""How many kernels a GPU would launch for a training step: its operations, weighted."""

import collections
from math import ceil

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bench.data.batches import epoch_plan
from bench.records.schema import Engine
from bench.training.loop import Data
from bench.training.trainer import Trainer
from resnet_models import define
from tests.support.small import small_dataset, small_recipe

CPU = torch.device("cpu")
# Views and memory launch nothing.
NOTHING = {
    "_fused_sgd_", "_record_function_enter_new", "_record_function_exit", "alias", "as_strided",
    "as_strided_", "detach", "empty", "empty_like", "empty_strided", "expand", "lift_fresh",
    "new_empty_strided", "permute", "prims::convert_element_type", "reshape", "select", "slice",
    "split", "squeeze", "t", "transpose", "unbind", "unfold", "unsqueeze", "view", "_unsafe_view",
    "_reshape_alias",
}  # fmt: skip
# Gradients of image and weight; statistics and what they are used for.
SEVERAL = {"convolution_backward": 2, "native_batch_norm": 2, "native_batch_norm_backward": 2}
# Tensors that one launch takes in, by the number of lists (torch's multi_tensor_apply).
LISTS = {"_foreach_add_": 110, "_foreach_copy_": 64}


class Counting(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.kernels: collections.Counter[str] = collections.Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name().removeprefix("aten::").partition(".")[0]
        if name == "_fused_sgd_":  # parameters, gradients and momenta
            self.kernels[name] += ceil(len(args[0]) / 48)
        elif name in LISTS:
            self.kernels[name] += ceil(len(args[0]) / LISTS[name])
        elif name not in NOTHING and not name.startswith("profiler"):
            self.kernels[name] += SEVERAL.get(name, 1)
        return func(*args, **(kwargs or {}))


def of_a_step(model, stem, precision="bfloat16"):
    """By operation, of one step on 32x32 images as it would be captured."""
    engine = Engine(precision=precision, micro_batch_size=8, cuda_graph=True)
    recipe = small_recipe(batch_size=8, optimizer="sgd", augmentation="crop_flip")
    network = define(model, stem=stem, in_channels=3, num_classes=10).build()
    trainer = Trainer(network, recipe, CPU, engine)
    data = Data.on(CPU, small_dataset("cifar10", train=8, test=8)).train
    plan = epoch_plan(0, 1, 8, None, "crop_flip")
    with Counting() as counting:
        trainer.eager_step(data, plan)
    return counting.kernels
