"""CUDA graphs: a call of fixed shapes, whose few hundred kernels are launched at once."""

import functools
from collections.abc import Callable, Hashable
from typing import Any, Final

import torch

from bench.data.batches import EpochPlan
from bench.training.engine import out_of_memory

# Calls that run before a capture: libraries choose their kernels in them.
CALLS_BEFORE_CAPTURE: Final = 3
# After so many the next one takes as long as all others: those before, the capture, a replay.
CALLS_TO_SETTLE: Final = CALLS_BEFORE_CAPTURE + 2

Work = Callable[[EpochPlan], None]
"""Does something with the images of a plan; keeps its results in tensors that were there before."""


class Graphs:
    """The captured calls of one trainer, which share the memory of what they make on the way.

    Attributes:
        problem: why a capture failed; from then on kernels are launched one by one.
        capturing: what runs now is captured, and happens only when it is replayed.
    """

    # It does not hold its trainer: a network thrown away must free its memory at once.
    def __init__(self, device: torch.device) -> None:
        self.problem: str | None = None
        self.capturing = False
        self._device = device
        self._calls: dict[Hashable, _Call] = {}
        self._pool: Any = None  # torch has no public name for its type

    def run(self, key: Hashable, work: Work, batch: EpochPlan) -> None:
        """``work(batch)``: the first few times one by one, then captured once and replayed.

        Args:
            key: of what is captured; the work of a key and the size of its batch are always the
                same.
            work: what to do; waits for nothing.
            batch: its images, copied to where the captured work reads them.

        Raises:
            RuntimeError: memory ran out.
        """
        call = self._calls.setdefault(key, _Call())
        if self.problem is None and call.number == CALLS_BEFORE_CAPTURE:
            self._capture(call, work, batch)
        if self.problem is not None:
            work(batch)
        elif call.number < CALLS_BEFORE_CAPTURE:
            stream = _side_stream(self._device)
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                work(batch)
            torch.cuda.current_stream().wait_stream(stream)
        else:
            call.replay(batch)
        call.number += 1

    def _capture(self, call: "_Call", work: Work, batch: EpochPlan) -> None:
        graph, plan = torch.cuda.CUDAGraph(), batch.clone()
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        self.capturing = True
        try:
            with (
                # Ending a failed capture raises before torch has put the stream back: this does.
                torch.cuda.stream(torch.cuda.current_stream()),
                # Other threads, such as a DataLoader's, may use the GPU meanwhile.
                torch.cuda.graph(
                    graph,
                    pool=self._pool,
                    stream=_side_stream(self._device),
                    capture_error_mode="thread_local",
                ),
            ):
                work(plan)
        except RuntimeError as error:
            _abandon(self._device, self._pool)
            if out_of_memory(error):
                raise
            self.problem = next(iter(str(error).splitlines()), type(error).__name__)
            self._calls.clear()
        else:
            call.graph, call.batch = graph, plan
        finally:
            self.capturing = False


class _Call:
    """One key: how often it ran, and once captured its graph and where that reads its images."""

    def __init__(self) -> None:
        self.number = 0
        self.graph: torch.cuda.CUDAGraph | None = None
        self.batch: EpochPlan | None = None

    def replay(self, batch: EpochPlan) -> None:
        assert self.graph is not None
        assert self.batch is not None
        self.batch.copy_(batch)
        self.graph.replay()


@functools.cache
def _side_stream(device: torch.device) -> torch.cuda.Stream:
    """One for all: cuBLAS keeps a workspace for every stream that it ever ran on."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch's gap


def _abandon(device: torch.device, pool: Any) -> None:
    """Undo what a failed capture leaves behind in torch, up to 2.11 at least.

    Ending it raises before the allocator is told, which then refuses to empty its cache and keeps
    the memory of the capture for ever; random numbers of the GPU count as captured ones.
    """
    index = device.index if device.index is not None else torch.cuda.current_device()
    try:
        torch._C._cuda_endAllocateToPool(index, pool)
    except RuntimeError:
        pass  # the allocator was told, and the graph gives its memory back itself
    else:
        torch._C._cuda_releasePool(index, pool)
    for generator in torch.cuda.default_generators:
        generator.graphsafe_set_state(generator.clone_state())
