"""The numbers of the paper and of the 2022 project, typed and validated. No torch here.

Percentages are percent, losses are mean cross-entropy per image in nats, and the paper's FLOPs are
multiply-adds (MACs).
"""

from functools import cache
from importlib.resources import files
from math import ceil
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from resnet_models.spec import Lineage

Percent = Annotated[float, Field(ge=0, le=100)]


class _Reference(BaseModel):
    """Part of a reference file; what nobody reads yet is left in the file."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Architecture(_Reference):
    """One column of Table 1."""

    block: Literal["basic", "bottleneck"]
    blocks: tuple[int, int, int, int]
    flops_printed: float = Field(gt=0, description="multiply-adds at 224x224")
    source: str


class Quoted(_Reference):
    """A number from the paper's text."""

    value: float = Field(gt=0)
    source: str


class Table1(_Reference):
    """Table 1: the five ImageNet networks.

    The dicts by stage (``conv1`` ... ``head``) hold height and width of its output, and the output
    channels of each convolution of its blocks.
    """

    depths: dict[int, Architecture]
    output_sizes: dict[str, tuple[int, int]]
    basic_block_channels: dict[str, tuple[int, int]]
    bottleneck_channels: dict[str, tuple[int, int, int]]
    basic_kernels: tuple[int, int]
    bottleneck_kernels: tuple[int, int, int]
    flops_quoted_in_text: dict[str, Quoted]
    source: str


class Table6Row(_Reference):
    """One row of Table 6: CIFAR-10 test error in percent."""

    method: str
    layers: int | None
    params: float | None
    error: Percent
    mean: Percent | None = None
    std: Percent | None = None
    runs: int | None = None


class Table6(_Reference):
    """Table 6: classification error on the CIFAR-10 test set."""

    rows: tuple[Table6Row, ...]


class _Tables(_Reference):
    table1: Table1
    table6: Table6


class ComputedCost(_Reference):
    """Analytic cost of a definition at 224x224 with 3 channels and 1000 classes."""

    macs_total: int = Field(gt=0)
    params: int = Field(gt=0)


class _ComputedCosts(_Reference):
    stride_on_1x1: ComputedCost = Field(alias="v1_optionB")
    stride_on_3x3: ComputedCost = Field(alias="v1.5_optionB")


class _Computed(_Reference):
    imagenet_macs_224: dict[int, _ComputedCosts]


class CifarTraining(_Reference):
    """How long section 4.2 trains the networks of Table 6."""

    batch_size: int = Field(gt=0)
    stop_iteration: int = Field(gt=0)


class _CifarSection(_Reference):
    hyperparameters: CifarTraining


class PaperMeta(_Reference):
    """Where the paper is found."""

    title: str
    authors: str
    arxiv: str
    venue: str


class Paper(_Reference):
    """He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition."""

    meta: PaperMeta
    tables: _Tables
    computed: _Computed
    cifar_section: _CifarSection

    def cost(self, depth: int, lineage: Lineage) -> ComputedCost:
        """Exact parameters and MACs of a Table 1 network as ``lineage`` defines it."""
        costs = self.computed.imagenet_macs_224[depth]
        return costs.stride_on_1x1 if lineage == "paper" else costs.stride_on_3x3


class DatasetFacts(_Reference):
    """Name and size of a data set."""

    title: str
    train_images: int = Field(gt=0)
    test_images: int = Field(gt=0)


class ProjectRun(_Reference):
    """One notebook of the 2022 project; losses here are in the notebooks' own conventions."""

    notebook: str
    dataset: str
    labelled_depth: int
    trained_depth: int
    recipe: str
    epochs: int = Field(gt=0)
    frozen_after_epoch: int | None = Field(description="last epoch in which weights moved")
    train_batch_size: int = Field(gt=0)
    test_batch_size: int = Field(gt=0)
    train_accuracy_percent: tuple[Percent, ...]
    train_loss_sum_of_batch_means: tuple[float, ...]
    test_accuracy_percent: tuple[Percent, ...]
    test_loss_batch_mean_sum_over_images: tuple[float, ...]

    @model_validator(mode="after")
    def _every_epoch_is_there(self) -> Self:
        for name in type(self).model_fields:
            values = getattr(self, name)
            if isinstance(values, tuple) and len(values) != self.epochs:
                raise ValueError(f"{self.notebook}: {name} has {len(values)} of {self.epochs}")
        return self


class ProjectCell(_Reference):
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


class _ProjectMeta(_Reference):
    datasets: dict[str, DatasetFacts]
    slide_recipe: str
    units: dict[str, str]


class Project2022(_Reference):
    """The student reproduction of 2022: every run of its notebooks."""

    meta: _ProjectMeta
    runs: tuple[ProjectRun, ...]

    def cells(self) -> list[ProjectCell]:
        """The slides' cells, by data set and depth."""
        runs = [run for run in self.runs if run.recipe == self.meta.slide_recipe]
        runs.sort(key=lambda run: (run.dataset, run.labelled_depth))
        return [_slide_cell(run, self.meta.datasets[run.dataset]) for run in runs]


def _slide_cell(run: ProjectRun, facts: DatasetFacts) -> ProjectCell:
    """Convert both loss conventions of the notebooks to the mean per image.

    The mean of batch means weighs a short last batch like a full one, which the files cannot undo.
    """
    train_loss = run.train_loss_sum_of_batch_means[-1]
    test_loss = run.test_loss_batch_mean_sum_over_images[-1]
    test_batches = ceil(facts.test_images / run.test_batch_size)
    return ProjectCell(
        dataset=run.dataset,
        depth=run.labelled_depth,
        trained_depth=run.trained_depth,
        notebook=run.notebook,
        epochs=run.epochs,
        images=run.epochs * facts.train_images,
        frozen_after_epoch=run.frozen_after_epoch,
        train_accuracy=run.train_accuracy_percent[-1],
        test_accuracy=run.test_accuracy_percent[-1],
        train_loss=train_loss / ceil(facts.train_images / run.train_batch_size),
        test_loss=test_loss * facts.test_images / test_batches,
        train_loss_original=train_loss,
        test_loss_original=test_loss,
        test_images=facts.test_images,
    )


@cache
def load_paper() -> Paper:
    """The paper's tables, from ``paper.json``."""
    return Paper.model_validate_json(_read("paper.json"))


@cache
def load_project2022() -> Project2022:
    """The 2022 project's runs, from ``project2022.json``."""
    return Project2022.model_validate_json(_read("project2022.json"))


def dataset_title(dataset: str) -> str:
    """How people write the name: ``CIFAR-10`` for ``cifar10``."""
    facts = load_project2022().meta.datasets.get(dataset)
    return facts.title if facts else dataset


def _read(name: str) -> str:
    return files("bench.reference").joinpath(name).read_text(encoding="utf-8")
