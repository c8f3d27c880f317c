"""What many simulated comparisons need."""

import gc

import pytest


@pytest.fixture(autouse=True)
def _little_garbage_to_look_through():
    """statsmodels collects garbage at every correction, which takes most of the time."""
    gc.freeze()
    yield
    gc.unfreeze()
