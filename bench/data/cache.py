"""The cache: one file per dataset, the bytes of its verified arrays one after the other."""

import os
from pathlib import Path

import numpy as np

from bench.data.datasets import Array, Arrays, DatasetSpec, NotThereError, SourceError, verify


def cache_path(spec: DatasetSpec, data_dir: Path) -> Path:
    """Where the cache file of a dataset lies."""
    return data_dir / f"{spec.name}.bin"


def read(spec: DatasetSpec, data_dir: Path) -> Arrays:
    """The verified arrays of the cache file.

    Raises:
        NotThereError: there is no such file.
        SourceError: it is unreadable, truncated or altered; the message names it.
    """
    path = cache_path(spec, data_dir)
    expected = sum(facts.size_bytes for facts in spec.arrays.values())
    try:
        size = path.stat().st_size
        if size != expected:
            raise SourceError(f"{path} is damaged: it holds {size:,} bytes, not {expected:,}")
        content = np.fromfile(path, np.uint8)
    except FileNotFoundError as error:
        raise NotThereError(f"no file {path}") from error
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
    arrays: dict[str, Array] = {}
    start = 0
    for name, facts in spec.arrays.items():
        arrays[name] = content[start : start + facts.size_bytes].reshape(facts.shape)
        start += facts.size_bytes
    verify(spec, arrays, str(path))
    return arrays


def write(spec: DatasetSpec, arrays: Arrays, data_dir: Path, work: Path) -> None:
    """Write the cache file whole or not at all; ``work`` is on the same disk as ``data_dir``.

    Raises:
        OSError: the folder cannot be written to or the disk is full.
    """
    temporary = work / "cache.bin"
    with temporary.open("wb") as file:
        for name in spec.arrays:
            file.write(np.ascontiguousarray(arrays[name]).data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(cache_path(spec, data_dir))
