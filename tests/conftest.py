"""Shared fixtures: the real datasets, from the default cache, fetched once per machine."""

from pathlib import Path

import pytest

from bench.data.datasets import Dataset
from bench.data.sources import default_data_dir, load


@pytest.fixture(scope="session")
def data_dir() -> Path:
    return default_data_dir()


@pytest.fixture(scope="session")
def cifar10(data_dir: Path) -> Dataset:
    return load("cifar10", data_dir=data_dir, report=print)


@pytest.fixture(scope="session")
def mnist(data_dir: Path) -> Dataset:
    return load("mnist", data_dir=data_dir, report=print)
