"""The stored result of one cell. Raw values only: rates, means and percentages are derived.

No torch here: rendering a report reads records on any laptop.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from bench.config import Recipe
from resnet_models.spec import Lineage, Naming, Shortcut, Stem

SCHEMA_VERSION: Final = 1
EVALUATION_SCHEMA_VERSION: Final = 1

Precision = Literal["float32", "bfloat16"]


class _Stored(BaseModel):
    # A diverged loss is NaN or infinite and must survive the round trip through JSON.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


Seconds = Annotated[float, Field(gt=0)]


class Cell(_Stored):
    """The unit that is trained, measured and reported. Its names form a folder name."""

    model: str = Field(pattern=r"^resnet\d{1,4}$")
    lineage: Lineage
    stem: Stem
    dataset: str = Field(pattern=r"^[a-z0-9]+$")
    recipe: str = Field(pattern=r"^[a-z0-9_]+$")
    seed: int = Field(ge=0)

    @property
    def id(self) -> str:
        """Folder name of the record; unique among all cells."""
        return (
            f"{self.model}-{self.lineage}-{self.stem}-{self.dataset}-{self.recipe}-seed{self.seed}"
        )

    @property
    def depth(self) -> int:
        """Number of weighted layers: 50 for ``resnet50``."""
        return int(self.model.removeprefix("resnet"))


class EpochRecord(_Stored):
    """One epoch: sums and counts, from which loss and accuracy follow.

    Training figures are running ones, taken in training mode while the weights change.
    """

    epoch: int = Field(ge=1)
    learning_rate: float = Field(description="of the epoch's last step")
    train_images: int = Field(gt=0)
    train_correct: int = Field(ge=0)
    train_loss: float = Field(description="mean cross-entropy per image, nats")
    train_seconds: Seconds
    test_images: int = Field(gt=0)
    test_correct: int = Field(ge=0)
    test_loss: float = Field(description="mean cross-entropy per image, nats")
    test_seconds: Seconds

    @model_validator(mode="after")
    def _no_more_correct_than_seen(self) -> Self:
        if self.train_correct > self.train_images or self.test_correct > self.test_images:
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


class Cost(_Stored):
    """Analytic cost. MACs: multiply-adds of convolutions and fully connected layers."""

    parameters: int = Field(gt=0)
    macs: int = Field(gt=0, description="one image of input_shape, forward")
    input_shape: tuple[int, int, int] = Field(description="(C, H, W) the cell trains on")
    table1_parameters: int = Field(gt=0, description="3 channels, 1000 classes")
    table1_macs: int = Field(gt=0, description="one 224x224 image, 3 channels, 1000 classes")


class Speed(_Stored):
    """Raw timings, in seconds per repetition, after warm-up."""

    batch_size: int = Field(gt=0, description="images per training step")
    train_step_seconds: tuple[Seconds, ...]
    inference_batch_size: int = Field(gt=0)
    inference_batch_seconds: tuple[Seconds, ...]
    latency_seconds: tuple[Seconds, ...] = Field(description="inference of a single image")


MemorySource = Literal["cuda allocator", "process since cell start", "process since launch"]


class PeakMemory(_Stored):
    """Largest memory use of the cell."""

    size_bytes: int = Field(gt=0)
    source: MemorySource


class Environment(_Stored):
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


class Record(_Stored):
    """The versioned result of one cell; a failure is a record too."""

    schema_version: Literal[1] = SCHEMA_VERSION
    cell: Cell
    profile: str
    status: Literal["completed", "failed"]
    reason: str | None = Field(description="why it failed, for people")
    command: str = Field(description="makes this record again")
    recipe: Recipe
    precision: Precision
    started_at: AwareDatetime
    finished_at: AwareDatetime
    environment: Environment
    cost: Cost | None
    speed: Speed | None
    peak_memory: PeakMemory | None
    epochs: tuple[EpochRecord, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if [epoch.epoch for epoch in self.epochs] != list(range(1, len(self.epochs) + 1)):
            raise ValueError("epochs are not numbered 1, 2, 3, ...")
        if self.status == "completed" and len(self.epochs) != self.recipe.epochs:
            raise ValueError(f"completed with {len(self.epochs)} of {self.recipe.epochs} epochs")
        return self

    @property
    def final(self) -> EpochRecord | None:
        """The last epoch of a completed cell: the reported number, never the best one."""
        return self.epochs[-1] if self.status == "completed" else None


Normalisation = Literal["imagenet", "dataset", "pytorch-cifar", "none"]

TOLERANCE: Final = 0.1
"""Points by which a measured error may miss a claimed one: 10 of 10,000 images."""


class Score(_Stored):
    """All test images, seen once with one normalisation."""

    normalisation: Normalisation
    images: int = Field(gt=0)
    correct: int = Field(ge=0)
    loss: float = Field(description="mean cross-entropy per image, nats")

    @model_validator(mode="after")
    def _no_more_correct_than_seen(self) -> Self:
        if self.correct > self.images:
            raise ValueError("more correct predictions than images")
        return self

    @property
    def error_percent(self) -> float:
        """Top-1 error in percent of the images."""
        return 100 * (self.images - self.correct) / self.images


class Evaluation(_Stored):
    """Weights of somebody else's, converted and evaluated in float32 on all test images."""

    schema_version: Literal[1] = EVALUATION_SCHEMA_VERSION
    file_name: str = Field(description="of the checkpoint, without its folder")
    size_bytes: int = Field(gt=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    naming: Naming
    model: str = Field(pattern=r"^[a-z0-9_]+$")
    lineage: Lineage
    stem: Stem
    shortcut: Shortcut
    in_channels: int = Field(gt=0)
    classes: int = Field(gt=0)
    dataset: str = Field(pattern=r"^[a-z0-9]+$")
    normalize: Literal["all", Normalisation] = Field(description="what was to be tried")
    scores: tuple[Score, ...] = Field(
        min_length=1, description="one for each normalisation tried, where the loss is finite"
    )
    chosen: Normalisation = Field(description="that of the reported score")
    claimed_error_percent: float | None = Field(ge=0, le=100)
    tolerance_points: float = Field(ge=0, le=100)
    command: str = Field(description="makes this record again")
    started_at: AwareDatetime
    finished_at: AwareDatetime
    environment: Environment

    @model_validator(mode="after")
    def _chosen_is_one(self) -> Self:
        if [score.normalisation for score in self.scores].count(self.chosen) != 1:
            raise ValueError(f"not exactly one score with the normalisation {self.chosen}")
        return self

    @property
    def id(self) -> str:
        """File name of the record, without ``.json``; another request has another one."""
        words = [self.model, self.lineage, self.dataset, self.normalize, self.sha256[:12]]
        if self.claimed_error_percent is not None:
            words.append(f"expect{self.claimed_error_percent}")
            if self.tolerance_points != TOLERANCE:
                words.append(f"within{self.tolerance_points}")
        return "-".join(words)

    @property
    def score(self) -> Score:
        """The reported one."""
        return next(score for score in self.scores if score.normalisation == self.chosen)

    @property
    def difference_points(self) -> float | None:
        """Measured minus claimed error, in points; None without a claim."""
        claimed = self.claimed_error_percent
        # Decimal fractions are not exact in binary: 0.4 - 0.3 is a little more than 0.1.
        return None if claimed is None else round(self.score.error_percent - claimed, 9)

    @property
    def claim_holds(self) -> bool | None:
        """Whether the measured error is the claimed one within the tolerance; None: no claim.

        The test images are the ones that the claim was made on. So the noise of a finite test set
        is no excuse, and the tolerance stands for rounding alone: that of the claim, and that of
        arithmetic on another machine.
        """
        difference = self.difference_points
        return None if difference is None else abs(difference) <= self.tolerance_points
