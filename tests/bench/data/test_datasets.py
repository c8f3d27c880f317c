"""What the datasets are, and which means and deviations there are for each."""

import math
from typing import get_args

import numpy as np
import pytest

from bench.data.datasets import (
    SPECS,
    Normalisation,
    SourceError,
    normalisations,
    normalised,
    verify,
    verify_array,
)
from bench.errors import UsageError
from tests.bench.data.files import arrays_of

CIFAR10, MNIST = SPECS["cifar10"], SPECS["mnist"]


def test_shapes(cifar10, mnist):
    splits = (cifar10.train, cifar10.test, mnist.train, mnist.test)
    shapes = [(50000, 32, 32, 3), (10000, 32, 32, 3), (60000, 28, 28, 1), (10000, 28, 28, 1)]
    assert [split.images.shape for split in splits] == shapes
    for split in splits:
        assert len(split) == len(split.labels) == len(split.images)
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


def test_every_normalisation_applies_to_cifar10_and_two_to_mnist():
    assert set(normalisations(CIFAR10)) == set(get_args(Normalisation))
    assert list(normalisations(MNIST)) == ["dataset", "none"]


@pytest.mark.parametrize("spec", [CIFAR10, MNIST], ids=lambda spec: spec.name)
def test_only_mean_and_deviation_change(spec):
    own = {"channel_mean": spec.channel_mean, "channel_std": spec.channel_std}
    for other in normalisations(spec).values():
        assert len(other.channel_mean) == len(other.channel_std) == spec.channels
        assert all(std > 0 for std in other.channel_std)
        assert other.model_copy(update=own) == spec
    assert normalised(spec, "dataset") == spec
    none = normalised(spec, "none")  # leaves pixels as they are
    assert (none.channel_mean, none.channel_std) == ((0,) * spec.channels, (1,) * spec.channels)


def test_the_usual_cifar10_numbers_have_its_means_but_other_deviations():
    usual = normalised(CIFAR10, "pytorch-cifar")
    assert usual.channel_mean == pytest.approx(CIFAR10.channel_mean, abs=1e-4)
    pairs = zip(usual.channel_std, CIFAR10.channel_std, strict=True)
    assert not any(math.isclose(ours, own, abs_tol=0.02) for ours, own in pairs)


def test_imagenet_is_that_of_torchvision():
    from torchvision.transforms._presets import ImageClassification

    preset = ImageClassification(crop_size=224)
    spec = normalised(CIFAR10, "imagenet")
    assert (spec.channel_mean, spec.channel_std) == (tuple(preset.mean), tuple(preset.std))


@pytest.mark.parametrize("name", ["imagenet", "pytorch-cifar"])
def test_what_does_not_apply_is_refused_with_what_does(name):
    message = f"normalisation '{name}' does not apply to mnist; there are dataset, none"
    with pytest.raises(UsageError, match=message):
        normalised(MNIST, name)
