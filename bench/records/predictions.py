"""What a network took each test image for, as a file: two runs can then be compared image by image.

A NumPy array of bytes, (2, images): the predicted classes, and below them the true ones, in the
order of the test set. No torch here.
"""

import io
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

Classes = NDArray[np.uint8]


def encode(predicted: Classes, labels: Classes) -> bytes:
    """The content of the file, in NumPy's own format; both arguments are (images,)."""
    file = io.BytesIO()
    np.save(file, np.stack([predicted, labels]), allow_pickle=False)
    return file.getvalue()


def decode(content: bytes, digest: str) -> Classes:
    """The array (2, images) in ``content``, once it is proven to be that of ``digest``.

    Raises:
        ValueError: it is another file's, or no array of this form.
    """
    if sha256(content).hexdigest() != digest:
        raise ValueError("its hash is not the one in the record")
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except EOFError as error:
        raise ValueError("it is empty") from error
    if array.dtype != np.uint8 or array.ndim != 2 or len(array) != 2:
        raise ValueError(f"it holds an array of {array.dtype} {array.shape}, not (2, images) bytes")
    return np.asarray(array, dtype=np.uint8)
