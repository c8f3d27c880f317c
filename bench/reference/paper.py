"""The paper: its tables, its text, and what its definitions cost. No torch here."""

from pydantic import ConfigDict, Field

from bench.reference.paper_sections import CifarSection, ImagenetTraining
from bench.reference.paper_tables import Tables
from bench.reference.sources import Quoted, Reference, Sourced
from resnet_models.spec import Lineage, Shortcut


class PaperMeta(Reference):
    """Where the paper is found, and how its file is to be read."""

    title: str
    authors: str
    arxiv: str
    venue: str
    units: str
    how_meaning: str
    verified_meaning: str
    row_rule: str


class Abstract(Reference):
    """The numbers of the abstract."""

    ensemble_top5_test: Quoted = Field(description="percent, ImageNet test images")
    max_depth: Quoted
    depth_ratio_to_vgg: Quoted
    coco_relative_improvement: Quoted = Field(description="percent")


class AppendixTable(Sourced):
    """A few numbers of the appendix, by name: mAP or error in percent."""

    values: dict[str, float | tuple[float, float]]


class Discrepancy(Reference):
    """Where the paper, its copies and its repetitions disagree or leave something open."""

    text: str
    source: str
    verified: bool


class _Computed(Reference):
    """Counts from definitions; only those that something is compared with are read."""

    model_config = ConfigDict(extra="ignore")


class ComputedCost(_Computed):
    """Analytic cost of a network."""

    macs_total: int = Field(gt=0, description="multiply-adds of one image")
    params: int = Field(gt=0, description="those that training changes")


class ImagenetCosts(Sourced, _Computed):
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


class CifarCosts(Sourced, _Computed):
    """Costs of one depth of section 4.2 at 32x32 with 3 channels and 10 classes, option A."""

    params: int = Field(gt=0, alias="params_optionA_3ch")
    params_plain: int = Field(gt=0, alias="params_plain_3ch")
    params_without_batch_norm: int = Field(gt=0, alias="params_optionA_3ch_without_BN_affine")
    macs: int = Field(gt=0, alias="macs_optionA_32x32_3ch")


class VggCosts(Sourced, _Computed):
    """Multiply-adds of a VGG network at 224x224, and its parameters."""

    conv: int = Field(gt=0)
    fc: int = Field(gt=0)
    total: int = Field(gt=0)
    params: int = Field(gt=0)


class Computed(_Computed):
    """What the definitions cost, by depth or by name."""

    imagenet_macs_224: dict[int, ImagenetCosts]
    cifar_resnets: dict[int, CifarCosts]
    vgg_macs_224: dict[str, VggCosts]


class Paper(Reference):
    """He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition."""

    meta: PaperMeta
    abstract: Abstract
    tables: Tables
    appendix: dict[str, AppendixTable]
    imagenet_training: ImagenetTraining
    cifar_section: CifarSection
    computed: Computed
    discrepancies: tuple[Discrepancy, ...]

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
