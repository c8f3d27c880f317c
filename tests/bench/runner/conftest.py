"""Files that somebody else wrote, and a grid that has run."""

import pytest

from tests.support.grids import run


@pytest.fixture
def file(tmp_path):
    def write(content, name="weights.pt"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Its folder and the records of its two cells."""
    folder = tmp_path_factory.mktemp("runs")
    return folder, run(folder)
