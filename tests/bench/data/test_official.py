"""The official source against a stand-in host on this machine."""

import socket
import time
from pathlib import Path
from threading import Event

import pytest
from torchvision.datasets import CIFAR10, MNIST

from bench.data import official, sources
from bench.errors import BenchError
from tests.bench.data import files
from tests.bench.data.conftest import Host
from tests.bench.data.tools import Tiny


def publish(host: Host, tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the dataset's official files on the stand-in host."""
    if tiny.name == "cifar10":
        batches = files.cifar_batches(tiny.arrays)
        archive = files.cifar_archive(batches)
        files.trust_cifar(monkeypatch, batches, archive)
        host.files["/cifar-10-python.tar.gz"] = archive
    else:
        content = files.mnist_files(tiny.arrays, compressed=True)
        files.trust_mnist(monkeypatch, content)
        host.files.update({f"/{name}": data for name, data in content.items()})


def fails(name: str, data_dir: Path) -> str:
    """The official source's one-line reason; it comes soon and leaves nothing behind."""
    start = time.monotonic()
    with pytest.raises(BenchError) as caught:
        sources.load(name, data_dir=data_dir, source="official", report=print)
    assert time.monotonic() - start < 15
    assert [path.name for path in data_dir.iterdir()] == [f".{name}.lock"]
    assert socket.getdefaulttimeout() is None
    _, reason, _ = str(caught.value).splitlines()
    return reason


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(official, "ANSWER_SECONDS", 1.5)


def test_download(tiny: Tiny, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(host, tiny, monkeypatch)
    lines: list[str] = []
    dataset = sources.load(tiny.name, data_dir=tmp_path, report=lines.append)
    assert files.same(dataset, tiny.arrays)
    assert lines == [
        f"{tiny.name}: downloading from the official host ...",
        f"{tiny.name}: verified, 20 + 4 images, cached in {tmp_path}",
    ]
    assert {path.name for path in tmp_path.iterdir()} == {f".{tiny.name}.lock", f"{tiny.name}.bin"}
    assert socket.getdefaulttimeout() is None


def test_silent_mirror_is_passed_over(
    tiny_mnist: Tiny, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(host, tiny_mnist, monkeypatch)
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/", f"{host.url}/"])
    dataset = sources.load("mnist", data_dir=tmp_path, source="official", report=print)
    assert files.same(dataset, tiny_mnist.arrays)


@pytest.mark.parametrize("how", ["truncated", "altered"])
def test_damaged_download(
    how: str, tiny: Tiny, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(host, tiny, monkeypatch)
    name = next(iter(host.files))
    path = tmp_path / "file"
    path.write_bytes(host.files[name])
    files.damage(path, how)
    host.files[name] = path.read_bytes()
    reason = fails(tiny.name, tmp_path / "data")
    assert f"download of {host.url}{name} failed" in reason
    assert "File not found or corrupted" in reason


def test_missing_on_the_host(tiny: Tiny, host: Host, tmp_path: Path) -> None:
    assert "HTTP status 404" in fails(tiny.name, tmp_path)


def test_host_that_accepts_and_says_nothing(tiny: Tiny, host: Host, tmp_path: Path) -> None:
    host.stall_before = True
    reason = fails(tiny.name, tmp_path)
    assert host.url in reason
    assert "timed out" in reason or "no answer within 1.5 s" in reason


def test_download_that_stalls(
    tiny: Tiny, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(host, tiny, monkeypatch)
    host.stall_after = 100
    reason = fails(tiny.name, tmp_path)
    assert f"download of {host.url}" in reason
    assert "timed out" in reason


def test_dead_port(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CIFAR10, "url", "http://127.0.0.1:9/cifar-10-python.tar.gz")
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])
    assert "Connection refused" in fails(tiny.name, tmp_path)


def test_name_resolution_that_hangs(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = Event()

    def hangs(*_: object, **__: object) -> None:
        released.wait(20)
        raise OSError("released")

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    try:
        assert "no answer within 1.5 s" in fails(tiny.name, tmp_path)
    finally:
        released.set()
