"""The main job on real data: profile smoke, ten cells, and the page read back."""

import re
import subprocess
import sys

import pytest

from bench.config.profiles import DATASETS, DEPTHS
from bench.records import store
from bench.reference.loader import load_paper, load_project2022
from tests.support.tools import ROOT, bench, text_of


@pytest.fixture(scope="module")
def results(tmp_path_factory, cifar10, mnist):
    folder = tmp_path_factory.mktemp("reports")
    command = [sys.executable, "-m", "bench", "run", "--profile", "smoke", "--out", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "10 cells run, 0 reused, 0 failed" in done.stdout
    return folder


@pytest.fixture(scope="module")
def text(results):
    return text_of((results / "index.html").read_text())


def test_ten_cells_are_completed_and_measured(results):
    records, problems = store.load_all(results / "runs")
    assert problems == []
    assert {(record.cell.dataset, record.cell.depth) for record in records} == {
        (dataset, depth) for dataset in DATASETS for depth in DEPTHS
    }
    for record in records:
        assert record.status == "completed"
        assert record.epochs[-1].train_images == 64
        assert record.cost.table1_macs == load_paper().cost(record.cell.depth, "paper").macs_total
        assert min(record.speed.train_step_seconds) > 0


def test_page_holds_every_cell(results, text):
    for record in store.load_all(results / "runs")[0]:
        assert record.cell.id in text
        assert f"{100 * record.epochs[-1].test_accuracy:.2f}" in text
        assert f"{record.cost.table1_parameters:,}" in text


def test_page_holds_the_five_flops_of_the_paper(text):
    for depth, printed in zip(DEPTHS, ("1.8", "3.6", "3.8", "7.6", "11.3"), strict=True):
        assert load_paper().tables.table1.depths[depth].flops_printed == float(printed) * 1e9
        assert re.search(rf"\b{re.escape(printed)}\b", text)


def test_page_holds_the_twenty_accuracies_of_the_2022_project(text):
    cells = load_project2022().cells()
    assert len(cells) == 10
    for cell in cells:
        assert f"{cell.train_accuracy:.2f}" in text
        assert f"{cell.test_accuracy:.2f}" in text


def test_a_second_call_reuses_everything_and_draws_the_same_page(results):
    before = (results / "index.html").read_bytes()
    done = bench("run", "--profile", "smoke", "--out", results)
    assert "0 cells run, 10 reused, 0 failed" in done.stdout
    assert (results / "index.html").read_bytes() == before
