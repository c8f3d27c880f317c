"""Shared fixtures (the real datasets, fetched once per machine) and the benchmarks' options."""

import gc
import os
from pathlib import Path

import pytest

# Workers share the cores. torch reads this when it is imported, and so do processes of tests.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"

from bench.data.datasets import Dataset
from bench.data.sources import default_data_dir, load
from bench.training.environment import choose_device, commit, describe
from tests.support.cuda_graphs import cuda_graphs

__all__ = ["cuda_graphs"]  # a fixture for all

SPEED = Path(__file__).parent / "speed"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    return default_data_dir()


@pytest.fixture(scope="session")
def cifar10(data_dir: Path) -> Dataset:
    return load("cifar10", data_dir=data_dir, report=print)


@pytest.fixture(scope="session")
def mnist(data_dir: Path) -> Dataset:
    return load("mnist", data_dir=data_dir, report=print)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Heavy tests first, so that no worker is left with one of them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("heavy") is None)


def pytest_collection_finish() -> None:
    """What collecting made stays: the collector need not go through it in every test."""
    gc.collect()
    gc.freeze()


def is_timed(config: pytest.Config) -> bool:
    """Whether benchmarks are asked for; otherwise a few of them run once, to see that they do."""
    return bool(config.getoption("benchmark_only") or config.getoption("benchmark_enable"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("benchmark").addoption(
        "--speed-full",
        action="store_true",
        help="With --benchmark-only: every shortcut option, lineage and network (tests/speed).",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("speed_full") and not is_timed(config):
        raise pytest.UsageError("--speed-full says what to time: give --benchmark-only with it.")
    if not is_timed(config):
        config.option.benchmark_disable = True
    path = config.getoption("benchmark_json")
    if path:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)  # found out before minutes are spent
        except OSError as error:
            raise pytest.UsageError(f"--benchmark-json {path}: {error.strerror}") from error


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With --benchmark-only, all but the benchmarks: they would only be listed as skipped."""
    related = SPEED in (collection_path, *collection_path.parents)
    related = related or collection_path in SPEED.parents
    return True if config.getoption("benchmark_only") and not related else None


def pytest_benchmark_generate_machine_info() -> dict[str, object]:
    """What our records say of a machine: results are published, so no host name is among it."""
    return describe(choose_device("auto")).model_dump(mode="json")


def pytest_benchmark_generate_commit_info() -> dict[str, object]:
    """The commit alone: no name of a branch or a folder."""
    return {"id": commit()}
