"""The stored result of one cell. Raw values only: rates, means and percentages are derived.

No torch here: rendering a report reads records on any laptop.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from bench.config.cell import Cell
from bench.config.recipes import Recipe

SCHEMA_VERSION: Final = 3

Precision = Literal["float32", "bfloat16", "float16"]


class Stored(BaseModel):
    """What is written to disk: frozen, and nothing in it that the schema does not know."""

    # A diverged loss is NaN or infinite and must survive the round trip through JSON.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class EpochRecord(Stored):
    """One epoch: sums and counts, from which loss and accuracy follow.

    Training figures are running ones, taken in training mode while the weights change.
    """

    epoch: int = Field(ge=1)
    steps: int = Field(gt=0)
    learning_rate: float = Field(description="of the epoch's last step")
    train_images: int = Field(gt=0)
    train_correct: int = Field(ge=0)
    train_loss: float = Field(description="mean cross-entropy per image, nats")
    train_seconds: Seconds
    test_images: int = Field(gt=0)
    test_correct: int = Field(ge=0)
    test_loss: float = Field(description="mean cross-entropy per image, nats")
    test_seconds: Seconds
    validation_images: int = Field(default=0, ge=0, description="held out from training")
    validation_correct: int = Field(default=0, ge=0)
    validation_loss: float | None = Field(default=None, description="mean per image, nats")

    @model_validator(mode="after")
    def _no_more_correct_than_seen(self) -> Self:
        pairs = (
            (self.train_correct, self.train_images),
            (self.test_correct, self.test_images),
            (self.validation_correct, self.validation_images),
        )
        if any(correct > images for correct, images in pairs):
            raise ValueError("more correct predictions than images")
        return self

    @property
    def train_accuracy(self) -> float:
        """Fraction of this epoch's training images."""
        return self.train_correct / self.train_images

    @property
    def test_accuracy(self) -> float:
        """Fraction of the test images looked at after this epoch."""
        return self.test_correct / self.test_images

    @property
    def validation_accuracy(self) -> float | None:
        """Fraction of the held-out images; None where there are none."""
        images = self.validation_images
        return self.validation_correct / images if images else None


class Cost(Stored):
    """Analytic cost. MACs: multiply-adds of convolutions and fully connected layers."""

    parameters: int = Field(gt=0)
    macs: int = Field(gt=0, description="one image of input_shape, forward")
    input_shape: tuple[int, int, int] = Field(description="(C, H, W) the cell trains on")
    table1_parameters: int | None = Field(
        gt=0, description="3 channels, 1000 classes; None for networks of Table 6"
    )
    table1_macs: int | None = Field(
        gt=0, description="one 224x224 image, 3 channels, 1000 classes; None as above"
    )


class Speed(Stored):
    """Raw timings, in seconds per repetition, after warm-up."""

    batch_size: int = Field(gt=0, description="images per training step")
    train_step_seconds: tuple[Seconds, ...]
    inference_batch_size: int = Field(gt=0)
    inference_batch_seconds: tuple[Seconds, ...]
    latency_seconds: tuple[Seconds, ...] = Field(description="inference of a single image")


MemorySource = Literal[
    "cuda allocator", "process since cell start", "process since launch", "child process"
]


class PeakMemory(Stored):
    """Largest memory use of the cell."""

    size_bytes: int = Field(gt=0)
    source: MemorySource


class Environment(Stored):
    """The machine and the software that made a record."""

    device: Literal["cpu", "cuda"]
    device_name: str = Field(description="GPU, or the CPU where the device is cpu")
    cpu: str
    cpu_count: int
    threads: int = Field(description="torch intra-op threads")
    memory_bytes: int | None
    os: str
    python: str
    torch: str
    torchvision: str
    cuda: str | None
    resnet_bench: str
    commit: str | None = Field(description="of resnet-bench, '+changes' where files differ")


class Engine(Stored):
    """How the machine was used: what may change the last bits of a result, or its speed."""

    precision: Precision = Field(description="of convolutions and products")
    micro_batch_size: int = Field(
        gt=0, description="images in one forward pass, BatchNorm's batch; the recipe's or less"
    )
    compiled: bool = False
    cuda_graph: bool = False
    deterministic: bool = False
    tf32: bool | None = Field(default=None, description="float32 products in TF32; None on CPUs")


class Course(Stored):
    """What happened on the way."""

    resumes: int = Field(default=0, ge=0, description="times that it went on from a checkpoint")
    checkpoints: int = Field(default=0, ge=0)
    checkpoint_seconds: float = Field(
        default=0, ge=0, allow_inf_nan=False, description="spent on writing them"
    )
    warmup_steps: int | None = Field(
        default=None, description="steps at the lower rate of an ErrorWarmup, once it has ended"
    )


Moment = Literal["initial", "final"]


class Signals(Stored):
    """How strongly layers respond (Figure 7) and how the gradient passes blocks, on one batch."""

    moment: Moment = Field(description="before the first step of training, or after the last")
    images: int = Field(gt=0, description="in the batch: the first of the training set")
    layers: tuple[str, ...] = Field(description="3x3 convolutions, from the input to the output")
    response_std: tuple[float, ...] = Field(
        description="standard deviation of each one's output after BatchNorm, before ReLU"
    )
    weight_gradient_norm: tuple[float, ...] = Field(description="of each one's weights")
    blocks: tuple[str, ...] = Field(description="from the input to the output")
    input_gradient_norm: tuple[float, ...] = Field(
        description="of the mean loss by each one's whole input"
    )

    @model_validator(mode="after")
    def _one_value_each(self) -> Self:
        lengths = {len(self.layers), len(self.response_std), len(self.weight_gradient_norm)}
        if len(lengths) > 1 or len(self.blocks) != len(self.input_gradient_norm):
            raise ValueError("not one value for each layer and block")
        return self


class Predictions(Stored):
    """The file beside the record that holds the predicted class of each test image at the end."""

    images: int = Field(gt=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Record(Stored):
    """The versioned result of one cell; a failure is a record too."""

    schema_version: Literal[3] = SCHEMA_VERSION
    cell: Cell
    profile: str
    status: Literal["completed", "failed"]
    reason: str | None = Field(description="why it failed, for people")
    command: str = Field(description="makes this record again")
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
    signals: tuple[Signals, ...] = ()
    predictions: Predictions | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if [epoch.epoch for epoch in self.epochs] != list(range(1, len(self.epochs) + 1)):
            raise ValueError("epochs are not numbered 1, 2, 3, ...")
        done = sum(epoch.steps for epoch in self.epochs)
        if self.status == "completed" and self.recipe.iterations not in (None, done):
            raise ValueError(f"completed with {done} of {self.recipe.iterations} iterations")
        if self.status == "completed" and self.recipe.epochs not in (None, len(self.epochs)):
            raise ValueError(f"completed with {len(self.epochs)} of {self.recipe.epochs} epochs")
        return self

    @property
    def final(self) -> EpochRecord | None:
        """The last epoch of a completed cell: the reported number, never the best one."""
        return self.epochs[-1] if self.status == "completed" else None
