"""Which workloads are measured. No torch here."""

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Final, get_args

from bench.config.profiles import DEPTHS
from bench.errors import UsageError
from bench.records.schema import Precision
from bench.records.speed import NUMBER_BYTES, USUAL, Direction, Variant, Workload, layers_of
from resnet_models import MODELS as NETWORKS
from resnet_models import define

MODELS: Final = tuple(f"resnet{depth}" for depth in DEPTHS)
BATCH_SIZE: Final = {"cpu": 32, "cuda": 128}
DIRECTIONS: Final[tuple[Direction, ...]] = get_args(Direction)


def make_workload(
    model: str,
    direction: Direction,
    batch_size: int,
    precision: Precision,
    device: str,
    variant: Variant = USUAL,
) -> Workload:
    """The workload of ten classes, asked for as training asks for it.

    On CUDA a training step is one captured graph, but in float16, as in ``bench.training.engine``.

    Raises:
        UsageError: there is no such network, or it cannot train on a batch this small.
    """
    try:
        network = define(
            model,
            lineage=variant.lineage,
            stem=variant.stem,
            shortcut=variant.shortcut,
            num_classes=10,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    workload = Workload(
        model=model,
        lineage=network.lineage,
        stem=network.stem,
        shortcut=network.shortcut,
        resolution=variant.resolution,
        direction=direction,
        batch_size=batch_size,
        precision=precision,
        memory_format=variant.memory_format,
        compiled=variant.compiled,
        cuda_graph=device == "cuda" and direction == "training",
    )
    if batch_size < least_batch(workload):
        raise UsageError(
            f"{model} cannot train on a batch of {batch_size}: behind the {network.stem} stem its "
            "last stage is a single pixel, and BatchNorm needs two numbers. Choose --batch-size 2 "
            "or more."
        )
    return workload


def least_batch(workload: Workload) -> int:
    """The smallest batch that it can be measured with: BatchNorm trains on two numbers or more."""
    shapes = [layer.output_shape for layer in layers_of(workload) if layer.kind == "batch norm"]
    single = any(height * width == 1 for _, height, width in shapes)
    return 2 if single and workload.direction == "training" else 1


def least_bytes(workload: Workload) -> int:
    """Memory that it cannot do without, less than it needs.

    In training every BatchNorm keeps its input for the backward pass; in inference a convolution
    has its input and its output at once.
    """
    layers = layers_of(workload)
    if workload.direction == "training":
        numbers = sum(prod(layer.input_shape) for layer in layers if layer.kind == "batch norm")
    else:
        numbers = max(
            prod(layer.input_shape) + prod(layer.output_shape)
            for layer in layers
            if layer.kind == "convolution"
        )
    return workload.batch_size * numbers * NUMBER_BYTES[workload.precision]


def default_matrix(
    device: str,
    precisions: Sequence[Precision],
    *,
    models: Sequence[str] = MODELS,
    directions: Sequence[Direction] = DIRECTIONS,
    batch_size: int | None = None,
    variant: Variant = USUAL,
) -> list[Workload]:
    """Every model in every direction and precision, and inference of single images for latency.

    With a ``batch_size`` that one only. Neighbours differ in model, so that a slow spell of the
    machine does not hit one kind of workload alone.

    Raises:
        UsageError: as ``make_workload``.
    """

    def batches(direction: Direction) -> list[int]:
        if batch_size is not None:
            return [batch_size]
        return [BATCH_SIZE[device], *([1] if direction == "inference" else [])]

    return [
        make_workload(model, direction, batch, precision, device, variant)
        for precision, direction in product(precisions, directions)
        for batch in batches(direction)
        for model in models
    ]


def all_ways(workloads: Sequence[Workload], device: str, *, compiles: bool) -> list[Workload]:
    """Each training step in every way: kernel by kernel or captured, as it is or compiled."""
    graphs = (False, True) if device == "cuda" else (False,)
    return [
        workload.model_copy(update={"compiled": compiled, "cuda_graph": graph})
        for compiled, graph in product((False, True) if compiles else (False,), graphs)
        for workload in workloads
        if workload.direction == "training"
    ]


def sweep_start(workloads: Sequence[Workload]) -> list[Workload]:
    """The first point of a sweep for each kind of workload: its smallest batch."""
    smallest = [
        workload.model_copy(update={"batch_size": least_batch(workload)}) for workload in workloads
    ]
    return list({workload.id: workload for workload in smallest}.values())


def command(workload: Workload, device: str, rounds: int) -> str:
    """What measures ``workload`` again."""
    words = [
        f"python -m bench speed --models {workload.model} --stem {workload.stem}",
        f"--direction {workload.direction} --batch-size {workload.batch_size}",
        f"--precision {workload.precision}",
    ]
    if workload.lineage != USUAL.lineage:
        words.append(f"--lineage {workload.lineage}")
    if workload.shortcut != NETWORKS[workload.model].shortcuts[0]:
        words.append(f"--shortcut {workload.shortcut}")
    if workload.resolution != USUAL.resolution:
        words.append(f"--resolution {workload.resolution}")
    if workload.memory_format != USUAL.memory_format:
        words.append(f"--memory-format {workload.memory_format}")
    if workload.compiled:
        words.append("--compile on")
    if device != "cpu" and workload.direction == "training" and not workload.cuda_graph:
        words.append("--ways")
    return " ".join([*words, f"--rounds {rounds} --device {device}"])
