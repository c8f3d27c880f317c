"""Tables 1 to 8 of the paper, as printed. No torch here.

Errors and mean average precisions (mAP) are percent, FLOPs multiply-adds. A table with a row or a
column missing is refused.
"""

from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import Field, model_validator

from bench.reference.sources import Percent, Quoted, Reference, Sourced, Stated

_Pair = tuple[int, int]
_Triple = tuple[int, int, int]


class Architecture(Sourced):
    """One column of Table 1."""

    block: Literal["basic", "bottleneck"]
    blocks: tuple[int, int, int, int]
    flops_printed: float = Field(gt=0, description="multiply-adds at 224x224")


class Table1(Sourced):
    """Table 1: the five ImageNet networks.

    The dicts by stage (``conv1`` ... ``head``) hold height and width of its output, and the output
    channels of each convolution of its blocks.
    """

    input: _Pair
    output_sizes: dict[str, _Pair] = Field(min_length=6, max_length=6)
    stem: str
    head: str
    downsampling: str
    basic_block_channels: dict[str, _Pair] = Field(min_length=4, max_length=4)
    bottleneck_channels: dict[str, _Triple] = Field(min_length=4, max_length=4)
    basic_kernels: _Pair
    bottleneck_kernels: _Triple
    depths: dict[int, Architecture] = Field(min_length=5, max_length=5)
    flops_definition: Stated
    flops_quoted_in_text: dict[str, Quoted]
    plain34_fraction_of_vgg19: Quoted = Field(description="of its FLOPs")


class Table2Row(Sourced):
    """Top-1 errors of a plain network and of its residual counterpart."""

    layers: int
    plain: Percent
    resnet: Percent


class Table2(Reference):
    """Table 2: plain against residual networks on ImageNet validation images, 10 crops."""

    metric: str
    rows: tuple[Table2Row, Table2Row]
    text_claims: dict[str, Quoted] = Field(description="points of top-1 error")

    def row(self, layers: int) -> Table2Row:
        """The row of 18 or 34 layers."""
        return next(row for row in self.rows if row.layers == layers)


class _Row(Sourced):
    method: str = Field(min_length=1, description="as printed in the first column")


_RowT = TypeVar("_RowT", bound=_Row)


class _Table(Reference, Generic[_RowT]):
    """A table whose first column names each row once."""

    metric: str
    rows: tuple[_RowT, ...]

    @model_validator(mode="after")
    def _a_row_for_each_method(self) -> Self:
        methods = [row.method for row in self.rows]
        twice = {method for method in methods if methods.count(method) > 1}
        if twice:
            raise ValueError(f"rows: more than one of {', '.join(sorted(twice))}")
        return self

    def row(self, method: str) -> _RowT:
        """The row that is named so; KeyError with all names where there is none."""
        rows = {row.method: row for row in self.rows}
        if method not in rows:
            raise KeyError(f"{method!r} is none of {', '.join(rows)}")
        return rows[method]


class ErrorRow(_Row):
    """Top-1 and top-5 error; GoogLeNet and VGG have no printed top-1 in some rows."""

    top1: Percent | None
    top5: Percent


class Table4Row(ErrorRow):
    """A row of Table 4."""

    on_test_set: bool = Field(default=False, description="not on the validation images")


class Table5Row(_Row):
    """A row of Table 5."""

    top5_test: Percent


class Table3(_Table[ErrorRow]):
    """Table 3: errors on ImageNet validation images, 10 crops; shortcuts A, B and C."""

    note: str
    rows: Annotated[tuple[ErrorRow, ...], Field(min_length=10, max_length=10)]
    option_C_extra_projections: Quoted  # noqa: N815 - the paper's letter


class Table4(_Table[Table4Row]):
    """Table 4: errors of single models on ImageNet validation images, several scales."""

    rows: Annotated[tuple[Table4Row, ...], Field(min_length=10, max_length=10)]


class Table5(_Table[Table5Row]):
    """Table 5: top-5 errors of ensembles on ImageNet test images."""

    rows: Annotated[tuple[Table5Row, ...], Field(min_length=6, max_length=6)]
    ensemble: Stated


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

    @model_validator(mode="after")
    def _mean_and_spread_together(self) -> Self:
        if (self.mean is None) != (self.std is None):
            raise ValueError(f"{self.method}: mean and std go together")
        return self


class Table6(Reference):
    """Table 6: classification error on the CIFAR-10 test set."""

    metric: str
    caption_rule: str
    rows: Annotated[tuple[Table6Row, ...], Field(min_length=12, max_length=12)]

    def resnet(self, layers: int) -> Table6Row:
        """The ResNet of that many layers: 20, 32, 44, 56, 110 or 1202."""
        resnets = {row.layers: row for row in self.rows if row.method == "ResNet"}
        return resnets[layers]


class Table7Row(_Row):
    """mAP on PASCAL VOC, trained on 07+12 and on 07++12."""

    voc07_test_train0712: Percent
    voc12_test_train07pp12: Percent


class Table7(_Table[Table7Row]):
    """Table 7: object detection on PASCAL VOC, baseline Faster R-CNN."""

    rows: tuple[Table7Row, Table7Row]


class Table8Row(_Row):
    """mAP on COCO, at IoU 0.5 and averaged over IoU 0.5 to 0.95."""

    map50: Percent
    map50_95: Percent


class Table8(_Table[Table8Row]):
    """Table 8: object detection on COCO, baseline Faster R-CNN."""

    rows: tuple[Table8Row, Table8Row]
    gain_points: Quoted = Field(description="in mAP at 0.5 to 0.95, as the text says")
    gain_relative_percent: Quoted


class Tables(Reference):
    """Tables 1 to 8."""

    table1: Table1
    table2: Table2
    table3: Table3
    table4: Table4
    table5: Table5
    table6: Table6
    table7: Table7
    table8: Table8
