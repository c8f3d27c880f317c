"""The page's tables: Table 1, every layer, Table 6, and our errors beside it."""

import re
import statistics
from itertools import chain
from typing import Any

import pytest

from bench.config.profiles import DEPTHS
from bench.reference.loader import load_paper, load_project2022
from resnet_models import MODELS, define
from resnet_models.layers import layer_table
from tests.support.factories import make_record, make_with_clean, make_with_error
from tests.support.pages import RECORDS, page_of, render, table_of
from tests.support.references import content
from tests.support.tools import parsed, text_of

pytestmark = pytest.mark.heavy

OURS = "Our errors beside Table 6"


@pytest.fixture(scope="module", params=["empty", "ten", "table6", "project2022"])
def page(request):
    return page_of(request.param)


@pytest.fixture(scope="module")
def ten():
    return page_of("ten")


def test_table_1_is_made_from_the_networks(page):
    """On every page, also without records; in the lineage of its networks of Table 1."""
    paper = load_paper()
    (lineage,) = re.findall(r"of our networks, lineage (\w+);", text_of(page))
    assert lineage == ("project2022" if page == page_of("project2022") else "paper")
    *stages, macs, printed = table_of(page, "Table 1, made from the networks")
    table1 = content("paper.json")["tables"]["table1"]
    assert {name: size for name, size, *_ in stages} == {
        name: f"{height}×{width}" for name, (height, width) in table1["output_sizes"].items()
    }
    for number, (depth, column) in enumerate(paper.tables.table1.depths.items(), start=2):
        basic = column.block == "basic"
        kernels = table1[f"{column.block}_kernels"]
        channels = table1["basic_block_channels" if basic else "bottleneck_channels"]
        blocks = []
        for widths, count in zip(channels.values(), column.blocks, strict=True):
            layers = [f"{k}×{k}, {width}" for k, width in zip(kernels, widths, strict=True)]
            blocks.append("[" + "\n ".join(layers) + f"] × {count}")
        blocks[0] = f"3×3 max pool, stride 2\n{blocks[0]}"
        assert [row[number] for row in stages] == [
            "7×7, 64, stride 2", *blocks, "average pool\n1000-d fc"
        ]  # fmt: skip
        assert macs[number] == f"{paper.cost(depth, lineage).macs_total / 1e9:.3f}"
        assert printed[number] == f"{column.flops_printed / 1e9:.1f}"


def test_every_run_of_the_2022_project_is_in_the_ledger(page):
    """Ten cells of the slides, the ten with other recipes."""
    (section,) = parsed(page).findall(".//div[@id='ledger']")
    text = " ".join("".join(section.itertext()).split())
    runs = load_project2022().runs
    assert len(runs) == 20
    for run in runs:
        assert f"{run.test_accuracy_percent[-1]:g} %" in text, run.notebook
        assert run.notebook in text


def test_the_slides_beside_our_cells(ten):
    text = text_of(ten)
    for cell in load_project2022().cells():
        for accuracy in (cell.train_accuracy, cell.test_accuracy):
            assert f"{accuracy:.2f}" in text
        for loss in (cell.train_loss, cell.test_loss):
            assert f"{loss:.4f}" in text
            assert f"{loss:.3f}" in text


def test_block_identity_explains_resnet_50(ten):
    text = text_of(ten)
    assert "a basic block with C planes costs 18 HWC² MACs" in text
    assert "4C channels, 17 HWC²" in text
    paper = load_paper()
    more = 100 * (paper.cost(50, "paper").macs_total / paper.cost(34, "paper").macs_total - 1)
    assert f"costs only {more:.1f} % more" in text


@pytest.mark.parametrize("lineage", ["paper", "torchvision"])
def test_layer_tables_are_in_the_lineage_of_the_records(lineage):
    page = render([make_record(50, lineage=lineage)], [])
    assert page.count('<details class="more layers">') == len(DEPTHS)
    for depth in (18, 50):
        layers = layer_table(define(f"resnet{depth}", lineage=lineage), 224)
        *rows, total = table_of(page, f"Layers of ResNet-{depth}")
        assert rows == [
            [
                layer.name,
                layer.kind,
                "×".join(map(str, layer.output_shape)),
                f"{layer.parameters:,}" if layer.parameters else "–",
                f"{layer.macs:,}" if layer.macs else "–",
            ]
            for layer in layers
        ]
        exact = load_paper().cost(depth, lineage)
        assert total[1] == f"{len(layers)} layers"
        assert total[3:] == [f"{exact.params:,}", f"{exact.macs_total:,}"]
    assert f"{exact.params:,} parameters, {exact.macs_total:,} MACs" in text_of(page)


def test_several_lineages_show_the_networks_of_the_paper():
    records = [make_record(50), make_record(101, lineage="torchvision")]
    assert "of our networks, lineage paper" in text_of(render(records, []))


def test_layer_tables_add_less_than_250_kb(ten):
    tables = re.findall(r'<details class="more layers">.*?</details>', ten, re.DOTALL)
    assert len(tables) == 5
    assert len("".join(tables).encode()) < 250_000


def test_operations_apart_in_percent_of_the_macs(ten):
    layers = layer_table(define("resnet50"), 224)
    macs = sum(layer.macs for layer in layers)

    def percent(*kinds):
        return f"{100 * sum(x.operations for x in layers if x.kind in kinds) / macs:.2f}"

    apart = [("batch norm",), ("relu",), ("max pool", "average pool"), ("addition",)]
    rows = table_of(ten, "Operations that are no MACs")
    assert [row[0] for row in rows] == [f"ResNet-{depth}" for depth in DEPTHS]
    assert rows[2][1:] == [*(percent(*kinds) for kinds in apart), percent(*chain(*apart))]


def test_table_6_is_shown_as_printed_beside_our_cost(page):
    rows = table_of(page, "Table 6 of the paper")
    printed = load_paper().tables.table6.rows
    assert [row[0] for row in rows] == [row.method for row in printed]
    for (_, layers, parameters, *ours, error, mean, runs), row in zip(rows, printed, strict=True):
        assert layers == (str(row.layers) if row.layers else "–")
        assert parameters == (f"{row.params / 1e6:g}" if row.params else "–")
        assert error == f"{row.error:.2f}"
        assert mean == (f"{row.mean:.2f} ± {row.std:.2f}" if row.mean else "–")
        assert runs == (str(row.runs) if row.runs else "–")
        if row.method == "ResNet":
            name = f"cifar_resnet{row.layers}"
            macs = sum(layer.macs for layer in layer_table(define(name), 32))
            exact = MODELS[name].parameters["A", "cifar", 3, 10]
            assert ours == [f"{exact:,}", f"{macs / 1e6:,.1f}"]
        else:
            assert ours == ["–", "–"]


def test_our_errors_stand_beside_the_printed_ones():
    page = page_of("table6")
    rows = {row[0].removesuffix("paper_cifar"): row for row in table_of(page, OURS)}
    assert len(rows) == 9
    for record in RECORDS["table6"]:
        cell = record.cell
        plain = "plain" in cell.model
        name = f"plain-{cell.depth}" if plain else f"ResNet-{cell.depth}"
        row = rows[name if cell.depth < 110 else name + "paper_cifar_warmup"]
        error = 100 * (1 - record.final.test_accuracy)
        assert row[1].startswith(f"{error:.2f}")
        assert f'<a class="trace" href="#cell-{cell.id}">{error:.2f}</a>' in page
        assert row[4] == f"{100 * (1 - record.final.train_accuracy):.2f}"
        assert row[5] == "64,000of 64,000"
        if plain:
            assert row[2:4] == ["–", "–"]
            continue
        expected = load_paper().tables.table6.resnets[cell.depth].expected
        assert row[2] == f"{expected:.2f}"
        assert row[3].endswith(f"{error - expected:+.2f}".replace("-", "−"))


def verdict_of(record):
    section = render([record], [])
    section = section[section.index(f'aria-label="{OURS}"') :]
    return re.search(r'<span class="(\w+)">(.)&nbsp;([^<]*)</span>', section).groups()


@pytest.mark.parametrize(
    ("error", "verdict"),
    [(9.75, ("down", "▲", "+1.00")), (7.75, ("up", "▼", "−1.00")), (8.7, ("same", "≈", "−0.05"))],
)
def test_a_lower_error_is_the_better_one(error, verdict):
    assert verdict_of(make_with_error(error)) == verdict


def test_the_training_error_of_the_final_weights_stands_below_the_running_one():
    record = make_with_clean(make_with_error(8.7), error=1.25)
    page = render([record], [])
    running = 100 * (1 - record.final.train_accuracy)
    (row,) = table_of(page, OURS)
    assert row[4] == f"{running:.2f}1.25 at the end"
    assert "98.75 at the end" in text_of(page)
    assert "98.75 % of 34,176 without augmentation, loss 0.0875" in text_of(page)
    assert "at the end</small>" not in render([make_with_error(8.7)], [])


@pytest.mark.parametrize("change", [{"iterations": 6400}, {"batch_size": 32}])
def test_no_verdict_on_another_budget(change):
    assert verdict_of(make_with_error(9.75, **change)) == ("muted", "▲", "+1.00")


def test_errors_of_several_seeds_tell_how_many_and_lead_to_each():
    page = page_of("table6 with seeds")
    records = [r for r in RECORDS["table6 with seeds"] if r.cell.model == "cifar_resnet20"]
    (row,) = [row for row in table_of(page, OURS) if row[0].startswith("ResNet-20")]
    mean = 100 - 100 * statistics.mean(r.final.test_accuracy for r in records)
    assert row[1].startswith(f"{mean:.2f}")
    assert "n\xa0=\xa03: 1 2 3" in row[1]


def test_a_cell_of_table_6_that_failed_keeps_its_row():
    broken: dict[str, Any] = {"status": "failed", "reason": "stopped", "epochs": ()}
    page = render([make_record(44, network="cifar_resnet", **broken)], [])
    assert table_of(page, OURS) == [["ResNet-44", "failed", "7.17", "–", "–", "–of 64,000"]]


@pytest.mark.parametrize("name", ["empty", "ten", "project2022"])
def test_without_such_cells_table_6_is_the_printed_one(name):
    assert OURS not in page_of(name)


def test_the_profile_full_shows_its_networks_of_table_6_and_no_other():
    cells = {record.cell for record in RECORDS["full"]}
    assert len(table_of(page_of("full"), OURS)) == sum("cifar" in cell.model for cell in cells) > 0


def test_networks_of_table_1_keep_their_lineage_beside_those_of_table_6():
    records = [make_record(50, lineage="torchvision"), make_record(20, network="cifar_resnet")]
    assert "of our networks, lineage torchvision" in text_of(render(records, []))


def test_timings_that_do_not_fit_the_training_are_marked():
    good, odd = make_record(18), make_record(34)
    speed = odd.speed.model_copy(update={"train_step_seconds": (3.48,) * 5})
    page = render([good, odd.model_copy(update={"speed": speed})])
    first, second = (row[0] for row in table_of(page, "Speed and memory of every cell")[-2:])
    assert "pace differs" not in first
    assert "pace differs, see below" in second
    assert f"{odd.cell.id}: timed at 3,480 ms a training step" in text_of(page)
