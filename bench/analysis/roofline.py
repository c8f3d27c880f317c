"""What a machine could reach at most on a workload: the roofline model. No torch here.

Convention. Counted are convolutions, the linear layer, the cast of the weights and the optimizer,
as if all others cost nothing: what is left out makes the bound optimistic, never too strict. A
multiply-add is two operations; those with padding are not counted, because nobody has to do them. A
layer reads its weights and its input once and writes its output once, in numbers of the workload's
precision. Training does that three times: forward, gradient of the input, gradient of the weights;
the first layer needs no gradient of its input. The cast and the optimizer, SGD with momentum, move
all weights, also those that only meet padding, and their few operations are not counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from bench.records.schema import Precision
from bench.records.speed import NUMBER_BYTES, Limits, SpeedRecord, Workload, layers_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    operations: int
    moved_bytes: int

    @property
    def intensity(self) -> float:
        return self.operations / self.moved_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Roof:
    """What the machine did at most, in one precision."""

    operations_per_second: float
    bytes_per_second: float

    def attainable(self, work: Work) -> float:
        """Operations a second that a single layer with the intensity of ``work`` could reach."""
        return min(self.operations_per_second, work.intensity * self.bytes_per_second)

    def least_seconds(self, layers: list[Work]) -> float:
        return sum(
            max(
                layer.operations / self.operations_per_second,
                layer.moved_bytes / self.bytes_per_second,
            )
            for layer in layers
        )


def work_of(workload: Workload) -> list[Work]:
    """Of a repetition: that of each layer, then what is done to the weights, if anything."""
    weights = weight_bytes(workload)
    besides = [Work(operations=0, moved_bytes=weights)] if weights else []
    return work_by_layer(workload) + besides


def weight_bytes(workload: Workload) -> int:
    """Moved by casting the weights to the workload's precision, and by the optimizer."""
    layers, number_bytes = layers_of(workload), NUMBER_BYTES[workload.precision]
    moved = 0
    if workload.precision != "float32":  # read in float32 and written; BatchNorm's stay as they are
        cast = sum(layer.parameters for layer in layers if layer.macs)
        moved += cast * (NUMBER_BYTES["float32"] + number_bytes)
    if workload.direction == "training":  # weight, gradient and momentum read, two of them written
        moved += 5 * sum(layer.parameters for layer in layers) * NUMBER_BYTES["float32"]
    return moved


def work_by_layer(workload: Workload) -> list[Work]:
    return list(_work_by_layer(workload))


def _work_by_layer(workload: Workload) -> Iterator[Work]:
    training = workload.direction == "training"
    number_bytes, images = NUMBER_BYTES[workload.precision], workload.batch_size
    passes = 2 if training else 1  # of the first layer, which sees the images
    for layer in layers_of(workload):
        if not layer.macs:
            continue
        numbers = layer.live_parameters + images * (
            prod(layer.input_shape) + prod(layer.output_shape)
        )
        yield Work(
            operations=2 * passes * images * layer.live_macs,
            moved_bytes=passes * numbers * number_bytes,
        )
        passes = 3 if training else 1


def whole(layers: list[Work]) -> Work:
    return Work(
        operations=sum(layer.operations for layer in layers),
        moved_bytes=sum(layer.moved_bytes for layer in layers),
    )


def roof(limits: Limits, precision: Precision) -> Roof | None:
    """By the best samples: whatever disturbs one makes it longer, never shorter.

    The faster one of product and convolution counts. None where ``precision`` was not measured,
    because the machine only emulates it.
    """
    measured = (
        (2 * limits.product_size**3, limits.product_seconds.get(precision)),
        (limits.convolution_operations, limits.convolution_seconds.get(precision)),
    )
    rates = [operations / min(seconds) for operations, seconds in measured if seconds]
    if not rates or not limits.copy_seconds:
        return None
    return Roof(
        operations_per_second=max(rates),
        bytes_per_second=limits.copy_bytes / min(limits.copy_seconds),
    )


def roof_of(record: SpeedRecord, limits: Limits | None) -> Roof | None:
    """The roof over ``record``; None where ``limits`` are missing or of another machine."""
    if limits is None or _machine(record) != _machine(limits):
        return None
    return roof(limits, record.workload.precision)


def _machine(stored: SpeedRecord | Limits) -> tuple[object, ...]:
    environment = stored.environment
    return environment.device, environment.device_name, environment.threads, environment.torch
