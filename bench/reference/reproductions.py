"""What others got who trained or tested the networks of the paper. No torch here."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from bench.reference.sources import How, Percent, Reference, Sourced
from resnet_models.spec import Shortcut

Metric = Literal["top-1 error %", "top-5 error %", "parameters", "MACs"]

# Which of the numbers that a training gives was reported; count: no training was needed;
# target: a threshold; not stated: the source does not say which.
Kind = Literal[
    "mean of runs", "median of runs", "best epoch", "last epoch", "released weights",
    "count", "target", "not stated",
]  # fmt: skip


class _Result(Reference):
    network: str = Field(
        min_length=1, description="a model of the catalog, or a relative: preact_resnet50"
    )
    metric: Metric
    value: float = Field(gt=0, description="percent for errors; a count for parameters, MACs")
    printed_accuracy: Percent | None = Field(
        default=None, description="where the source prints no error: value is 100 minus this"
    )
    std: float | None = Field(default=None, gt=0, description="in points, of the runs")
    runs: int | None = Field(default=None, gt=0)
    kind: Kind
    shortcut: Shortcut | None = Field(default=None, description="None: not known, or no residual")
    other_recipe: bool = Field(
        default=False,
        description="far from the paper's: optimizer, cosine rates, label smoothing, mixed images",
    )
    view: Literal["1 crop", "10 crops", "1 crop of 320"] | None = Field(
        default=None, description="how ImageNet images were cut; None: whole, or not stated"
    )
    note: str = Field(default="", description="what differs from the paper's definition or recipe")

    @model_validator(mode="before")
    @classmethod
    def _accuracies_are_converted(cls, data: Any) -> Any:
        accuracy = data.get("printed_accuracy") if isinstance(data, dict) else None
        if not isinstance(accuracy, int | float):
            return data
        # Accuracies have at most six digits; more would be noise of the subtraction.
        error = round(100 - accuracy, 6)
        if data.get("value", error) != error:
            raise ValueError(f"value: {data['value']} is not 100 minus {accuracy}")
        return {**data, "value": error}

    @model_validator(mode="after")
    def _numbers_fit_their_kind(self) -> Self:
        is_error = self.metric.endswith("error %")
        if is_error and self.value > 100:
            raise ValueError(f"value: {self.value} is no error in percent")
        if is_error == (self.kind == "count"):
            raise ValueError(f"kind: {self.metric} cannot be a {self.kind!r}")
        if self.kind in ("mean of runs", "median of runs") and self.runs is None:
            raise ValueError(f"runs: a {self.kind} needs their number")
        return self


class Reproduction(_Result):
    """A number that someone other than the paper reports, and how it came about."""

    who: str = Field(min_length=1)
    dataset: Literal["cifar10", "imagenet"]
    source: str = Field(min_length=1)
    how: How


class _Study(Sourced):
    who: str = Field(min_length=1)
    dataset: Literal["cifar10", "imagenet"]
    note: str
    shortcut: Shortcut | None = Field(default=None, description="of results that say none")
    other_recipe: bool = False
    results: tuple[_Result, ...] = Field(min_length=1)

    def flat(self) -> tuple[Reproduction, ...]:
        common = self.model_dump(include={"who", "dataset", "source", "how"})
        return tuple(
            Reproduction(
                **result.model_dump(exclude={"note", "shortcut", "other_recipe"}),
                **common,
                shortcut=result.shortcut or self.shortcut,
                other_recipe=result.other_recipe or self.other_recipe,
                note="; ".join(filter(None, [result.note, self.note])),
            )
            for result in self.results
        )


class Reproductions(Reference):
    """The file: results by study, one source each."""

    meta: dict[str, str]
    studies: tuple[_Study, ...]

    def flat(self) -> tuple[Reproduction, ...]:
        return tuple(result for study in self.studies for result in study.flat())
