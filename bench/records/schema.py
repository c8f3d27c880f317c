"""The stored result of one cell. Raw values only: rates, means and percentages are derived.

No torch here: rendering a report reads records on any laptop.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from bench.config.cell import Cell
from bench.config.recipe import LARGEST_COUNT, Count, Recipe

SCHEMA_VERSION: Final = 7

Precision = Literal["float32", "bfloat16", "float16"]


class Stored(BaseModel):
    """What is written to disk: frozen, and nothing in it that the schema does not know."""

    # A diverged loss is NaN or infinite and must survive the round trip through JSON.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        ser_json_inf_nan="constants",
        json_schema_serialization_defaults_required=True,  # what has a default is written too
    )


Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class EpochRecord(Stored):
    """One epoch: sums and counts, from which loss and accuracy follow.

    Training figures are running ones, taken in training mode while the weights change.
    """

    epoch: int = Field(ge=1)
    steps: Count
    learning_rate: float  # of the epoch's last step
    train_images: Count
    train_correct: int = Field(ge=0)
    train_loss: float  # mean cross-entropy per image, nats
    train_seconds: Seconds
    test_images: Count
    test_correct: int = Field(ge=0)
    test_loss: float  # mean cross-entropy per image, nats
    test_seconds: Seconds
    validation_images: int = Field(default=0, ge=0, lt=LARGEST_COUNT)  # held out from training
    validation_correct: int = Field(default=0, ge=0)
    validation_loss: float | None = None  # mean per image, nats

    @model_validator(mode="after")
    def _no_more_correct_than_seen(self) -> Self:
        for part in ("train", "test", "validation"):
            if getattr(self, f"{part}_correct") > getattr(self, f"{part}_images"):
                raise ValueError("more correct predictions than images")
        return self

    @property
    def train_accuracy(self) -> float:
        return self.train_correct / self.train_images

    @property
    def test_accuracy(self) -> float:
        return self.test_correct / self.test_images

    @property
    def validation_accuracy(self) -> float | None:
        images = self.validation_images
        return self.validation_correct / images if images else None


class CleanTraining(Stored):
    """The final weights on images that they were trained on, in evaluation mode, unaugmented."""

    images: Count  # those of the last epoch, each once
    correct: int = Field(ge=0)
    loss: float  # mean cross-entropy per image, nats

    @model_validator(mode="after")
    def _no_more_correct_than_seen(self) -> Self:
        if self.correct > self.images:
            raise ValueError("more correct predictions than images")
        return self

    @property
    def accuracy(self) -> float:
        return self.correct / self.images


class Cost(Stored):
    """Analytic cost. MACs: multiply-adds of convolutions and fully connected layers."""

    parameters: Count
    macs: Count  # one image of input_shape, forward
    input_shape: tuple[Count, Count, Count]  # (C, H, W) the cell trains on
    table1_parameters: Count | None  # 3 channels, 1000 classes; None for networks of Table 6
    table1_macs: Count | None  # one 224x224 image, 3 channels, 1000 classes; None as above


class Speed(Stored):
    """Raw timings, in seconds per repetition, after warm-up."""

    batch_size: Count  # images per training step
    train_step_seconds: tuple[Seconds, ...]
    inference_batch_size: Count
    inference_batch_seconds: tuple[Seconds, ...]
    latency_seconds: tuple[Seconds, ...]  # inference of a single image


MemorySource = Literal[
    "cuda allocator", "process since cell start", "process since launch", "child process"
]


class PeakMemory(Stored):
    size_bytes: Count
    source: MemorySource


class Environment(Stored):
    """The machine and the software that made a record."""

    device: Literal["cpu", "cuda"]
    device_name: str  # GPU, or the CPU where the device is cpu
    cpu: str
    cpu_count: int
    threads: int  # torch intra-op threads
    memory_bytes: Count | None
    os: str
    python: str
    torch: str
    torchvision: str
    cuda: str | None
    resnet_bench: str
    commit: str | None  # of resnet-bench, '+changes' where files differ


class Engine(Stored):
    """How the machine was used: what may change the last bits of a result, or its speed."""

    precision: Precision  # of convolutions and products
    micro_batch_size: Count  # images in one forward pass, BatchNorm's batch
    compiled: bool = False
    cuda_graph: bool = False
    deterministic: bool = False
    tf32: bool | None = None  # float32 products in TF32; None on CPUs


class Course(Stored):
    """What happened on the way."""

    resumes: int = Field(default=0, ge=0)  # times that it went on from a checkpoint
    checkpoints: int = Field(default=0, ge=0)
    checkpoint_seconds: float = Field(default=0, ge=0, allow_inf_nan=False)  # spent on writing them
    warmup_steps: int | None = Field(
        default=None, ge=0, lt=LARGEST_COUNT
    )  # steps at the lower rate of an ErrorWarmup, once it has ended
    uncaptured: str | None = None  # why steps that should have been captured were not, on a GPU


Moment = Literal["initial", "final"]


class Signals(Stored):
    """How strongly layers respond (Figure 7) and how the gradient passes blocks, on one batch."""

    moment: Moment  # before the first step of training, or after the last
    images: Count  # in the batch: the first of the training set
    layers: tuple[str, ...]  # 3x3 convolutions, from the input to the output
    response_std: tuple[float, ...]  # deviation of each one's output, after BatchNorm, before ReLU
    weight_gradient_norm: tuple[float, ...]  # of each one's weights
    blocks: tuple[str, ...]  # from the input to the output
    input_gradient_norm: tuple[float, ...]  # of the mean loss by each one's whole input

    @model_validator(mode="after")
    def _one_value_each(self) -> Self:
        lengths = {len(self.layers), len(self.response_std), len(self.weight_gradient_norm)}
        if len(lengths) > 1 or len(self.blocks) != len(self.input_gradient_norm):
            raise ValueError("not one value for each layer and block")
        return self


class Predictions(Stored):
    """The file beside the record that holds the predicted class of each test image at the end."""

    images: Count
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Weights(Stored):
    """The file beside the record that holds the network's weights at the end (safetensors)."""

    size_bytes: Count
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Record(Stored):
    """The versioned result of one cell; a failure is a record too."""

    schema_version: Literal[7] = SCHEMA_VERSION
    cell: Cell
    profile: str
    status: Literal["completed", "failed"]
    reason: str | None  # why it failed, for people
    command: str  # makes this record again
    recipe: Recipe
    engine: Engine
    course: Course = Course()
    started_at: AwareDatetime
    finished_at: AwareDatetime
    environment: Environment
    cost: Cost | None
    speed: Speed | None
    peak_memory: PeakMemory | None
    epochs: tuple[EpochRecord, ...]
    clean_training: CleanTraining | None = None  # None: it failed, or is older than version 5
    signals: tuple[Signals, ...] = ()
    predictions: Predictions | None = None
    weights: Weights | None = None  # None: not kept, or older than version 7

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if [epoch.epoch for epoch in self.epochs] != list(range(1, len(self.epochs) + 1)):
            raise ValueError("epochs are not numbered 1, 2, 3, ...")
        done = {"iterations": sum(epoch.steps for epoch in self.epochs), "epochs": len(self.epochs)}
        for unit, number in done.items():
            budget = getattr(self.recipe, unit)
            if self.status == "completed" and budget not in (None, number):
                raise ValueError(f"completed with {number} of {budget} {unit}")
        return self

    @property
    def final(self) -> EpochRecord | None:
        """The last epoch of a completed cell: the reported number, never the best one."""
        return self.epochs[-1] if self.status == "completed" else None
