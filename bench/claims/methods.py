"""How a claim can be tested, and what each test needs to know. No torch here.

``levels`` says how many levels of cells a test compares, at least and at most.
"""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Path = str
"""Of a number in a reference file (``bench.reference.printed``)."""


class Data(BaseModel):
    """Part of ``claims.toml``: a word that nobody reads is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Margin(Data):
    """How far from the reference still counts as reached, and why so far."""

    value: float = Field(ge=0)
    reason: str


class ExactCost(Data):
    """A count, or its ratio to or difference from another, is the printed one.

    As printed: to one unit in its last digit, since the paper rounds some and cuts off others.
    """

    levels: ClassVar = (1, 2)
    name: Literal["exact_cost"]
    quantity: str
    reference: Path
    combine: Literal["value", "ratio", "difference"] = "value"
    per: Path | None = Field(default=None, description="divides the count")


class CostRatio(Data):
    """Counts of the first cells over those of the second, or over printed ones: all in a range."""

    levels: ClassVar = (1, 2)
    name: Literal["cost_ratio"]
    quantity: str
    low: float
    high: float
    reason: str
    references: tuple[Path, ...] = ()


class Reaches(Data):
    """The mean over seeds is the printed one, but for a margin."""

    levels: ClassVar = (1, 1)
    name: Literal["reaches"]
    measure: str
    reference: Path
    margin: str


class Threshold(Data):
    """The mean over seeds is on one side of a bound; well on the other, the claim is refuted."""

    levels: ClassVar = (1, 1)
    name: Literal["threshold"]
    measure: str
    side: Literal["below", "above"]
    margin: str
    reference: Path | None = None
    bound: float | None = None
    reason: str | None = Field(default=None, description="of a bound that nobody printed")

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.reference is None) == (self.bound is None or self.reason is None):
            raise ValueError("a threshold needs a reference, or a bound and its reason")
        return self


class Most(Data):
    """In more than half of all runs a measure is on one side of a bound: counts, not means."""

    levels: ClassVar = (1, 1)
    name: Literal["most"]
    measure: str
    side: Literal["below", "above"]
    bound: float
    reason: str = Field(description="of the bound")

    def hits(self, value: float) -> bool:
        """Whether one run is as claimed."""
        return value < self.bound if self.side == "below" else value > self.bound


class Ordering(Data):
    """Means rise from level to level: on the whole, and no step falls by more than the margin."""

    levels: ClassVar = (2, 9)
    name: Literal["ordering"]
    measure: str
    margin: str


class Difference(Data):
    """Two means are the same, but for a margin."""

    levels: ClassVar = (2, 2)
    name: Literal["difference"]
    measure: str
    margin: str


class Elsewhere(Data):
    """Nothing that is run here can tell."""

    levels: ClassVar = (0, 0)
    name: Literal["elsewhere"]
    needs: str = Field(description="what it would take")
    reference: Path
    unit: str
    network: str = Field(default="", description="that others trained; none where empty")
    metric: Literal["top-1 error %", "top-5 error %"] = "top-1 error %"


Test = Annotated[
    ExactCost | CostRatio | Reaches | Threshold | Most | Ordering | Difference | Elsewhere,
    Field(discriminator="name"),
]
