import numpy as np
import pytest

from bench.data.datasets import SPECS, SourceError, find, verify, verify_array
from bench.errors import UsageError
from tests.bench.data.files import arrays_of


def test_shapes(cifar10, mnist):
    assert cifar10.train.images.shape == (50000, 32, 32, 3)
    assert cifar10.test.images.shape == (10000, 32, 32, 3)
    assert mnist.train.images.shape == (60000, 28, 28, 1)
    assert mnist.test.images.shape == (10000, 28, 28, 1)
    for split in (cifar10.train, cifar10.test, mnist.train, mnist.test):
        assert len(split) == len(split.labels) == len(split.images)
        assert split.images.dtype == split.labels.dtype == np.uint8
        assert set(split.labels.tolist()) == set(range(10))


@pytest.mark.parametrize("name", ["cifar10", "mnist"])
def test_mean_and_std_are_those_of_the_training_images(name, request):
    dataset = request.getfixturevalue(name)
    for channel in range(dataset.spec.channels):
        values = np.arange(256) / 255
        counts = np.bincount(dataset.train.images[..., channel].ravel(), minlength=256)
        mean = np.average(values, weights=counts)
        std = np.sqrt(np.average((values - mean) ** 2, weights=counts))
        assert mean == pytest.approx(dataset.spec.channel_mean[channel], abs=1e-8)
        assert std == pytest.approx(dataset.spec.channel_std[channel], abs=1e-8)


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(UsageError, match="unknown dataset 'cifar'; known: cifar10, mnist"):
        find("cifar")


def test_one_flipped_bit_is_found(mnist):
    arrays = dict(arrays_of(mnist))
    verify(mnist.spec, arrays, "here")
    arrays["test_labels"] = arrays["test_labels"].copy()
    arrays["test_labels"][9999] ^= 1
    with pytest.raises(SourceError, match="here is altered: the SHA-256 of test_labels"):
        verify(mnist.spec, arrays, "here")


def test_another_shape_is_named():
    with pytest.raises(SourceError, match=r"there: test_labels is uint8 \(3,\), expected"):
        verify_array(SPECS["mnist"], "test_labels", np.zeros(3, np.uint8), "there")
