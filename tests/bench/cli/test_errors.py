"""Bad input of every kind: one clear line, the right exit code, no traceback, nothing lost."""

import signal
import subprocess
import sys
import time

import pytest
import torch
from typer.testing import CliRunner

from bench.cli.app import app
from bench.records import store
from bench.speed import cell
from tests.support.factories import make_grid, make_record
from tests.support.small import small_dataset
from tests.support.tools import ROOT, assert_refused, bench

NO_GPU = not torch.cuda.is_available()


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["run", "--profile", "fast"], ["no profile named 'fast'", "smoke, quick, full"]),
        (["run", "--models", "resnet18,resnet19"], ["'resnet19'", "resnet152"]),
        (["run", "--datasets", "cifar100"], ["'cifar100'", "cifar10, mnist"]),
        (["run", "--seeds", "0"], ["--seeds 0"]),
        (["run", "--seeds", "many"], ["--seeds many: a whole number from 1 to"]),
        (["run", "--seeds", "9" * 5000], ["--seeds 9{100}…: a whole number from 1 to"]),
        (["run", "--held-out", "0"], ["--held-out 0: a whole number from 1 to 10000"]),
        (["run", "--device", "tpu"], ["'tpu'", "auto, cpu, cuda"]),
        (["run", "--turbo"], ["No such option.*--turbo"]),
        (["data", "--data-source", "usb"], ["'usb'", "cache, folder, official, npm"]),
        (["data", "--datasets", "svhn"], ["'svhn'", "cifar10, mnist"]),
        (["train"], ["No such command 'train'"]),
    ],
)
def test_wrong_words_exit_with_2(arguments, texts, tmp_path):
    out = [] if arguments[0] != "run" else ["--out", tmp_path / "out"]
    assert_refused(bench(*arguments, *out), 2, *texts)
    assert not (tmp_path / "out" / "index.html").exists()


@pytest.mark.skipif(not NO_GPU, reason="this machine has a GPU")
def test_cuda_without_a_gpu_exits_with_2(tmp_path):
    assert_refused(bench("run", "--device", "cuda", "--out", tmp_path), 2, "finds no GPU here")


def test_an_output_folder_that_cannot_be_made_exits_with_1(tmp_path):
    (tmp_path / "file").write_text("")
    done = bench("run", "--profile", "smoke", "--out", tmp_path / "file")
    assert_refused(done, 1, r"error: cannot write to .*file.*--out")


def test_without_network_and_cache_every_source_is_named(tmp_path):
    """A proxy that nobody listens on cuts the network off; npm is told to use it too."""
    dead = "http://127.0.0.1:9"
    done = bench(
        *("run", "--profile", "smoke", "--out", tmp_path / "out", "--data-dir", tmp_path / "data"),
        **{"http_proxy": dead, "https_proxy": dead, "no_proxy": "", "npm_config_proxy": dead},
        npm_config_https_proxy=dead,
        npm_config_noproxy="",
        npm_config_cache=str(tmp_path / "npm"),
    )
    assert_refused(done, 1, "no source gives a verified copy of cifar10", "official: ", "npm: ")
    assert "--data-dir" in done.stderr
    assert not list((tmp_path / "out" / "runs").glob("*/"))


def test_report_without_records_is_a_friendly_page(tmp_path):
    done = bench("report", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "run_all.sh" in (tmp_path / "index.html").read_text()


def test_report_names_damaged_records_and_shows_the_others(tmp_path):
    for record in make_grid():
        folder = store.save(tmp_path / "runs", record)
    (folder / store.RECORD_FILE).write_text('{"schema_version": 7}')
    (tmp_path / "runs" / "notes.txt").write_text("not a record")
    done = bench("report", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "left out: " in done.stdout
    assert "schema version 7" in done.stdout
    page = (tmp_path / "index.html").read_text()
    assert "schema version 7" in page
    assert "resnet152" in page


def test_report_of_an_absent_profile_lists_those_present(tmp_path):
    store.save(tmp_path / "runs", make_record())
    assert_refused(bench("report", "--out", tmp_path, "--profile", "full"), 2, "found: quick")


def test_report_imports_no_torch(tmp_path):
    code = (
        "import sys; from bench.cli.app import app; "
        "app(['report', '--out', sys.argv[1]], standalone_mode=False); "
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_a_failed_cell_shows_in_the_page_and_in_the_exit_code(tmp_path, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("a <b>kernel</b> failed")

    monkeypatch.setattr(cell, "measure", fail)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # this process is pytest's
    monkeypatch.setattr("bench.data.sources.load", lambda name, **_: small_dataset(name))
    arguments = ["run", "--profile", "smoke", "--models", "resnet18", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, [*arguments, "--device", "cpu"])
    assert done.exit_code == 1
    assert "0 cells run, 0 reused, 2 failed" in done.stdout
    assert "failed: resnet18-paper-imagenet-mnist-smoke-seed0: RuntimeError: a <b>" in done.stdout
    assert "a &lt;b&gt;kernel&lt;/b&gt; failed" in (tmp_path / "index.html").read_text()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)]
)
def test_a_stopped_run_keeps_its_cells_and_goes_on(number, code, tmp_path, mnist):
    arguments = ["run", "--profile", "smoke", "--datasets", "mnist", "--out", str(tmp_path)]
    arguments += ["--models", "resnet18,resnet34", "--device", "cpu"]
    runs = tmp_path / "runs"
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        # What a shell starts in the background ignores SIGINT, and so would this child of it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not list(runs.glob("*/record.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == code
    if number != signal.SIGKILL:
        assert "Stopped: 1 of 2 cells have a record and keep it." in out
    first = next(runs.glob("*/record.json")).read_bytes()

    done = bench(*arguments)
    assert done.returncode == 0, done.stderr
    assert "2 cells, 1 finished before" in done.stdout
    assert "1 cells run, 1 reused, 0 failed" in done.stdout
    assert next(runs.glob("resnet18*/record.json")).read_bytes() == first
