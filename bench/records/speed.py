"""The stored timings of one workload, and of the machine itself. Raw samples only. No torch here.

Rates, medians, intervals and shares of a limit are derived when they are read.
"""

from dataclasses import dataclass
from typing import Final, Literal, Self

from pydantic import AwareDatetime, Field, NonNegativeInt, model_validator

from bench.config.cell import NamedNetwork
from bench.config.recipe import Count
from bench.records.schema import Environment, PeakMemory, Precision, Seconds, Stored
from resnet_models import Definition
from resnet_models.layers import Layer, layer_table
from resnet_models.spec import Lineage, Shortcut, Stem

SCHEMA_VERSION: Final = 1

Direction = Literal["training", "inference"]
MemoryFormat = Literal["channels_last", "contiguous"]


class Workload(NamedNetwork):
    """What is timed: all that decides how much work it is, and how the machine is asked for it."""

    lineage: Lineage = "paper"
    in_channels: Count = 3
    classes: Count = 10
    resolution: Count = 32  # pixels of an image, a side
    direction: Direction  # a whole training step, or a forward pass
    batch_size: Count
    precision: Precision
    memory_format: MemoryFormat = "channels_last"
    compiled: bool = False
    cuda_graph: bool = False

    @property
    def id(self) -> str:
        words = [
            *(self.name, self.lineage, self.stem, f"{self.in_channels}x{self.resolution}"),
            *(f"{self.classes}classes", self.direction, f"batch{self.batch_size}", self.precision),
        ]
        words += [self.memory_format] if self.memory_format != "channels_last" else []
        words += ["compiled"] if self.compiled else []
        words += ["graph"] if self.cuda_graph else []
        return "-".join(words)


class Conditions(Stored):
    """What else went on, where it can be read: None means that it cannot."""

    load_before: float | None  # processes that want a CPU, over a minute
    foreign_cpu_share: float | None  # of all CPU time while measuring, what other programs took
    cpu_governor: str | None  # of Linux, such as performance or powersave
    gpu_clock_mhz: int | None  # of the multiprocessors, right after measuring
    gpu_throttle_reasons: tuple[str, ...] = ()  # active ones
    warnings: tuple[str, ...] = ()  # what may have spoilt it, in words


class StepSplit(Stored):
    """Where the time of training steps goes; each phase was synchronised, so the sum is longer."""

    data: tuple[Seconds, ...]
    forward: tuple[Seconds, ...]
    backward: tuple[Seconds, ...]
    optimizer: tuple[Seconds, ...]


class SpeedRecord(Stored):
    """The versioned result of one workload; a failure is a record too."""

    schema_version: Literal[1] = SCHEMA_VERSION
    workload: Workload
    status: Literal["completed", "failed"]
    reason: str | None  # why it failed, for people
    command: str  # makes this record again
    started_at: AwareDatetime
    finished_at: AwareDatetime
    environment: Environment
    conditions: Conditions
    parameters: Count
    macs: Count  # one image, forward
    warmup: tuple[tuple[Seconds, ...], ...]  # of each round, not counted
    # seconds per repetition; rounds lie apart, with other workloads between them
    rounds: tuple[tuple[Seconds, ...], ...]
    split: StepSplit | None
    peak_memory: PeakMemory | None
    energy_joules: float | None  # of all counted repetitions, by NVML

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.status == "completed" and not any(self.rounds):
            raise ValueError("completed without a sample")
        return self

    @property
    def id(self) -> str:
        return self.workload.id

    @property
    def samples(self) -> tuple[float, ...]:
        return tuple(seconds for each in self.rounds for seconds in each)


class Limits(Stored):
    """What the machine can do at most, measured: the roof of the roofline."""

    schema_version: Literal[1] = SCHEMA_VERSION
    command: str  # makes this record again
    started_at: AwareDatetime
    finished_at: AwareDatetime
    environment: Environment
    conditions: Conditions
    product_size: Count  # side of the square matrices
    product_seconds: dict[Precision, tuple[Seconds, ...]]  # of one, 2 * product_size**3 operations
    convolution_operations: NonNegativeInt = 0  # of one 3x3 convolution
    # of one; libraries may do it faster than a product
    convolution_seconds: dict[Precision, tuple[Seconds, ...]] = Field(default_factory=dict)
    copy_bytes: Count  # read and written by one copy, both counted
    copy_seconds: tuple[Seconds, ...]

    @property
    def id(self) -> str:
        return "machine"  # a folder has but one


NUMBER_BYTES: Final[dict[Precision, int]] = {"float32": 4, "bfloat16": 2, "float16": 2}


def definition(workload: Workload) -> Definition:
    return workload.define(in_channels=workload.in_channels, num_classes=workload.classes)


def layers_of(workload: Workload) -> list[Layer]:
    return layer_table(definition(workload), workload.resolution)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What all workloads of a matrix share; stem and shortcut are the published ones where None."""

    lineage: Lineage = "paper"
    stem: Stem | None = None
    shortcut: Shortcut | None = None
    resolution: int = 32
    memory_format: MemoryFormat = "channels_last"
    compiled: bool = False


USUAL: Final = Variant()
