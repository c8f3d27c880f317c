"""What to evaluate: somebody's checkpoint, and what is said of it. No torch here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.data.datasets import Normalisation, find, normalisations
from bench.errors import UsageError
from bench.records.evaluations import TOLERANCE
from resnet_models import define
from resnet_models.spec import Lineage


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to evaluate.

    Attributes:
        model: None: the one whose weights they are.
        normalize: how the images were normalised in training, or every way that applies.
        lineage: None: what ``convert.recognise`` takes for it.
        claim: the error that somebody reports, in percent.
        tolerance: points by which the measured error may differ from it.

    Raises:
        UsageError: a number is impossible, the network or the dataset unknown, or a choice is not
            theirs.
    """

    checkpoint: Path
    model: str | None
    dataset: str
    normalize: Literal["all", Normalisation] = "all"
    lineage: Lineage | None = None
    claim: float | None = None
    tolerance: float = TOLERANCE

    def __post_init__(self) -> None:
        for option, value in (("--expect", self.claim), ("--tolerance", self.tolerance)):
            if value is not None and not 0 <= value <= 100:
                raise UsageError(f"{option} {value}: a number from 0 to 100 is needed")
        try:
            if self.model is not None:
                define(self.model, lineage=self.lineage or "paper")
        except ValueError as error:
            raise UsageError(str(error)) from None
        known = normalisations(find(self.dataset))
        if self.normalize not in ("all", *known):
            raise UsageError(
                f"--normalize {self.normalize} does not apply to {self.dataset}; "
                f"there are {', '.join(('all', *known))}"
            )
