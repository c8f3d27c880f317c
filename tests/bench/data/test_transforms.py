"""Which means and deviations there are for which data set."""

import math
from typing import get_args

import pytest

from bench.data.datasets import SPECS, Normalisation, normalisations, normalised
from bench.errors import UsageError

CIFAR10, MNIST = SPECS["cifar10"], SPECS["mnist"]


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


@pytest.mark.parametrize("spec", [CIFAR10, MNIST], ids=lambda spec: spec.name)
def test_none_leaves_pixels_as_they_are(spec):
    none = normalised(spec, "none")
    assert none.channel_mean == (0,) * spec.channels
    assert none.channel_std == (1,) * spec.channels


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
