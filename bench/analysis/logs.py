"""Training logs as the audit reads them. No torch here."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bench.analysis.labels import model_title
from bench.data import datasets
from bench.data.datasets import DatasetSpec
from bench.reference.project2022 import Project2022, ProjectRun
from resnet_models import MODELS
from resnet_models.spec import Lineage

Series = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """What a log shows of one training, whoever did it: a number per epoch.

    Attributes:
        train_images: in one epoch.
        milestones: epochs, counted from 0, at which the learning rate is to drop; none: constant or
            falling smoothly.
        train_accuracy: percent, counted while training, as is the usual.
        test_accuracy: percent, after each epoch.
        train_loss: cross-entropy in the unit of the log.
    """

    train_images: int
    test_images: int
    milestones: tuple[int, ...]
    train_accuracy: Series
    test_accuracy: Series
    train_loss: Series

    @property
    def epochs(self) -> int:
        return len(self.train_accuracy)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLog(Curves):
    """One run of the 2022 project, with what its notebook says of it; nothing of it is a finding.

    Attributes:
        name: of the file that it is from.
        recipe: runs of one data set and recipe are columns of one table.
        model: the network that the label names, of MODELS.
        built_model: the network that the code builds.
        lineage: the published definition that its blocks follow.
        parameters: the total that the log prints.
        seed: of the random numbers; None where none is recorded.
        resumed_after: epochs before the code loads a checkpoint and goes on, if it does.
        test_loss: cross-entropy in a unit of its own; ``losses`` finds out which.
    """

    name: str
    dataset: str
    recipe: str
    model: str
    built_model: str
    lineage: Lineage
    parameters: int
    train_batch_size: int
    test_batch_size: int
    learning_rate: float
    seed: int | None
    resumed_after: int | None
    test_loss: Series

    def __post_init__(self) -> None:
        every = (self.train_accuracy, self.test_accuracy, self.train_loss, self.test_loss)
        lengths = {len(values) for values in every}
        if len(lengths) > 1 or not self.train_accuracy:
            raise ValueError(f"{self.name}: series of {sorted(lengths)} epochs, not all alike")

    @property
    def images(self) -> int:
        return self.epochs * self.train_images

    @property
    def depth(self) -> int:
        return MODELS[self.model].depth

    @property
    def data(self) -> DatasetSpec:
        return datasets.find(self.dataset)

    @property
    def title(self) -> str:
        return title_of(self.model)


def title_of(model: str) -> str:
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
