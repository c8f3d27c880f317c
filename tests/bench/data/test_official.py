"""The official source against a stand-in host on this machine."""

import socket
import time
from threading import Event

import pytest
from torchvision.datasets import MNIST

from bench.data import official
from bench.errors import BenchError
from tests.bench.data import files, tools

pytestmark = pytest.mark.heavy


def fails(name, data_dir):
    """The official source's one-line reason; it comes soon and leaves nothing behind."""
    start = time.monotonic()
    with pytest.raises(BenchError) as caught:
        tools.load(name, data_dir, "official")
    assert time.monotonic() - start < 15
    assert [path.name for path in data_dir.iterdir()] == [f".{name}.lock"]
    assert socket.getdefaulttimeout() is None
    _, reason, _ = str(caught.value).splitlines()
    return reason


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(official, "ANSWER_SECONDS", 0.3)


def test_download(tiny, host, tmp_path, monkeypatch):
    tools.publish(host, tiny.name, tiny.arrays, monkeypatch)
    dataset, lines = tools.load(tiny.name, tmp_path)
    assert files.same(dataset, tiny.arrays)
    assert lines == [
        f"{tiny.name}: downloading from the official host ...",
        f"{tiny.name}: verified, 20 + 4 images, cached in {tmp_path}",
    ]
    assert {path.name for path in tmp_path.iterdir()} == {f".{tiny.name}.lock", f"{tiny.name}.bin"}
    assert socket.getdefaulttimeout() is None
    assert MNIST.mirrors == [f"{host.url}/"]  # torchvision's own class is left alone


def test_silent_mirror_is_passed_over(tiny_mnist, host, tmp_path, monkeypatch):
    tools.publish(host, "mnist", tiny_mnist.arrays, monkeypatch)
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/", f"{host.url}/"])
    assert files.same(tools.load("mnist", tmp_path, "official")[0], tiny_mnist.arrays)


@pytest.mark.parametrize("how", ["truncated", "altered"])
def test_damaged_download(how, tiny, host, tmp_path, monkeypatch):
    tools.publish(host, tiny.name, tiny.arrays, monkeypatch)
    name = next(iter(host.files))
    path = tmp_path / "file"
    path.write_bytes(host.files[name])
    files.damage(path, how)
    host.files[name] = path.read_bytes()
    reason = fails(tiny.name, tmp_path / "data")
    assert f"download of {host.url}{name} failed" in reason
    assert "File not found or corrupted" in reason


def test_missing_on_the_host(tiny, host, tmp_path):
    assert "HTTP status 404" in fails(tiny.name, tmp_path)


def test_host_that_accepts_and_says_nothing(tiny, host, tmp_path, impatient):
    host.stall_before = True
    reason = fails(tiny.name, tmp_path)
    assert host.url in reason
    assert "timed out" in reason or "no answer within 0.3 s" in reason


def test_download_that_stalls(tiny, host, tmp_path, monkeypatch):
    tools.publish(host, tiny.name, tiny.arrays, monkeypatch)
    monkeypatch.setattr(official, "ANSWER_SECONDS", 1.0)  # within which the host must answer
    host.stall_after = 100
    reason = fails(tiny.name, tmp_path)
    assert f"download of {host.url}" in reason
    assert "timed out" in reason


def test_name_resolution_that_hangs(tiny, tmp_path, monkeypatch, impatient):
    released = Event()

    def hangs(*_, **__):
        released.wait(20)
        raise OSError("released")

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    try:
        assert "no answer within 0.3 s" in fails(tiny.name, tmp_path)
    finally:
        released.set()
