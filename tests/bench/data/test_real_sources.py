"""Every source with the real datasets, in the layouts that users have.

``load`` compares what it reads with the published SHA-256, so that a load is the test.
"""

import shutil

import pytest
from torchvision.datasets import MNIST

from bench.data.datasets import SPECS
from tests.bench.data import files
from tests.bench.data.tools import (
    load,
    make_dataset,
    publish,
    put_cifar,
    put_raw,
    serve_tarball,
)

pytestmark = pytest.mark.heavy

# CIFAR-10 is 186 MB in each of its layouts; its decoders are tested with a few images elsewhere.
NAMES = ["mnist", pytest.param("cifar10", marks=pytest.mark.slow)]


@pytest.fixture(autouse=True)
def swept(tmp_path):
    """Leave none of the large files to pytest, which keeps the folders of three runs."""
    yield
    shutil.rmtree(tmp_path)


def arrays(request, name):
    return files.arrays_of(request.getfixturevalue(name))


@pytest.mark.parametrize("archived", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_cifar10_files(archived, request, tmp_path, monkeypatch):
    cifar10 = arrays(request, "cifar10")
    put_cifar(cifar10, tmp_path, monkeypatch, archived=archived)
    for source in ("folder", "cache"):
        assert files.same(load("cifar10", tmp_path, source)[0], cifar10)


@pytest.mark.parametrize("compressed", [False, True])
def test_mnist_files(compressed, request, tmp_path):
    mnist = arrays(request, "mnist")
    put_raw(mnist, tmp_path, compressed=compressed)
    for source in ("folder", "cache"):
        assert files.same(load("mnist", tmp_path, source)[0], mnist)


@pytest.mark.parametrize("name", NAMES)
def test_official(name, request, host, tmp_path, monkeypatch):
    whole = arrays(request, name)
    publish(host, name, whole, monkeypatch)
    assert files.same(load(name, tmp_path, "official")[0], whole)
    assert MNIST.mirrors == [f"{host.url}/"]


@pytest.mark.parametrize("name", NAMES)
def test_npm(name, request, tmp_path, npm, monkeypatch):
    facts, whole = SPECS[name].arrays, arrays(request, name)
    serve_tarball(tmp_path, make_dataset(name, monkeypatch, whole), npm)
    assert SPECS[name].arrays == facts
    assert files.same(load(name, tmp_path / "data", "npm")[0], whole)
