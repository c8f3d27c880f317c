"""The page: valid, complete, safe, self-contained and the same for the same records."""

import os
import re
import subprocess
import sys

import pytest

from bench.claims.files import load_claims
from bench.records import store
from bench.reference.loader import load_paper, load_project2022
from bench.report import page as report
from tests.support.factories import make_evaluation, make_grid, make_record
from tests.support.pages import RECORDS, page_of, render, write_page
from tests.support.tools import HOSTILE, ROOT, parsed, text_of

pytestmark = pytest.mark.heavy


def folder_of(tmp_path, records):
    for record in records:
        store.save(tmp_path / "runs", record)
    return tmp_path / "runs"


@pytest.fixture(scope="module", params=["everything", "empty", "failed", "mixed", "table6"])
def page(request):
    return page_of(request.param)


@pytest.fixture(scope="module")
def ten():
    return render(RECORDS["ten"])


def test_ids_are_unique_and_links_inside_the_page_resolve(page):
    ids = re.findall(r'\sid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    targets = set(re.findall(r'href="#([^"]*)"', page))
    assert targets <= set(ids)
    labels = re.findall(r'aria-labelledby="([^"]*)"', page)
    assert {name for label in labels for name in label.split()} <= set(ids)


def test_page_is_a_document_that_loads_nothing(page):
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    for element in parsed(page).iter():
        assert element.get("src") is None
        assert element.tag not in ("link", "img", "iframe", "object", "embed")
        if element.tag != "a":
            assert not str(element.get("href", "#")).startswith("http")
    assert not re.search(r"@import|url\((?!#)", page)


def test_page_has_every_reference_number(page):
    text = text_of(page)
    # What the 2022 project found is beside the point where none of its networks ran.
    if "of the earlier student project" in text or "No results yet" in text:
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


def test_ten_cells_with_their_numbers_lead_to_their_records(ten):
    for record in RECORDS["ten"]:
        accuracy = f"{100 * record.final.test_accuracy:.2f}"
        assert f'<a class="trace" href="#cell-{record.cell.id}">{accuracy}</a>' in ten
        assert f'id="cell-{record.cell.id}"' in ten
        assert f'href="runs/{record.cell.id}/record.json"' in ten
        assert record.command in ten


CHAPTERS = ["answer", "accuracy", "cost", "claims", "project2022", "reproduce"]
USUAL = ["results", "curves", "table-1", "speed", "table-6", "others", "ledger", "audit",
         "records"]  # fmt: skip
EVERY = ["results", "curves", "pairs", "against", "table-1", "speed", "workloads", "blocks",
         "table-6", "others", "shortcuts", "checkpoints", "ledger", "audit", "problems",
         "records"]  # fmt: skip


@pytest.mark.parametrize(("name", "parts"), [("ten", USUAL), ("everything", EVERY)])
def test_chapters_stand_in_the_order_of_the_menu(name, parts, ten):
    page = ten if name == "ten" else page_of(name)
    chapters = [*CHAPTERS[:2], *(["other-run"] if name == "everything" else []), *CHAPTERS[2:]]
    assert re.findall(r'<section class="chapter" id="([^"]*)"', page) == chapters
    menu = page[page.index('<nav id="chapters"') : page.index("</nav>")]
    assert re.findall(r'href="#([^"]*)"', menu) == chapters
    assert re.findall(r'<div class="part" id="([^"]*)"', page) == parts


@pytest.mark.parametrize("name", ["empty", "ten"])
def test_the_ledger_counts_the_verdicts(name):
    page = page_of(name)
    head = text_of(page[page.index('id="ledger"') : page.index('class="question"')])
    costs, *others = re.findall(r"([A-Z][^:✓✗?–]*): ([✓✗?–].(\d+).[a-z]+)", head)
    assert costs[0].endswith("Arithmetic, costs by formula")
    assert int(costs[2]) == sum(claim.kind == "cost" for claim in load_claims())
    assert len(others) == 4
    assert "reproduced" not in " ".join(told for _, told, _ in others)


def test_another_process_draws_the_same_bytes_without_torch(tmp_path):
    folder = folder_of(tmp_path, RECORDS["ten"][:2])
    store.save_file(tmp_path / "evaluations", make_evaluation())
    report.write(folder, tmp_path / "here.html")
    code = (
        "import sys; from pathlib import Path; from bench.report import page; "
        "page.write(Path(sys.argv[1]), Path(sys.argv[2])); assert 'torch' not in sys.modules"
    )
    run = [sys.executable, "-c", code, folder, tmp_path / "there.html"]
    subprocess.run(run, check=True, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": "7"})
    assert (tmp_path / "there.html").read_bytes() == (tmp_path / "here.html").read_bytes()


def test_write_reads_a_folder_and_links_to_it(tmp_path):
    folder = folder_of(tmp_path, [make_record()])
    (folder / "broken").mkdir()
    (folder / "broken" / "record.json").write_text("garbage")
    out = tmp_path / "pages" / "index.html"
    (problem,) = write_page(folder, out)
    assert "broken" in problem
    page = out.read_text(encoding="utf-8")
    assert 'href="../runs/resnet18-paper-imagenet-cifar10-quick-seed0/record.json"' in page
    assert "1 record file is left out" in text_of(page)
    assert "broken" in page


def test_write_makes_a_page_of_an_absent_folder(tmp_path):
    write_page(tmp_path / "nothing", tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text("utf-8")
    assert "No results yet" in page
    assert "./run_all.sh" in page


def test_a_failed_cell_keeps_its_row_and_its_reason():
    text = text_of(render(RECORDS["failed"]))
    assert f"ResNet-18 failed: {HOSTILE}" in text
    assert text.count("not run") >= 9
    assert "No cell completed" in text


def test_remarks_on_the_2022_project(ten):
    text = text_of(ten)
    assert "labels this cell ResNet-50, but its notebook trains ResNet-34" in text
    assert "resumed after epoch 20 with an optimizer that still held" in text
    assert "resumed after epoch 60 with an optimizer that still held" in text


def difference_of(record):
    return re.search(r'<span class="(\w+)">([▲▼≈])&nbsp;([^<]*)</span>', render([record], []))


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


@pytest.mark.slow
def test_the_page_stays_small():
    """Megabytes: that of ten cells with all there is, and that of 500 records."""
    assert len(page_of("signals", figures=True).encode()) < 2e6
    many = render(make_grid(seeds=50), figures=True)
    assert many.count('class="cell"') == 500
    assert len(many.encode()) < 4e6


def test_a_record_adds_little():
    pages = [render(make_grid(seeds=seeds)) for seeds in (1, 3)]
    assert len(pages[1]) - len(pages[0]) < 20 * 7_000
