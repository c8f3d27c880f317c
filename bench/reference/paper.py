"""The paper: what is read of its tables, and what its definitions cost. No torch here.

Errors are percent, FLOPs multiply-adds. ``paper.json`` holds more, which is got by path
(``printed``): fields that are not named here are left alone.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from bench.reference.sources import Part, Percent, Sourced
from resnet_models.spec import Lineage, Shortcut


class PaperMeta(Part):
    title: str
    authors: str
    arxiv: str
    venue: str


class Architecture(Sourced, Part):
    block: Literal["basic", "bottleneck"]
    blocks: tuple[int, int, int, int]
    flops_printed: float = Field(gt=0, description="multiply-adds at 224x224")


class Table1(Part):
    """The five ImageNet networks."""

    depths: dict[int, Architecture] = Field(min_length=5, max_length=5)


class Table6Row(Sourced):
    """CIFAR-10 test error in percent."""

    method: str
    layers: int | None
    n: int | None = Field(default=None, description="of 6n + 2 layers")
    params: float | None
    error: Percent = Field(description="the best one where there are several runs")
    mean: Percent | None = None
    std: Percent | None = None
    runs: int | None = None

    @property
    def expected(self) -> float:
        """What one run should give: the mean where the paper has one."""
        return self.mean or self.error

    @model_validator(mode="after")
    def _mean_and_spread_together(self) -> Self:
        if (self.mean is None) != (self.std is None):
            raise ValueError(f"{self.method}: mean and std go together")
        return self


class Table6(Part):
    rows: Annotated[tuple[Table6Row, ...], Field(min_length=12, max_length=12)]

    @property
    def resnets(self) -> dict[int, Table6Row]:
        return {row.layers: row for row in self.rows if row.method == "ResNet" and row.layers}


class Tables(Part):
    table1: Table1
    table6: Table6


class ComputedCost(Part):
    macs_total: int = Field(gt=0, description="multiply-adds of one image")
    params: int = Field(gt=0, description="those that training changes")


class Computed(Part):
    """What the definitions cost, by depth and by a name that ``Paper.cost`` makes."""

    imagenet_macs_224: dict[int, dict[str, Any]]


class Paper(Part):
    """He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition."""

    meta: PaperMeta
    tables: Tables
    computed: Computed

    def cost(self, depth: int, lineage: Lineage, shortcut: Shortcut = "B") -> ComputedCost:
        """Exact parameters and MACs of a Table 1 network at 224x224 with 1000 classes.

        A plain one (``shortcut`` "none") is defined with the stride of lineage ``paper`` only.
        """
        name = f"{'v1' if lineage == 'paper' else 'v1.5'}_option{shortcut}"
        if shortcut == "none":
            name = "plain_same_depth"
        return ComputedCost.model_validate(self.computed.imagenet_macs_224[depth][name])
