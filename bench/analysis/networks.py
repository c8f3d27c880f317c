"""What the networks cost: by formula, layer by layer, as Table 1 prints it and as it was measured.

Nothing is rounded here and no torch is imported.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Final, NamedTuple

import pandas as pd

from bench.analysis.labels import in_order
from bench.records.schema import Record
from bench.reference.loader import load_paper
from bench.reference.paper import Architecture, ComputedCost
from bench.reference.printed import look_up
from resnet_models import MODELS, Definition, define
from resnet_models.layers import Kind, layer_table, stages
from resnet_models.spec import Family, Lineage

# Pixels a side of the images that the networks were published for.
RESOLUTION: Final[dict[Family, int]] = {"table1": 224, "table6": 32}
# What the paper's FLOPs leave out, by the column of ``catalog`` that counts it.
OTHER_KINDS: Final[dict[str, tuple[Kind, ...]]] = {
    "batch_norm": ("batch norm",),
    "relu": ("relu",),
    "pooling": ("max pool", "average pool"),
    "addition": ("addition",),
}
COUNTS: Final = ["parameters", "macs", "operations"]


def catalog(lineage: Lineage = "paper") -> pd.DataFrame:
    """One row per network as published, beside what the paper prints about its cost.

    ``operations`` are what MACs leave out, then told apart by kind; ``difference_percent`` is ours
    against the printed figure, NaN where there is none. Table 6 has one lineage only.
    """
    frame = pd.DataFrame([_catalog_row(name, lineage) for name in MODELS])
    counted = frame["macs"].where(frame["printed_flops"].notna(), frame["parameters"])
    printed = frame["printed_flops"].fillna(frame["printed_parameters"])
    frame["difference_percent"] = 100 * (counted / printed - 1)
    return frame.astype({"printed_flops": "Int64", "printed_parameters": "Int64"})


def _catalog_row(name: str, lineage: Lineage) -> dict[str, object]:
    family = MODELS[name].family
    definition = define(name, lineage=lineage if family == "table1" else "paper")
    layers = layer_table(definition, RESOLUTION[family])
    operations: Counter[Kind] = Counter()
    for layer in layers:
        operations[layer.kind] += layer.operations
    row = {
        "model": name,
        "family": family,
        "depth": definition.spec.depth,
        "block": definition.spec.block,
        "lineage": definition.lineage,
        "shortcut": definition.shortcut,
        "parameters": sum(layer.parameters for layer in layers),
        "macs": sum(layer.macs for layer in layers),
        "operations": sum(layer.operations for layer in layers),
    }
    others = {key: sum(operations[kind] for kind in kinds) for key, kinds in OTHER_KINDS.items()}
    return row | others | _printed(definition)


def _printed(definition: Definition) -> dict[str, object]:
    """FLOPs of Table 1, for plain34 of section 3.3; parameters of the ResNets of Table 6.

    None of a network that the paper does not have.
    """
    tables, depth = load_paper().tables, definition.spec.depth
    flops = parameters = None
    if definition.model == "plain34":
        flops = look_up("paper:tables/table1/flops_quoted_in_text/plain34").value
    elif definition.shortcut != "none" and definition.spec.family == "table1":
        listed = tables.table1.depths.get(depth)
        flops = listed.flops_printed if listed else None
    elif definition.shortcut != "none":
        row = tables.table6.resnets.get(depth)
        parameters = row.params if row else None
    return {"printed_flops": flops, "printed_parameters": parameters}


def table6() -> pd.DataFrame:
    """Table 6 as printed, CIFAR-10 test error in percent, beside the cost of our networks."""
    printed = pd.DataFrame([row.model_dump() for row in load_paper().tables.table6.rows])
    ours = catalog().query("family == 'table6' and shortcut != 'none'")
    ours = ours.rename(columns={"depth": "layers"})[["layers", "model", "parameters", "macs"]]
    table = printed.merge(ours.assign(method="ResNet"), on=["method", "layers"], how="left")
    return table.astype({"layers": "Int64", "parameters": "Int64", "macs": "Int64"})


class Live(NamedTuple):
    """Parameters and MACs that meet numbers of an image, and not only padding."""

    parameters: int
    macs: int


@cache
def live(definition: Definition, resolution: int) -> Live:
    """What is live of a network for images of ``resolution`` pixels a side."""
    layers = layer_table(definition, resolution)
    parameters = sum(layer.live_parameters for layer in layers)
    return Live(parameters, sum(layer.live_macs for layer in layers))


def layer_frame(definition: Definition, resolution: int | None = None) -> pd.DataFrame:
    """One row per layer in the order of execution; columns are the fields of ``Layer``.

    Images have ``resolution`` pixels a side, as many as published where it is None.
    """
    resolution = resolution or RESOLUTION[definition.spec.family]
    frame = pd.DataFrame([asdict(layer) for layer in layer_table(definition, resolution)])
    return frame.astype({"kernel": "Int64", "stride": "Int64"})


def kind_totals(layers: pd.DataFrame) -> pd.DataFrame:
    """Number of layers and sums of COUNTS for each kind in a ``layer_frame``."""
    groups = layers.groupby("kind", sort=False)
    return groups[COUNTS].sum().assign(layers=groups.size()).reset_index()


def table1_structure(lineage: Lineage = "paper") -> pd.DataFrame:
    """Table 1 from the networks: a row per stage, a column per depth (named by its digits).

    The last two rows are ``macs``, ours, and ``printed_flops``; they have no output size.
    """
    costs = catalog(lineage).set_index("model")
    columns: dict[str, dict[str, object]] = {}
    for depth in load_paper().tables.table1.depths:
        model = f"resnet{depth}"
        column = stages(define(model, lineage=lineage), RESOLUTION["table1"])
        columns["output_size"] = {stage.name: stage.output_size for stage in column}
        columns[str(depth)] = {stage.name: stage.text for stage in column} | {
            name: costs.loc[model, name] for name in ("macs", "printed_flops")
        }
    frame = pd.DataFrame(columns).astype({"output_size": "Int64"})
    return frame.rename_axis("stage").reset_index()


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """A network of Table 1: what the paper prints, and what was measured in one lineage.

    Attributes:
        lineage: None where nothing ran, as are the cell and its numbers.
        macs: of one image of 224x224, as the printed FLOPs are.
    """

    depth: int
    printed: Architecture
    lineage: Lineage | None = None
    cell_id: str | None = None
    parameters: int | None = None
    macs: int | None = None

    @property
    def difference_percent(self) -> float | None:
        return None if self.macs is None else 100 * (self.macs / self.printed.flops_printed - 1)

    @property
    def expected(self) -> ComputedCost:
        return load_paper().cost(self.depth, self.lineage or "paper")


def table1(records: Sequence[Record]) -> list[CostRow]:
    """Table 1: a row per depth and lineage, without plain nets and other shortcuts than B."""
    rows = []
    for depth, printed in load_paper().tables.table1.depths.items():
        measured: dict[Lineage, CostRow] = {}
        for record in in_order(records):
            cell, cost = record.cell, record.cost
            if cell.lineage == "custom" or (cell.depth, cell.shortcut) != (depth, "B"):
                continue
            if not (cost and cost.table1_macs):
                continue
            row = CostRow(
                depth=depth,
                printed=printed,
                lineage=cell.lineage,
                cell_id=cell.id,
                parameters=cost.table1_parameters,
                macs=cost.table1_macs,
            )
            measured.setdefault(cell.lineage, row)
        nothing = CostRow(depth=depth, printed=printed)
        rows += [measured[lineage] for lineage in sorted(measured)] or [nothing]
    return rows


def stacked(stage: str) -> str:
    """A stage of Table 1 on several lines, as the paper sets it."""
    outside, bracket, inside = stage.partition("[")
    return outside.replace("; ", "\n") + bracket + inside.replace("; ", "\n ")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockIdentity:
    """Why ResNet-50 costs hardly more than ResNet-34, though its maps are four times as wide.

    Both kinds of block have similar time complexity (section 4.1, Figure 5).

    Attributes:
        basic: multiply-adds of a basic block inside a stage, in units of HWC² for C planes on
            maps of H x W.
        bottleneck: those of a bottleneck with the same C, in the same units.
        more_percent: MACs of ResNet-50 above those of ResNet-34.
        projections_percent: share of the projection shortcuts in the MACs of ResNet-50.
    """

    basic: int
    bottleneck: int
    more_percent: float
    projections_percent: float


def block_identity(lineage: Lineage = "paper") -> BlockIdentity:
    basic, bottleneck = (
        layer_frame(define(model, lineage=lineage)) for model in ("resnet34", "resnet50")
    )
    ours = bottleneck["macs"].sum()
    projections = bottleneck.loc[bottleneck["name"].str.contains("downsample"), "macs"].sum()
    return BlockIdentity(
        basic=_block_factor(basic),
        bottleneck=_block_factor(bottleneck),
        more_percent=float(100 * (ours / basic["macs"].sum() - 1)),
        projections_percent=float(100 * projections / ours),
    )


def _block_factor(layers: pd.DataFrame) -> int:
    """MACs of the second block of conv3_x, divided by H·W·C² of its 3x3 convolution."""
    block = layers[layers["name"].str.startswith("layer2.1.")]
    planes, height, width = block.loc[block["kernel"] == 3, "output_shape"].iloc[0]
    factor, rest = divmod(int(block["macs"].sum()), height * width * planes**2)
    assert rest == 0
    return int(factor)
