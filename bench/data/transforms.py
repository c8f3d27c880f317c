"""How pixels are shifted and scaled before a network sees them. No torch here."""

from typing import Final, Literal

from bench.data.datasets import DatasetSpec
from bench.errors import UsageError

Normalisation = Literal["imagenet", "dataset", "pytorch-cifar", "none"]
Statistics = tuple[tuple[float, ...], tuple[float, ...]]

# Mean and standard deviation of the channels, in [0, 1]. The second pair is copied from one
# CIFAR-10 repository to the next; its standard deviations are not those of the pixels.
IMAGENET: Final[Statistics] = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
PYTORCH_CIFAR: Final[Statistics] = ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))


def normalisations(spec: DatasetSpec) -> dict[Normalisation, DatasetSpec]:
    """The normalisations that apply to a dataset, as its spec with their mean and deviation."""
    zeros, ones = (0.0,) * spec.channels, (1.0,) * spec.channels
    pairs: dict[Normalisation, Statistics] = {
        "imagenet": IMAGENET,
        "dataset": (spec.channel_mean, spec.channel_std),
        "pytorch-cifar": PYTORCH_CIFAR,
        "none": (zeros, ones),
    }
    if spec.channels != 3:
        del pairs["imagenet"]
    if spec.name != "cifar10":
        del pairs["pytorch-cifar"]
    return {
        name: spec.model_copy(update={"channel_mean": mean, "channel_std": std})
        for name, (mean, std) in pairs.items()
    }


def normalised(spec: DatasetSpec, name: Normalisation) -> DatasetSpec:
    """``spec`` with the mean and deviation of normalisation ``name``.

    Raises:
        UsageError: it does not apply to this dataset.
    """
    known = normalisations(spec)
    if name not in known:
        raise UsageError(
            f"normalisation {name!r} does not apply to {spec.name}; there are {', '.join(known)}"
        )
    return known[name]


Augmentation = Literal["none", "crop_flip"]
