"""Training logs as the audit reads them: the 2022 project's, and our own. No torch here."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bench.analysis.labels import model_title
from bench.config.recipes import StepSchedule
from bench.data import datasets
from bench.data.datasets import DatasetSpec
from bench.records.schema import Record
from bench.reference.project2022 import Project2022, ProjectRun
from resnet_models import MODELS
from resnet_models.spec import Lineage

Series = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLog:
    """One training run: what its source says of it, and one number per epoch.

    Nothing in it is a finding.

    Attributes:
        name: of the file that it is from.
        recipe: runs of one data set and recipe are columns of one table.
        model: the network that the label names, of MODELS.
        built_model: the network that the code builds.
        lineage: the published definition that its blocks follow.
        parameters: the total that the log prints.
        train_images: in one epoch.
        milestones: epochs, counted from 0, at which the learning rate is to drop; none: constant or
            falling smoothly.
        seed: of the random numbers; None where none is recorded.
        resumed_after: epochs before the code loads a checkpoint and goes on, if it does.
        train_accuracy: percent, counted while training, as is the usual.
        test_accuracy: percent, after each epoch.
        train_loss: cross-entropy in the unit of the log, which ``losses`` finds out.
        test_loss: likewise.
    """

    name: str
    dataset: str
    recipe: str
    model: str
    built_model: str
    lineage: Lineage
    parameters: int
    train_images: int
    test_images: int
    train_batch_size: int
    test_batch_size: int
    learning_rate: float
    milestones: tuple[int, ...]
    seed: int | None
    resumed_after: int | None
    train_accuracy: Series
    test_accuracy: Series
    train_loss: Series
    test_loss: Series

    def __post_init__(self) -> None:
        lengths = {
            len(values)
            for values in (self.train_accuracy, self.test_accuracy, self.train_loss, self.test_loss)
        }
        if len(lengths) > 1 or not self.train_accuracy:
            raise ValueError(f"{self.name}: series of {sorted(lengths)} epochs, not all alike")

    @property
    def epochs(self) -> int:
        """How many the log has."""
        return len(self.train_accuracy)

    @property
    def images(self) -> int:
        """Training images seen, repetitions counted."""
        return self.epochs * self.train_images

    @property
    def depth(self) -> int:
        """That of the label."""
        return MODELS[self.model].depth

    @property
    def data(self) -> DatasetSpec:
        """The facts of its data set."""
        return datasets.find(self.dataset)

    @property
    def title(self) -> str:
        """The label as the paper would write it."""
        return title_of(self.model)


def title_of(model: str) -> str:
    """``ResNet-50`` for ``resnet50``."""
    spec = MODELS[model]
    return model_title(spec.network, spec.depth)


def tables(logs: Iterable[RunLog]) -> dict[tuple[str, str], list[RunLog]]:
    """Runs that stand side by side, by (data set, recipe), each by depth."""
    found: dict[tuple[str, str], list[RunLog]] = defaultdict(list)
    for log in sorted(logs, key=lambda log: (log.dataset, log.recipe, log.depth, log.name)):
        found[log.dataset, log.recipe].append(log)
    return dict(found)


def run_logs(project: Project2022) -> tuple[RunLog, ...]:
    """The runs of the 2022 project, without what was found by hand about how they went."""
    return tuple(_run_log(run, project) for run in project.runs)


def log_of(record: Record) -> RunLog:
    """The log of one of our own runs, as far as a log shows it: nothing of what the recipe freezes.

    Raises:
        ValueError: the record has no epoch, or its learning rate drops at iterations.
    """
    recipe, schedule, cell = record.recipe, record.recipe.schedule, record.cell
    if isinstance(schedule, StepSchedule) and schedule.unit != "epoch":
        raise ValueError(f"{cell.id}: its milestones are iterations")
    epochs = record.epochs
    return RunLog(
        name=cell.id,
        dataset=cell.dataset,
        recipe=cell.recipe,
        model=cell.model,
        built_model=cell.model,
        lineage=cell.lineage,
        parameters=record.cost.parameters if record.cost else 0,
        train_images=min((epoch.train_images for epoch in epochs), default=0),
        test_images=min((epoch.test_images for epoch in epochs), default=0),
        train_batch_size=recipe.batch_size,
        test_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        milestones=schedule.milestones if isinstance(schedule, StepSchedule) else (),
        seed=cell.seed,
        resumed_after=None,
        train_accuracy=tuple(100 * epoch.train_accuracy for epoch in epochs),
        test_accuracy=tuple(100 * epoch.test_accuracy for epoch in epochs),
        train_loss=tuple(epoch.train_loss for epoch in epochs),
        test_loss=tuple(epoch.test_loss for epoch in epochs),
    )


def _run_log(run: ProjectRun, project: Project2022) -> RunLog:
    facts = project.meta.datasets[run.dataset]
    return RunLog(
        name=run.notebook,
        dataset=run.dataset,
        recipe=run.recipe,
        model=f"resnet{run.labelled_depth}",
        # Read in the code: the logs do not show it, and the printed total is for the label.
        built_model=f"resnet{run.trained_depth}",
        lineage="project2022",
        parameters=run.summary_total_params,
        train_images=facts.train_images,
        test_images=facts.test_images,
        train_batch_size=run.train_batch_size,
        test_batch_size=run.test_batch_size,
        learning_rate=run.lr,
        milestones=run.lr_decay_epochs,
        seed=None,  # no notebook sets one
        resumed_after=run.resumed_after_epoch,
        train_accuracy=run.train_accuracy_percent,
        test_accuracy=run.test_accuracy_percent,
        train_loss=run.train_loss_sum_of_batch_means,
        test_loss=run.test_loss_batch_mean_sum_over_images,
    )
