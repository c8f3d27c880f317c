"""What a recipe is: how to train, complete and frozen. No torch here."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bench.data.datasets import Augmentation, Normalisation
from resnet_models.spec import Initialization

WARMUP: Final = "_warmup"
"""In the name of a recipe that is another one but for an ``ErrorWarmup``."""

FROZEN: Final = "_frozen"
"""In the name of a recipe whose weights freeze, before the epoch after which they do."""

START: Final = "_start"
"""In the name of a recipe that is the start of another one, before its iterations."""

LARGEST_COUNT: Final = 2**53
"""No float holds every larger number, and sums of such ones would overflow."""

Count = Annotated[int, Field(gt=0, lt=LARGEST_COUNT)]


class Frozen(BaseModel):
    """What says what to run: nothing in it changes, and nothing else is in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LinearSchedule(Frozen):
    """Linear warm-up from 0 to the recipe's rate, then linear decay to 0."""

    kind: Literal["linear"] = "linear"
    warmup_fraction: float = Field(ge=0, lt=1)  # share of the steps


class ErrorWarmup(Frozen):
    """A lower rate until the network has begun to learn (section 4.2, 110 layers)."""

    learning_rate: float = Field(gt=0)
    until_train_error: float = Field(gt=0, lt=1)  # fraction of wrong predictions


class StepSchedule(Frozen):
    """The recipe's rate, multiplied by ``factor`` at each milestone."""

    kind: Literal["step"] = "step"
    unit: Literal["iteration", "epoch"]  # what milestones count, from 0
    milestones: tuple[int, ...]  # the first with the lower rate
    factor: float = Field(gt=0, lt=1)
    warmup: ErrorWarmup | None = None


Schedule = Annotated[LinearSchedule | StepSchedule, Field(discriminator="kind")]


class Recipe(Frozen):
    """Everything that decides a training run but the model, the data and the seed."""

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    optimizer: Literal["sgd", "adamw"]
    learning_rate: float = Field(gt=0)  # the schedule's highest
    schedule: Schedule
    weight_decay: float = Field(ge=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)  # SGD momentum, AdamW beta1
    batch_size: Count
    # images that BatchNorm sees at a time; None: the batch, or what memory allows
    norm_batch_size: Count | None = None
    epochs: Count | None = None  # budget; None where iterations are given
    iterations: Count | None = None  # budget; the last epoch is cut short
    images_per_epoch: Count | None = None  # drawn anew each epoch, none twice; None: all
    held_out_images: int = Field(
        default=0, ge=0, lt=LARGEST_COUNT
    )  # last n of the training set, to validate on
    augmentation: Augmentation
    normalisation: Normalisation = "dataset"  # whose mean and deviation
    initialization: Initialization = "he"  # of convolutions: arXiv:1502.01852, or torch's default
    zero_init_residual: bool  # last BN gamma of each block starts at 0
    # then only BatchNorm statistics move: the 2022 project's accident
    freeze_weights_after_epoch: Count | None = None
    test_images: Count | None = None  # first n after every epoch but the last; None: all
    final_test_images: Count | None = None  # first n after the last epoch; None: all

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        if (self.epochs is None) == (self.iterations is None):
            raise ValueError("give the budget in epochs or in iterations, one of the two")
        return self
