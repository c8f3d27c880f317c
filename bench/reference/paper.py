"""The paper: what is read of its tables and its text, and what its definitions cost. No torch here.

Errors are percent, FLOPs multiply-adds. ``paper.json`` holds more, which claims get by path
(``printed``): fields that are not named here are left alone.
"""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from bench.reference.sources import Percent, Reference, Sourced
from resnet_models.spec import Lineage, Shortcut

_Pair = tuple[int, int]
_Triple = tuple[int, int, int]


class _Part(Reference):
    """What is read of an object of the file."""

    model_config = ConfigDict(extra="ignore")


class _SourcedPart(Sourced, _Part):
    """The same of one that has a source."""


class PaperMeta(_Part):
    """Where the paper is found."""

    title: str
    authors: str
    arxiv: str
    venue: str


class Architecture(_SourcedPart):
    """One column of Table 1."""

    block: Literal["basic", "bottleneck"]
    blocks: tuple[int, int, int, int]
    flops_printed: float = Field(gt=0, description="multiply-adds at 224x224")


class QuotedFlops(_SourcedPart):
    """Multiply-adds of a network that the text names."""

    value: float = Field(gt=0)


class Table1(_SourcedPart):
    """Table 1: the five ImageNet networks.

    The dicts by stage (``conv1`` ... ``head``) hold height and width of its output, and the output
    channels of each convolution of its blocks.
    """

    output_sizes: dict[str, _Pair] = Field(min_length=6, max_length=6)
    basic_block_channels: dict[str, _Pair] = Field(min_length=4, max_length=4)
    bottleneck_channels: dict[str, _Triple] = Field(min_length=4, max_length=4)
    basic_kernels: _Pair
    bottleneck_kernels: _Triple
    depths: dict[int, Architecture] = Field(min_length=5, max_length=5)
    flops_quoted_in_text: dict[str, QuotedFlops]


class Table2Row(_SourcedPart):
    """Top-1 errors of a plain network and of its residual counterpart."""

    layers: int
    plain: Percent
    resnet: Percent


class Table2(_Part):
    """Table 2: plain against residual networks on ImageNet validation images, 10 crops."""

    rows: tuple[Table2Row, Table2Row]

    def row(self, layers: int) -> Table2Row:
        """The row of 18 or 34 layers."""
        return next(row for row in self.rows if row.layers == layers)


class Table3Row(_SourcedPart):
    """Top-1 and top-5 error; GoogLeNet has no printed top-1."""

    method: str = Field(min_length=1, description="as printed in the first column")
    top1: Percent | None
    top5: Percent


class Table3(_Part):
    """Table 3: errors on ImageNet validation images, 10 crops; shortcuts A, B and C."""

    rows: Annotated[tuple[Table3Row, ...], Field(min_length=10, max_length=10)]

    @model_validator(mode="after")
    def _a_row_for_each_method(self) -> Self:
        methods = [row.method for row in self.rows]
        twice = {method for method in methods if methods.count(method) > 1}
        if twice:
            raise ValueError(f"rows: more than one of {', '.join(sorted(twice))}")
        return self

    def row(self, method: str) -> Table3Row:
        """The row that is named so; KeyError with all names where there is none."""
        rows = {row.method: row for row in self.rows}
        if method not in rows:
            raise KeyError(f"{method!r} is none of {', '.join(rows)}")
        return rows[method]


class Table6Row(Sourced):
    """One row of Table 6: CIFAR-10 test error in percent."""

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


class Table6(_Part):
    """Table 6: classification error on the CIFAR-10 test set."""

    rows: Annotated[tuple[Table6Row, ...], Field(min_length=12, max_length=12)]

    @property
    def resnets(self) -> dict[int, Table6Row]:
        """By layers: 20, 32, 44, 56, 110 and 1202."""
        return {row.layers: row for row in self.rows if row.method == "ResNet" and row.layers}


class Tables(_Part):
    """The tables that more than claims are made of."""

    table1: Table1
    table2: Table2
    table3: Table3
    table6: Table6


class CifarTraining(_SourcedPart):
    """The budget of the networks of Table 6 (section 4.2)."""

    batch_size: int = Field(gt=0)
    stop_iteration: int = Field(gt=0)


class CifarSection(_Part):
    """Section 4.2."""

    hyperparameters: CifarTraining


class ComputedCost(_Part):
    """Analytic cost of a network."""

    macs_total: int = Field(gt=0, description="multiply-adds of one image")
    params: int = Field(gt=0, description="those that training changes")


class ImagenetCosts(_SourcedPart):
    """Costs of one depth at 224x224 with 3 channels and 1000 classes.

    ``v1`` has a bottleneck's stride on its first 1x1, ``v15`` on the 3x3; then the shortcuts.
    """

    v1_a: ComputedCost = Field(alias="v1_optionA")
    v1_b: ComputedCost = Field(alias="v1_optionB")
    v1_c: ComputedCost = Field(alias="v1_optionC")
    v15_a: ComputedCost = Field(alias="v1.5_optionA")
    v15_b: ComputedCost = Field(alias="v1.5_optionB")
    v15_c: ComputedCost = Field(alias="v1.5_optionC")
    plain: ComputedCost = Field(alias="plain_same_depth")


class Computed(_Part):
    """What the definitions cost, by depth."""

    imagenet_macs_224: dict[int, ImagenetCosts]


class Paper(_Part):
    """He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition."""

    meta: PaperMeta
    tables: Tables
    cifar_section: CifarSection
    computed: Computed

    def cost(self, depth: int, lineage: Lineage, shortcut: Shortcut = "B") -> ComputedCost:
        """Exact parameters and MACs of a Table 1 network as ``lineage`` defines it.

        A plain one (``shortcut`` "none") is defined with the stride of lineage ``paper`` only.
        """
        costs = self.computed.imagenet_macs_224[depth]
        if shortcut == "none":
            return costs.plain
        if lineage == "paper":
            return {"A": costs.v1_a, "B": costs.v1_b, "C": costs.v1_c}[shortcut]
        return {"A": costs.v15_a, "B": costs.v15_b, "C": costs.v15_c}[shortcut]
