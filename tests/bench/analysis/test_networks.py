"""The catalog as DataFrames: against the printed tables, against torch-free formulas, in sum."""

from typing import get_args

import pandas as pd
import pytest

from bench.analysis.networks import (
    OTHER_KINDS,
    RESOLUTION,
    block_identity,
    catalog,
    kind_totals,
    layer_frame,
    stacked,
    table6,
)
from bench.config.profiles import DEPTHS
from bench.reference.loader import load_paper
from resnet_models import MODELS, define
from resnet_models.layers import layer_table
from resnet_models.spec import Lineage
from tests.support.own import ADDED, add_networks

PAPER = load_paper()
TABLE1 = PAPER.tables.table1
RESNETS = [row for row in PAPER.tables.table6.rows if row.method == "ResNet"]


@pytest.fixture(scope="module")
def networks():
    return catalog().set_index("model")


def test_every_network_is_listed_as_the_catalog_counts_it(networks):
    assert list(networks.index) == list(MODELS)
    for name, row in networks.iterrows():
        published = define(name)
        key = (row["shortcut"], published.stem, 3, published.num_classes)
        assert row["parameters"] == MODELS[name].parameters[key]


@pytest.mark.parametrize("lineage", get_args(Lineage))
def test_table1_macs_are_the_exact_ones_of_the_lineage(lineage):
    networks = catalog(lineage).set_index("model")
    for depth in DEPTHS:
        row, exact = networks.loc[f"resnet{depth}"], PAPER.cost(depth, lineage)
        assert (row["parameters"], row["macs"]) == (exact.params, exact.macs_total)
        assert row["lineage"] == lineage


def test_table1_macs_lie_within_2_percent_of_the_printed_flops(networks):
    printed = networks.query("family == 'table1' and printed_flops.notna()")
    assert list(printed["depth"]) == [*DEPTHS, 34]  # the plain one is quoted in section 3.3
    assert list(printed["printed_flops"][:5]) == [
        TABLE1.depths[depth].flops_printed for depth in DEPTHS
    ]
    assert printed.loc["plain34", "printed_flops"] == 3.6e9
    assert printed["difference_percent"].abs().max() < 2
    expected = 100 * (printed["macs"] - printed["printed_flops"]) / printed["printed_flops"]
    assert list(printed["difference_percent"]) == pytest.approx(list(expected))


def test_torchvision_differs_from_the_printed_flops_only_where_there_are_bottlenecks(networks):
    theirs = catalog("torchvision").set_index("model")
    more = theirs["macs"] > networks["macs"]
    assert list(theirs.index[more]) == ["resnet50", "resnet101", "resnet152"]
    assert (theirs["macs"][~more] == networks["macs"][~more]).all()


def test_table6_parameters_round_to_the_printed_ones(networks):
    assert [row.layers for row in RESNETS] == [20, 32, 44, 56, 110, 1202]
    for printed in RESNETS:
        row = networks.loc[f"cifar_resnet{printed.layers}"]
        assert row["printed_parameters"] == printed.params
        text = f"{printed.params / 1e6:g}"
        decimals = len(text.partition(".")[2])
        assert f"{row['parameters'] / 1e6:.{decimals}f}" == text
        assert abs(row["difference_percent"]) < 2


def test_nothing_printed_means_no_difference(networks):
    missing = networks["printed_flops"].isna() & networks["printed_parameters"].isna()
    assert set(networks.index[missing]) == {
        "plain18", *(name for name in MODELS if name.startswith("cifar_plain"))
    }  # fmt: skip
    assert (networks["difference_percent"].isna() == missing).all()


def test_operations_apart_add_up(networks):
    assert (networks[list(OTHER_KINDS)].sum(axis=1) == networks["operations"]).all()
    assert (networks["operations"] < 0.02 * networks["macs"]).all()
    plain = networks["shortcut"] == "none"
    assert ((networks["addition"] == 0) == plain).all()


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "plain34", "cifar_resnet20"])
def test_layer_frame_and_kind_totals_sum_to_the_catalog(name, networks):
    layers = layer_frame(define(name))
    pd.testing.assert_frame_equal(
        layers, layer_frame(define(name), RESOLUTION[MODELS[name].family])
    )
    assert list(layers["name"]) == [x.name for x in layer_table(define(name), 64)]
    totals = kind_totals(layers).set_index("kind")
    assert totals["layers"].sum() == len(layers)
    for count in ("parameters", "macs", "operations"):
        assert layers[count].sum() == totals[count].sum() == networks.loc[name, count]
    assert set(totals.index[totals["macs"] > 0]) == {"convolution", "linear"}
    others = totals.drop(["convolution", "linear"])
    assert (others["macs"] == 0).all()
    weights = totals.loc[["convolution", "linear", "batch norm"], "parameters"]
    assert weights.sum() == networks.loc[name, "parameters"]


def test_layer_frame_follows_the_resolution():
    small, large = (layer_frame(define("cifar_resnet20"), pixels) for pixels in (32, 64))
    convolutions = small["kind"] == "convolution"
    assert (4 * small["macs"][convolutions] == large["macs"][convolutions]).all()
    assert (small["parameters"] == large["parameters"]).all()


def test_a_stage_is_stacked_as_in_the_paper():
    assert stacked("3×3 max pool, stride 2; [3×3, 64; 3×3, 64] × 2") == (
        "3×3 max pool, stride 2\n[3×3, 64\n 3×3, 64] × 2"
    )
    assert stacked("average pool; 1000-d fc") == "average pool\n1000-d fc"


@pytest.mark.parametrize("lineage", get_args(Lineage))
def test_block_identity_against_the_closed_formula(lineage):
    """Two 3x3 from C to C; 1x1 from 4C to C, 3x3 from C to C, 1x1 from C to 4C (Figure 5)."""
    block = block_identity(lineage)
    assert block.basic == 2 * 3**2
    assert block.bottleneck == 4 + 3**2 + 4
    ours = PAPER.cost(50, lineage).macs_total
    assert block.more_percent == pytest.approx(
        100 * (ours / PAPER.cost(34, lineage).macs_total - 1)
    )
    # 64 -> 256 on 56x56, then three times C -> 2C while the area shrinks to a quarter: equal costs
    projections = 64 * 256 * 56**2 + 3 * 256 * 512 * 28**2
    assert block.projections_percent == pytest.approx(100 * projections / ours)


def test_table6_sets_our_cost_beside_the_printed_rows(networks):
    table = table6()
    assert [(row.method, row.error) for row in table.itertuples()] == [
        (row.method, row.error) for row in PAPER.tables.table6.rows
    ]
    resnets = table["method"] == "ResNet"
    assert table.loc[~resnets, ["model", "parameters", "macs"]].isna().all(axis=None)
    for row in table[resnets].itertuples():
        assert row.model == f"cifar_resnet{row.layers}"
        assert (row.parameters, row.macs) == tuple(networks.loc[row.model, ["parameters", "macs"]])


def test_a_network_that_the_paper_does_not_have_has_no_printed_figure(monkeypatch):
    add_networks(monkeypatch)
    networks = catalog().set_index("model")
    for name in ADDED:
        figures = ["printed_flops", "printed_parameters", "difference_percent"]
        assert networks.loc[name, figures].isna().all()
    assert (
        networks.loc["cifar_resnet26", "parameters"] == 269_722 + 97_216
    )  # a block more in each stage
