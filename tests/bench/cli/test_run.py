"""``python -m bench run`` and ``data``: bad input is one clear line, a failed cell shows."""

import re

import pytest
import torch

from bench import __version__ as bench_version
from bench.config.profiles import PROFILES
from bench.speed import cell
from tests.support.pages import without_figures
from tests.support.small import small_dataset
from tests.support.tools import assert_refused, bench


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["run", "--profile", "fast"], ["no profile named 'fast'", "smoke, quick, lecture, full"]),
        (["run", "--models", "resnet18,resnet19"], ["'resnet19'", "resnet152"]),
        (["run", "--datasets", "cifar100"], ["'cifar100'", "cifar10, mnist"]),
        (["run", "--seeds", "many"], ["--seeds many: a whole number from 1 to"]),
        (["run", "--epochs", "9" * 5000], ["--epochs 9{100}…: a whole number from 1 to"]),
        (["run", "--images-per-epoch", "-1"], ["--images-per-epoch -1: a whole number from 1 to"]),
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


def test_the_version_and_short_help():
    assert bench("--version").stdout == f"resnet-bench {bench_version}\n"
    assert "--held-out" in bench("run", "-h").stdout


def test_the_help_names_every_profile():
    told = " ".join(re.sub("[│╭╰╮╯─]", " ", bench("run", "--help").stdout).split())
    assert f"{', '.join(PROFILES)}, or auto" in told


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
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
        npm_config_fetch_retry_mintimeout="1",  # instead of ten seconds
    )
    assert_refused(done, 1, "no source gives a verified copy of cifar10", "official: ", "npm: ")
    assert "--data-dir" in done.stderr
    assert not list((tmp_path / "out" / "runs").glob("*/"))


def test_a_failed_cell_shows_in_the_page_and_in_the_exit_code(tmp_path, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("a <b>kernel</b> failed")

    monkeypatch.setattr(cell, "measure", fail)
    monkeypatch.setattr("bench.report.figures.costs.panels", fail)
    monkeypatch.setattr("bench.data.sources.load", lambda name, **_: small_dataset(name))
    arguments = ["--profile", "smoke", "--models", "resnet18", "--datasets", "mnist"]
    with without_figures():
        done = bench("run", *arguments, "--device", "cpu", "--out", tmp_path)
    assert done.returncode == 1
    assert "0 cells run, 0 reused, 1 failed" in done.stdout
    assert "failed: resnet18-paper-imagenet-mnist-smoke-seed0: RuntimeError: a <b>" in done.stdout
    assert re.search("left out: The section “.*” could not be drawn", done.stdout)
    assert "a &lt;b&gt;kernel&lt;/b&gt; failed" in (tmp_path / "index.html").read_text()
