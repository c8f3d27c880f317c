"""Files in the layout of torchvision: the official batches of CIFAR-10, and MNIST as IDX files."""

import gzip
import hashlib
import pickle
import tarfile
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from torchvision.datasets import CIFAR10

from bench.data.datasets import Array, Arrays, DatasetSpec, NotThereError, SourceError, verify_array

MNIST_FOLDER = Path("MNIST", "raw")
IDX_FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}

OFFICIAL_FILES = {
    "cifar10": CIFAR10.filename,
    "mnist": f"the four *-ubyte.gz in {MNIST_FOLDER.as_posix()}/",
}


def read(spec: DatasetSpec, data_dir: Path) -> Arrays:
    """The arrays of the official files below ``data_dir``.

    Raises:
        NotThereError: there are none.
        SourceError: one is missing, truncated or altered; the message names it.
    """
    return {"cifar10": _read_cifar10, "mnist": _read_mnist}[spec.name](spec, data_dir)


def _read_cifar10(spec: DatasetSpec, data_dir: Path) -> Arrays:
    """From ``cifar-10-batches-py/`` or, without that folder, from the official archive."""
    official = CIFAR10.train_list + CIFAR10.test_list
    folder, archive = data_dir / CIFAR10.base_folder, data_dir / CIFAR10.filename
    if folder.is_dir():
        batches = [_read_checked(folder / name, md5) for name, md5 in official]
    elif archive.exists():
        content = BytesIO(_read_checked(archive, CIFAR10.tgz_md5))
        with tarfile.open(fileobj=content) as tar:
            batches = [member(tar, f"{folder.name}/{name}") for name, _ in official]
    else:
        raise NotThereError(f"neither {folder} nor {archive.name} beside it")
    images, labels = zip(*(_unpickle(spec, batch) for batch in batches), strict=True)
    return {
        "train_images": np.concatenate(images[:-1]),
        "train_labels": np.concatenate(labels[:-1]),
        "test_images": images[-1],
        "test_labels": labels[-1],
    }


def _read_mnist(spec: DatasetSpec, data_dir: Path) -> Arrays:
    """From the four IDX files in ``MNIST/raw/``, plain or with ``.gz``."""
    folder = data_dir / MNIST_FOLDER
    if not folder.is_dir():
        raise NotThereError(f"no folder {folder}")
    arrays: dict[str, Array] = {}
    for name, filename in IDX_FILES.items():
        path = folder / filename
        if not path.exists() and path.with_name(f"{filename}.gz").exists():
            path = path.with_name(f"{filename}.gz")
        content = _read_bytes(path)
        try:
            if path.suffix == ".gz":
                content = gzip.decompress(content)
            arrays[name] = decode_idx(content).reshape(spec.arrays[name].shape)
        except (ValueError, EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise SourceError(f"{path} is truncated or altered: {error}") from error
        verify_array(spec, name, arrays[name], str(path))
    return arrays


def decode_idx(content: bytes) -> Array:
    """The unsigned bytes of an IDX file: magic 0 0 8 n, n big-endian uint32 sizes, the elements.

    Raises:
        ValueError: the content is not such a file or has another length than it says.
    """
    if content[:3] != b"\x00\x00\x08" or len(content) < 4 + 4 * content[3]:
        raise ValueError("not an IDX file of unsigned bytes")
    shape = np.frombuffer(content, ">u4", content[3], offset=4).tolist()
    # The copy is writable, as torch wants its arrays.
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape).copy()


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SourceError(f"{path} is missing") from error
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error


def _read_checked(path: Path, md5: str) -> bytes:
    """The file's content, safe to unpickle because its MD5 is the official one."""
    content = _read_bytes(path)
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise SourceError(f"{path} is truncated or altered: its MD5 is not the official one")
    return content


def member(tar: tarfile.TarFile, name: str) -> bytes:
    """The content of the file ``name``, which is known to be in ``tar``."""
    file = tar.extractfile(name)
    assert file is not None, name
    return file.read()


def _unpickle(spec: DatasetSpec, batch: bytes) -> tuple[Array, Array]:
    """Images (N, H, W, C) and labels (N,) of one official batch, which holds (N, C*H*W) rows."""
    with warnings.catch_warnings():
        # The official pickles are older than numpy's present idea of a dtype.
        warnings.simplefilter("ignore")
        content = pickle.loads(batch, encoding="bytes")
    rows: Array = content[b"data"]
    images = rows.reshape(-1, spec.channels, spec.resolution, spec.resolution)
    labels = np.array(content[b"labels"], np.uint8)
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1)), labels
