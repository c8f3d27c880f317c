"""Which cases a run has: many where they are timed, else a few small ones, once each."""

from collections.abc import Iterator

import pytest

from bench.training.engine import applied
from tests.conftest import is_timed
from tests.speed import cases
from tests.speed.timing import DIRECTIONS, ENGINE


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    extent: cases.Extent = "smoke"
    if is_timed(metafunc.config):
        extent = "full" if metafunc.config.getoption("speed_full") else "published"
    for name, choose in {"block": cases.blocks, "network": cases.networks}.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, choose(extent))
            metafunc.parametrize("direction", DIRECTIONS)


@pytest.fixture(autouse=True)
def _engine() -> Iterator[None]:
    """Kernels are chosen as in training."""
    with applied(ENGINE):
        yield
