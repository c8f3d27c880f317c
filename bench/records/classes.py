"""Predicted and true classes as the bytes of a file, proven by their hash. No torch here."""

import io
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from bench.records.schema import Predictions

Classes = NDArray[np.uint8]
"""(2, images): predicted classes, and below them the true ones, in the order of the test set."""


def encode(classes: Classes) -> tuple[bytes, Predictions]:
    """The bytes, and what names them in a record."""
    file = io.BytesIO()
    np.save(file, classes, allow_pickle=False)
    content = file.getvalue()
    return content, Predictions(images=classes.shape[1], sha256=sha256(content).hexdigest())


def decode(content: bytes, digest: str) -> Classes:
    """What ``encode`` made, once its hash is ``digest``; another content raises ValueError."""
    if sha256(content).hexdigest() != digest:
        raise ValueError("its hash is not the one in the record")
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except EOFError as error:
        raise ValueError("it is empty") from error
    if array.dtype != np.uint8 or array.ndim != 2 or len(array) != 2:
        raise ValueError(f"it holds an array of {array.dtype} {array.shape}, not (2, images) bytes")
    return np.asarray(array, dtype=np.uint8)
