"""The page: valid, complete, safe, self-contained and the same for the same records."""

import re
import subprocess
import sys
from datetime import timedelta
from itertools import chain

import html5lib
import pytest

from bench import report, store
from bench.config import DEPTHS
from bench.errors import UsageError
from bench.layers import layer_table
from bench.reference.loader import load_paper, load_project2022
from resnet_models import MODELS, define
from tests.bench.factories import START, make_failed, make_grid, make_record
from tests.bench.tools import HOSTILE, text_of


def table_of(page, label):
    """The rows of the table in the scroll box with this label, each a list of its cells' texts."""
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    (box,) = tree.findall(f".//div[@aria-label='{label}']")
    return [["".join(cell.itertext()) for cell in row] for row in box.findall(".//tbody/tr")]


def folder_of(tmp_path, records):
    for record in records:
        store.save(tmp_path / "runs", record)
    return tmp_path / "runs"


PAGES = {
    "empty": [],
    "one": [make_record()],
    "failed": [make_failed(reason=HOSTILE)],
    "ten": make_grid(),
    "mixed": [*make_grid()[2:], make_failed(18), make_record(50, lineage="torchvision")],
    "fifty": make_grid(seeds=5),
}


@pytest.fixture(scope="module", params=PAGES)
def page(request):
    return report.render(PAGES[request.param], ["runs/x/record.json is damaged: " + HOSTILE])


@pytest.fixture(scope="module")
def ten():
    return report.render(PAGES["ten"], [])


def test_page_is_valid_html(page):
    html5lib.HTMLParser(strict=True).parse(page)
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')


def test_ids_are_unique_and_links_inside_the_page_resolve(page):
    ids = re.findall(r'\sid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    targets = set(re.findall(r'href="#([^"]*)"', page))
    assert targets <= set(ids)
    labels = re.findall(r'aria-labelledby="([^"]*)"', page)
    assert {name for label in labels for name in label.split()} <= set(ids)


def test_page_loads_nothing(page):
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    for element in tree.iter():
        assert element.get("src") is None
        assert element.tag not in ("link", "img", "iframe", "object", "embed")
        if element.tag != "a":
            assert not str(element.get("href", "#")).startswith("http")
    assert not re.search(r"@import|url\((?!#)", page)


def test_page_has_every_reference_number(page):
    text = text_of(page)
    for cell in load_project2022().cells():
        assert f"{cell.test_accuracy:.2f}" in text
        assert f"{cell.train_accuracy:.2f}" in text
    for column in load_paper().tables.table1.depths.values():
        assert f" {column.flops_printed / 1e9:.1f} " in text
    assert "6.61 ± 0.16" in text


def test_strings_from_records_are_escaped(page):
    assert "<script>alert" not in page
    assert "<b>bold" not in page
    assert HOSTILE in text_of(page)


def test_hostile_machine_and_command_are_escaped():
    record = make_record()
    environment = record.environment.model_copy(
        update={"device_name": HOSTILE, "os": HOSTILE, "commit": HOSTILE}
    )
    page = report.render([record.model_copy(update={"environment": environment,
                                                    "command": HOSTILE})], [])  # fmt: skip
    html5lib.HTMLParser(strict=True).parse(page)
    assert "<script>alert" not in page
    assert text_of(page).count(HOSTILE) >= 5


def test_ten_cells_with_their_numbers_lead_to_their_records(ten):
    for record in PAGES["ten"]:
        accuracy = f"{100 * record.final.test_accuracy:.2f}"
        assert f'<a class="trace" href="#cell-{record.cell.id}">{accuracy}</a>' in ten
        assert f'id="cell-{record.cell.id}"' in ten
        assert f'href="runs/{record.cell.id}/record.json"' in ten
        assert record.command in ten


def test_sections_stand_in_order(ten):
    order = ["results", "table-1", "table-6", "speed", "curves", "reproduce"]
    places = [ten.index(f'<section id="{name}">') for name in order]
    assert places == sorted(places)


def test_same_records_same_bytes(ten):
    code = (
        "from tests.bench.test_report import *; import sys; "
        "sys.stdout.buffer.write(report.render(make_grid(), []).encode())"
    )
    again = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert again.stdout.decode() == ten


def test_rendering_never_imports_torch(tmp_path):
    folder = folder_of(tmp_path, [make_record()])
    code = (
        "import sys; from pathlib import Path; from bench import report; "
        f"report.write(Path({str(folder)!r}), Path({str(tmp_path / 'page.html')!r})); "
        "assert 'bench.figures' in sys.modules; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_write_reads_a_folder_and_links_to_it(tmp_path):
    folder = folder_of(tmp_path, [make_record()])
    (folder / "broken").mkdir()
    (folder / "broken" / "record.json").write_text("garbage")
    out = tmp_path / "pages" / "index.html"
    (problem,) = report.write(folder, out)
    assert "broken" in problem
    page = out.read_text(encoding="utf-8")
    assert 'href="../runs/resnet18-paper-imagenet-cifar10-quick-seed0/record.json"' in page
    assert "1 record file is damaged" in text_of(page)
    assert "broken" in page


def test_write_makes_a_page_of_an_absent_folder(tmp_path):
    report.write(tmp_path / "nothing", tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text("utf-8")
    assert "No results yet" in page
    assert "./run_all.sh" in page


def test_a_failed_cell_keeps_its_row_and_its_reason():
    text = text_of(report.render(PAGES["failed"], []))
    assert f"ResNet-18 failed: {HOSTILE}" in text
    assert text.count("not run") >= 9
    assert "No cell completed" in text


def test_remarks_on_the_2022_project(ten):
    text = text_of(ten)
    assert "labels this cell ResNet-50, but its notebook trains ResNet-34" in text
    assert "resumed after epoch 20 with an optimizer that still held" in text
    assert "resumed after epoch 60 with an optimizer that still held" in text


def mixed_profiles():
    old, new = START, START + timedelta(days=1)
    return [
        make_record(18, profile="smoke", started_at=old, finished_at=new),
        make_record(34, profile="quick", started_at=old, finished_at=old),
        make_record(50, profile="quick", started_at=old, finished_at=old),
    ]


def test_newest_profile_is_shown_and_the_others_are_named():
    text = text_of(report.render(mixed_profiles(), []))
    assert "Profile smoke" in text.replace("Profilesmoke", "Profile smoke")
    assert "The folder also holds 2 records of profile quick" in text


def test_profile_can_be_chosen():
    page = report.render(mixed_profiles(), [], profile="quick")
    assert "resnet34-" in page
    assert "resnet18-" not in page
    assert "also holds 1 record of profile smoke" in text_of(page)


@pytest.mark.parametrize(("records", "found"), [(mixed_profiles(), "quick, smoke"), ([], "no re")])
def test_unknown_profile_names_those_present(records, found):
    with pytest.raises(UsageError, match=f"no records of profile 'full'; found: {found}"):
        report.render(records, [], profile="full")


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("smoke", "1 of 1 cells ran, and measured MACs lie within 0.8 % of the FLOPs"),
        ("quick", "Test accuracy: 44.3 % (ResNet\u201118) on CIFAR-10."),
        ("full", "Test accuracy: 44.3 % (ResNet\u201118) on CIFAR-10."),
    ],
)
def test_headline_and_conclusion_follow_the_profile(profile, expected):
    text = text_of(report.render([make_record(profile=profile)], []))
    assert expected in text
    assert report.CONCLUSIONS[profile] in text


def test_headline_gives_the_range():
    records = [make_record(depth) for depth in (18, 50, 152)] + [make_record(18, "mnist")]
    text = text_of(report.render(records, []))
    assert (
        "Test accuracy: 38.9 % (ResNet\u2011152) to 44.3 % (ResNet\u201118) on CIFAR-10; "
        "97.3 % (ResNet\u201118) on MNIST." in text
    )


def test_unequal_conditions_are_named():
    other = make_record(50, recipe={"batch_size": 32})
    text = text_of(report.render([make_record(18), other, make_record(18, "mnist")], []))
    assert "The CIFAR-10 cells differ in batch size (32, 64)." in text
    assert "The MNIST cells differ" not in text
    assert "cells differ" not in text_of(report.render(make_grid(), []))


def difference_of(record):
    return re.search(r'<span class="(\w+)">(.)&nbsp;([^<]*)</span>', report.render([record], []))


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [(0.80, ("up", "▲", "+3.31")), (0.70, ("down", "▼", "−6.69")), (0.765, ("same", "≈", "−0.19"))],
)
def test_difference_is_a_verdict_only_with_equal_budgets(accuracy, expected):
    record = make_record(18, recipe={"epochs": 100, "images_per_epoch": 50_000})
    last = record.epochs[-1].model_copy(update={"test_correct": round(accuracy * 10_000)})
    record = record.model_copy(update={"epochs": (*record.epochs[:-1], last)})
    assert difference_of(record).groups() == expected
    assert difference_of(make_record(18)).group(1) == "muted"


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), 1e30])
def test_a_diverged_cell_is_shown_and_leaves_the_others_readable(loss):
    diverged = make_record(18)
    last = diverged.epochs[-1].model_copy(update={"train_loss": loss, "test_loss": loss})
    diverged = diverged.model_copy(update={"epochs": (*diverged.epochs[:-1], last)})
    page = report.render([diverged, make_record(34)], [])
    html5lib.HTMLParser(strict=True).parse(page)
    assert not re.search(r"\b(nan|inf)\b", page)
    assert "43.64" in text_of(page)


def test_table_1_is_made_from_the_networks(page):
    """On every page, also without records."""
    paper = load_paper()
    *stages, macs, printed = table_of(page, "Table 1, made from the networks")
    table1 = paper.tables.table1
    assert {name: size for name, size, *_ in stages} == {
        name: f"{height}×{width}" for name, (height, width) in table1.output_sizes.items()
    }
    for number, (depth, column) in enumerate(table1.depths.items(), start=2):
        texts = [row[number] for row in stages]
        assert texts[0] == "7×7, 64, stride 2"
        for text, blocks in zip(texts[1:5], column.blocks, strict=True):
            assert text.endswith(f"] × {blocks}")
        assert macs[number] == f"{paper.cost(depth, 'paper').macs_total / 1e9:.3f}"
        assert printed[number] == f"{column.flops_printed / 1e9:.1f}"
    assert stages[4][4] == "[1×1, 512\n 3×3, 512\n 1×1, 2048] × 3"


def test_block_identity_explains_resnet_50(ten):
    text = text_of(ten)
    assert "a basic block with C planes costs 18 HWC² MACs" in text
    assert "4C channels, 17 HWC²" in text
    paper = load_paper()
    more = 100 * (paper.cost(50, "paper").macs_total / paper.cost(34, "paper").macs_total - 1)
    assert f"costs only {more:.1f} % more" in text


@pytest.mark.parametrize("lineage", ["paper", "torchvision"])
def test_layer_tables_are_in_the_lineage_of_the_records(lineage):
    page = report.render([make_record(50, lineage=lineage)], [])
    assert page.count('<details class="layers">') == len(DEPTHS)
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
    assert "of our networks, lineage paper" in text_of(report.render(records, []))


def test_layer_tables_add_less_than_250_kb(ten):
    tables = re.findall(r'<details class="layers">.*?</details>', ten, re.DOTALL)
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


def test_table_6_shows_our_cost_beside_the_printed_rows(page):
    rows = table_of(page, "Table 6 of the paper")
    printed = load_paper().tables.table6.rows
    assert [row[0] for row in rows] == [row.method for row in printed]
    for cells, row in zip(rows, printed, strict=True):
        assert cells[5] == f"{row.error:.2f}"
        if row.method != "ResNet":
            assert cells[3:5] == ["–", "–"]
            continue
        name = f"cifar_resnet{row.layers}"
        parameters = MODELS[name].parameters["A", "cifar", 3, 10]
        macs = sum(layer.macs for layer in layer_table(define(name), 32))
        assert cells[2:5] == [f"{row.params / 1e6:g}", f"{parameters:,}", f"{macs / 1e6:,.1f}"]
