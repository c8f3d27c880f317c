"""``python -m bench report``: what is drawn, what is left out, what is refused."""

from bench.records import store
from tests.support.factories import make_record
from tests.support.pages import without_figures
from tests.support.speeds import make_speed_record
from tests.support.tools import assert_refused, bench, text_of


def test_without_records_the_page_is_a_friendly_one(tmp_path):
    with without_figures():
        done = bench("report", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "run_all.sh" in (tmp_path / "index.html").read_text()


def test_damaged_records_are_named_and_the_others_shown(tmp_path):
    for depth in (152, 18):
        folder = store.save(tmp_path / "runs", make_record(depth))
    (folder / store.RECORD_FILE).write_text('{"schema_version": 99}')
    (tmp_path / "runs" / "notes.txt").write_text("not a record")
    with without_figures():
        done = bench("report", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "left out: " in done.stdout
    assert "schema version 99" in done.stdout
    page = (tmp_path / "index.html").read_text()
    assert "schema version 99" in page
    assert "resnet152" in page


def test_a_record_of_an_unknown_network_stays_and_is_not_called_damaged(tmp_path):
    store.save(tmp_path / "runs", make_record(152))
    folder = store.save(tmp_path / "runs", make_record(18))
    path = folder / store.RECORD_FILE
    path.write_text(path.read_text().replace('"resnet18"', '"resnet19"'))
    with without_figures():
        done = bench("report", "--out", tmp_path)
    page = text_of((tmp_path / "index.html").read_text())
    for text in (done.stdout, page):
        assert "a network or a recipe that this version does not know" in text
        assert "no model named 'resnet19'" in text
        assert "it stays." in text
        assert "Delete the folder" not in text
    assert "1 record file is left out." in page
    assert "damaged" not in page


def test_an_absent_profile_is_refused_with_those_present(tmp_path):
    store.save(tmp_path / "runs", make_record())
    assert_refused(bench("report", "--out", tmp_path, "--profile", "full"), 2, "found: quick")


def drawn(*arguments):
    with without_figures():
        done = bench("report", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_out_draws_what_it_holds_as_results_does(tmp_path):
    """A results folder or a folder of records, and what is drawn from where is said."""
    for runs in (tmp_path / "whole" / "runs", tmp_path / "bare"):
        store.save(runs, make_record())
    for name in ("whole", "bare"):
        own, other = tmp_path / name, tmp_path / "page"
        for arguments in (["--out", own], ["--results", own, "--out", other]):
            assert f"Drawn: 1 cell of {own}\n" in drawn(*arguments)
            assert "resnet18-paper" in (arguments[-1] / "index.html").read_text()


def test_a_folder_of_timings_alone_shows_them(tmp_path):
    store.save_file(tmp_path / "speed", make_speed_record())
    for arguments in ([], ["--results", tmp_path]):
        found = drawn("--out", tmp_path, *arguments)
        assert f"Drawn: 1 workload of {tmp_path}\n" in found
    page = (tmp_path / "index.html").read_text()
    assert "No results yet" not in page
    assert "No cell was trained; the folder holds 1 workload" in page
    assert "workload-resnet18" in page
    assert "kind" in (tmp_path / "results.csv").read_text()
