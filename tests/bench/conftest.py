"""Fixtures for tests of files that somebody else wrote."""

import pytest


@pytest.fixture
def file(tmp_path):
    def write(content, name="weights.pt"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write
