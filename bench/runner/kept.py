"""The weights of our own cells: written beside their record, and evaluated again."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import safetensors.torch
import torch
from torch import nn

from bench.errors import UsageError
from bench.records import weights
from bench.records.evaluations import Evaluation
from bench.records.schema import Record
from bench.runner.request import Request
from resnet_models.hub import ABOUT

LICENCE: Final = "MIT"


def encode(network: nn.Module, record: Record) -> bytes:
    """The state dict of ``network`` as a safetensors file whose header says what it is of.

    Raises:
        Exception: a network of a user's own has a state that is not tensors alone.
    """
    assert record.final is not None
    about = {
        "cell": record.cell.id,
        **record.cell.model_dump(exclude={"recipe"}, exclude_none=True),
        "recipe": record.recipe.model_dump(mode="json"),
        "test_accuracy": record.final.test_accuracy,
        "test_images": record.final.test_images,
        "commit": record.environment.commit,
        "license": LICENCE,
    }
    # Copies: in training kernels lie with their channels last, and a user's may share memory.
    state = {
        name: torch.clone(tensor.detach().cpu(), memory_format=torch.contiguous_format)
        for name, tensor in network.state_dict().items()
    }
    # One entry: safetensors writes several in an order of chance, and the same run is to give the
    # same file.
    return safetensors.torch.save(state, {ABOUT: json.dumps(about)})


@dataclass(frozen=True, slots=True)
class Kept:
    """The weights of a record, proven to be its own."""

    record: Record
    path: Path

    @property
    def request(self) -> Request:
        """What evaluates them as they were trained.

        Raises:
            UsageError: the network is a user's own.
        """
        cell = self.record.cell
        if cell.lineage == "custom":
            raise UsageError(
                f"--record {cell.id}: only you can build this network; give it the weights by "
                f"load_state_dict(safetensors.torch.load_file({str(self.path)!r}))"
            )
        return Request(
            checkpoint=self.path,
            model=cell.model,
            dataset=cell.dataset,
            normalize=self.record.recipe.normalisation,
            lineage=cell.lineage,
        )

    def beside(self, evaluation: Evaluation) -> str:
        """What was measured at the end of training, beside ``evaluation``; for people."""
        assert self.record.final is not None
        error = 100 * (1 - self.record.final.test_accuracy)
        precision = self.record.engine.precision
        lower = "" if precision == "float32" else f", in {precision} instead of float32"
        return (
            f"The record has {error:.2f} % on {self.record.final.test_images:,} images{lower}: "
            f"a difference of {evaluation.score.error_percent - error:+.2f} points."
        )


def find(results: Path, cell_id: str) -> Kept:
    """The weights of a cell in the results folder ``results``.

    Raises:
        UsageError: there is no such record, or it kept none.
        BenchError: they are not those that were written with it.
    """
    return Kept(*weights.find(results, cell_id))
