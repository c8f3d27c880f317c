"""The student reproduction of 2022: every run of its notebooks. No torch here."""

from math import ceil
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from bench.reference.sources import Part, Percent, Reference, Sourced

_Loss = Annotated[float, Field(gt=0)]
_PER_EPOCH: Final = (
    "train_accuracy_percent",
    "train_loss_sum_of_batch_means",
    "test_accuracy_percent",
    "test_loss_batch_mean_sum_over_images",
)


class DatasetFacts(Reference):
    title: str
    train_images: int = Field(gt=0)
    test_images: int = Field(gt=0)


class ProjectRun(Part):
    """One notebook of the 2022 project; losses here are in the notebooks' own conventions."""

    notebook: str = Field(min_length=1, description="the file that all of this is from")
    dataset: str
    labelled_depth: int
    trained_depth: int = Field(description="that of the network in the code; found by hand")
    recipe: Literal["base", "normalize", "normalize_batch32"]
    epochs: int = Field(gt=0)
    frozen_after_epoch: int | None = Field(
        gt=0, description="last epoch in which weights moved; found by hand"
    )
    train_batch_size: int = Field(gt=0)
    test_batch_size: int = Field(gt=0)
    lr: float = Field(gt=0)
    lr_decay_epochs: tuple[int, int] = Field(description="no run gets there")
    summary_total_params: int = Field(
        gt=0, description="as the notebook prints it, for the network of its label"
    )
    train_accuracy_percent: tuple[Percent, ...]
    train_loss_sum_of_batch_means: tuple[_Loss, ...]
    test_accuracy_percent: tuple[Percent, ...]
    test_loss_batch_mean_sum_over_images: tuple[_Loss, ...]
    epoch_loops: tuple[tuple[int, int], ...] = Field(
        min_length=1, description="ranges of epochs in the code; not all, where one was run again"
    )

    @property
    def resumed_after_epoch(self) -> int | None:
        """Epochs of the first loop where there is a second one."""
        first, *rest = self.epoch_loops
        return first[1] - first[0] if rest else None

    @model_validator(mode="after")
    def _every_epoch_is_there(self) -> Self:
        for name in _PER_EPOCH:
            values = getattr(self, name)
            if len(values) != self.epochs:
                raise ValueError(f"{self.notebook}: {name} has {len(values)} of {self.epochs}")
        if self.frozen_after_epoch and self.frozen_after_epoch >= self.epochs:
            raise ValueError(f"{self.notebook}: frozen_after_epoch is not below {self.epochs}")
        return self


class ProjectCell(Reference):
    """The slides' figures for one (dataset, depth): the last epoch, in comparable units."""

    dataset: str
    depth: int = Field(description="as the slides label it")
    trained_depth: int
    notebook: str
    epochs: int
    images: int = Field(description="training images seen")
    frozen_after_epoch: int | None
    train_accuracy: float = Field(description="percent")
    test_accuracy: float = Field(description="percent")
    train_loss: float
    test_loss: float
    train_loss_original: float = Field(description="sum over batches of the batch means")
    test_loss_original: float = Field(description="that sum, divided by the number of images")
    test_images: int


class ProjectMeta(Part):
    units: dict[str, str]
    datasets: dict[str, DatasetFacts]
    slide_recipe: str = Field(description="the slides show the last epoch of its runs")


class Project2022(Sourced):
    meta: ProjectMeta
    runs: tuple[ProjectRun, ...] = Field(min_length=20, max_length=20)

    @model_validator(mode="after")
    def _data_sets_are_known(self) -> Self:
        unknown = {run.dataset for run in self.runs} - set(self.meta.datasets)
        if unknown:
            raise ValueError(f"runs: no meta.datasets for {', '.join(sorted(unknown))}")
        return self

    def slide_runs(self) -> list[ProjectRun]:
        """By data set and depth."""
        runs = [run for run in self.runs if run.recipe == self.meta.slide_recipe]
        return sorted(runs, key=lambda run: (run.dataset, run.labelled_depth))

    def cells(self) -> list[ProjectCell]:
        return [self._cell(run) for run in self.slide_runs()]

    def _cell(self, run: ProjectRun) -> ProjectCell:
        facts = self.meta.datasets[run.dataset]
        train_losses, test_losses = self.losses(run)
        same = {"dataset", "trained_depth", "notebook", "epochs", "frozen_after_epoch"}
        return ProjectCell(
            **run.model_dump(include=same),
            depth=run.labelled_depth,
            images=run.epochs * facts.train_images,
            train_accuracy=run.train_accuracy_percent[-1],
            test_accuracy=run.test_accuracy_percent[-1],
            train_loss=train_losses[-1],
            test_loss=test_losses[-1],
            train_loss_original=run.train_loss_sum_of_batch_means[-1],
            test_loss_original=run.test_loss_batch_mean_sum_over_images[-1],
            test_images=facts.test_images,
        )

    def losses(self, run: ProjectRun) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Train and test losses of every epoch of ``run``, converted to the mean per image.

        The mean of batch means weighs a short last batch like a full one, which the files cannot
        undo.
        """
        facts = self.meta.datasets[run.dataset]
        train = 1 / ceil(facts.train_images / run.train_batch_size)
        test = facts.test_images / ceil(facts.test_images / run.test_batch_size)
        return (
            tuple(loss * train for loss in run.train_loss_sum_of_batch_means),
            tuple(loss * test for loss in run.test_loss_batch_mean_sum_over_images),
        )
