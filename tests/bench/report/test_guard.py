"""What fails of a page is a note in its place, and the rest of the page is there."""

import re

import pytest

from bench.records import store
from bench.report import page as report
from bench.report.guard import attempt, collecting
from bench.report.results import gather
from tests.support.factories import make_record
from tests.support.pages import render, without_figures
from tests.support.tools import HOSTILE, bench, text_of

pytestmark = pytest.mark.heavy


def failing(*_arguments, **_options):
    raise OverflowError(HOSTILE)


def test_outside_of_a_page_errors_pass():
    with pytest.raises(OverflowError):
        attempt("The figure", failing, str)
    with collecting() as failures, pytest.raises(KeyboardInterrupt):
        attempt("The figure", lambda: (_ for _ in ()).throw(KeyboardInterrupt), str)
    assert failures == []


def test_a_failure_is_told_in_one_line():
    with collecting() as failures:
        told = attempt("The figure", lambda: int("x\ny"), lambda why: f"[{why}]")
        assert attempt("Another", lambda: 3, len) == 3
    (sentence,) = failures
    assert told == f"[{sentence}]"
    assert sentence.isprintable()
    assert sentence.startswith("The figure could not be drawn from these records (")
    assert "ValueError: invalid literal" in sentence


def test_a_figure_that_fails_is_a_note_in_its_place(monkeypatch):
    monkeypatch.setattr("bench.report.figures.costs._draw_cost", failing)
    with collecting() as failures:
        page = render([make_record(18), make_record(50)], figures=True)
    against = ["MACs per image", "parameters"]
    for each, words in zip(failures, against, strict=True):
        assert each.startswith(f"The figure “test accuracy (95 % interval) against {words}, hollow")
    assert page.count('<p class="failed">') == 2
    text = text_of(page)
    for each in failures:
        assert each in text
    assert "CIFAR-10" in failures[0]
    assert HOSTILE in text
    assert "<b>bold" not in page
    assert 'id="speed-1-title"' in page


def test_a_section_that_fails_is_a_note_under_its_heading(monkeypatch):
    monkeypatch.setattr("bench.report.figures.costs.panels", failing)
    with collecting() as failures:
        page = render([make_record()])
    (failure,) = failures
    assert failure.startswith("The section “")
    assert page.count('<p class="failed">') == 1
    assert failure in text_of(page)
    assert 'id="speed-1-title"' not in page
    assert 'id="test-accuracy-1-title"' in page
    assert "<b>bold" not in page


def test_a_record_that_cannot_be_tabled_is_left_out_and_named(monkeypatch, tmp_path):
    def gather_without_152(records, profile=None):
        if any(record.cell.depth == 152 for record in records):
            failing()
        return gather(records, profile)

    monkeypatch.setattr(report, "gather", gather_without_152)
    for depth in (18, 152):
        store.save(tmp_path / "runs", make_record(depth))
    with without_figures():
        left_out = report.write(tmp_path / "runs", tmp_path / "index.html")
    assert [each.partition(" could not")[0] for each in left_out] == [
        "The table of all records", "The record resnet152-paper-imagenet-cifar10-quick-seed0",
    ]  # fmt: skip
    text = text_of((tmp_path / "index.html").read_text("utf-8"))
    for each in left_out:
        assert each in text


def test_report_names_what_failed(monkeypatch, tmp_path):
    monkeypatch.setattr("bench.report.figures.costs.panels", failing)
    store.save(tmp_path / "runs", make_record())
    with without_figures():
        done = bench("report", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search("left out: The section “.*” could not be drawn", done.stdout)
    assert "Traceback" not in done.stdout + done.stderr
