"""The main job on real data: profile smoke, and the page read back.

One network of each kind of block on both data sets; all ten cells are a slow test.
"""

import re
import subprocess
import sys

import pytest

from bench.config.profiles import DATASETS, DEPTHS
from bench.records import store
from bench.reference.loader import load_paper, load_project2022
from tests.support.tools import ROOT, bench, text_of

pytestmark = pytest.mark.heavy


ALL = pytest.param(DEPTHS, marks=pytest.mark.slow, id="ten cells")


@pytest.fixture(scope="module", params=[pytest.param((18, 50), id="four cells"), ALL])
def depths(request):
    return request.param


@pytest.fixture(scope="module")
def options(depths, tmp_path_factory):
    models = ",".join(f"resnet{depth}" for depth in depths)
    return ["--profile", "smoke", "--models", models, "--out", tmp_path_factory.mktemp("reports")]


@pytest.fixture(scope="module")
def results(options, depths, cifar10, mnist):
    command = [sys.executable, "-m", "bench", "run", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{2 * len(depths)} cells run, 0 reused, 0 failed" in done.stdout
    return options[-1]


@pytest.fixture(scope="module")
def text(results):
    return text_of((results / "index.html").read_text())


def test_every_cell_is_completed_and_measured(results, depths):
    records, problems = store.load_all(results / "runs")
    assert problems == []
    assert {(record.cell.dataset, record.cell.depth) for record in records} == {
        (dataset, depth) for dataset in DATASETS for depth in depths
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


def test_a_second_call_reuses_everything_and_draws_the_same_page(results, options, depths):
    before = (results / "index.html").read_bytes()
    done = bench("run", *options)
    assert f"0 cells run, {2 * len(depths)} reused, 0 failed" in done.stdout
    assert (results / "index.html").read_bytes() == before
