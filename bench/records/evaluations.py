"""The stored result of one checkpoint of somebody else's. Raw values only. No torch here."""

from typing import Final, Literal, Self

from pydantic import AwareDatetime, Field, NonNegativeInt, model_validator

from bench.config.recipe import Count
from bench.data.datasets import Normalisation
from bench.records.schema import Environment, Predictions, Stored
from resnet_models.spec import Lineage, Naming, Shortcut, Stem

SCHEMA_VERSION: Final = 2

TOLERANCE: Final = 0.1
"""Points by which a measured error may miss a claimed one: 10 of 10,000 images."""


class Score(Stored):
    """All test images, seen once with one normalisation."""

    normalisation: Normalisation
    images: Count
    correct: NonNegativeInt
    loss: float  # mean cross-entropy per image, nats

    @model_validator(mode="after")
    def _no_more_correct_than_seen(self) -> Self:
        if self.correct > self.images:
            raise ValueError("more correct predictions than images")
        return self

    @property
    def error_percent(self) -> float:
        return 100 * (self.images - self.correct) / self.images


class Evaluation(Stored):
    """Weights of somebody else's, converted and evaluated in float32 on all test images."""

    schema_version: Literal[1, 2] = SCHEMA_VERSION  # the first had no predictions
    file_name: str  # of the checkpoint, without its folder
    size_bytes: Count
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    naming: Naming
    model: str = Field(pattern=r"^[a-z0-9_]+$")
    lineage: Lineage
    stem: Stem
    shortcut: Shortcut
    in_channels: Count
    classes: Count
    dataset: str = Field(pattern=r"^[a-z0-9]+$")
    normalize: Literal["all", Normalisation]  # what was to be tried
    scores: tuple[Score, ...] = Field(min_length=1)  # one a normalisation, where the loss is finite
    chosen: Normalisation  # that of the reported score
    claimed_error_percent: float | None = Field(ge=0, le=100)
    tolerance_points: float = Field(ge=0, le=100)
    command: str  # makes this record again
    started_at: AwareDatetime
    finished_at: AwareDatetime
    environment: Environment
    predictions: Predictions | None = None  # of the chosen score; the file is named as the record

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

        Both are of the same test images. So the tolerance stands for rounding alone, that of the
        claim and that of arithmetic on another machine, and not for the noise of a finite test set.
        """
        difference = self.difference_points
        return None if difference is None else abs(difference) <= self.tolerance_points
