"""CUDA graphs on a CPU: what a capture would bake in wrongly shows as a difference.

A captured operation is not executed: here it is, and undone at the end. A replay executes the
recorded operations again, on the same tensors, and puts what they give where it was at first. So a
number of Python that changes from step to step, a tensor that is made anew or a branch on data
gives other results than the step itself.
"""

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

POOL = (0, 1)


class Recorder(TorchDispatchMode):
    """Executes operations, remembers them, and what was in all memory that they found."""

    def __init__(self):
        super().__init__()
        self.operations = []
        self.found, self.made = {}, {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("operation not permitted when stream is capturing")
        kwargs = kwargs or {}
        for place, storage in _storages((args, kwargs)).items():
            if place not in self.found and place not in self.made:
                self.found[place] = (storage, storage.clone())
        out = func(*args, **kwargs)
        self.operations.append((func, args, kwargs, out))
        self.made |= {
            place: each for place, each in _storages(out).items() if place not in self.found
        }
        return out

    def undo(self):
        for storage, before in self.found.values():
            storage.copy_(before)


def _storages(values):
    tensors = [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]
    return {each.untyped_storage().data_ptr(): each.untyped_storage() for each in tensors}


class Graph:
    """In place of torch.cuda.CUDAGraph."""

    operations: list

    def replay(self):
        with torch.no_grad():
            for func, args, kwargs, out in self.operations:
                again = func(*args, **kwargs)
                for old, new in zip(tree_leaves(out), tree_leaves(again), strict=True):
                    if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                        old.copy_(new)


class Allocator:
    """What of torch's allocator a capture uses: the pools that are in use, and how often."""

    def __init__(self):
        self.underway, self.uses = [], 0
        self.modes = []
        self.captures = 0

    @contextmanager
    def graph(self, graph, *, pool, capture_error_mode, **_):
        """In place of torch.cuda.graph, as torch 2.11 has it: a failure leaves the pool in use."""
        assert not self.underway
        self.modes.append(capture_error_mode)
        self.underway.append(pool)
        self.uses += 1
        recorder = Recorder()
        try:
            with recorder:
                yield
        finally:
            recorder.undo()
        self.underway.remove(pool)
        graph.operations = recorder.operations
        self.captures += 1

    def end(self, _device, pool):
        if pool not in self.underway:
            raise RuntimeError("endAllocatePool: not currently recording to mempool_id")
        self.underway.remove(pool)

    def release(self, _device, _pool):
        self.uses -= 1


@pytest.fixture
def cuda_graphs(monkeypatch):
    """CPU tensors whose calls are "captured"; gives the allocator."""
    allocator = Allocator()
    stream = SimpleNamespace(
        wait_stream=lambda _: None, is_capturing=lambda: bool(allocator.underway)
    )
    for name, stand_in in (
        ("CUDAGraph", Graph),
        ("graph", allocator.graph),
        ("graph_pool_handle", lambda: POOL),
        ("Stream", lambda _device: stream),
        ("current_stream", lambda: stream),
        ("current_device", lambda: 0),
        ("stream", lambda _stream: nullcontext()),
        ("is_available", lambda: True),
        ("is_current_stream_capturing", lambda: bool(allocator.underway)),
    ):
        monkeypatch.setattr(torch.cuda, name, stand_in)
    # What an optimizer asks, of a newer torch and of an older one.
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: torch.device("cuda"))
    monkeypatch.setattr(torch.accelerator, "current_stream", lambda: stream)
    monkeypatch.setattr(torch._C, "_cuda_endAllocateToPool", allocator.end, raising=False)
    monkeypatch.setattr(torch._C, "_cuda_releasePool", allocator.release, raising=False)
    monkeypatch.setattr("bench.training.graphs._side_stream", lambda _: stream)
    return allocator
