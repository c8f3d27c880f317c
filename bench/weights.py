"""Weights from a file of somebody else's, without running anything that the file holds."""

import hashlib
import io
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import safetensors.torch
import torch
from torch import Tensor

from bench.errors import BenchError, UsageError

CONTAINERS: Final = ("state_dict", "model_state_dict", "net", "model")
"""Where training scripts put the state dict beside the epoch and the like."""

ADVICE: Final = "Save the weights alone: torch.save(model.state_dict(), FILE)."

Kind = Literal["zip", "pickle", "safetensors"]
_SAFETENSORS_HEADER_LIMIT: Final = 100_000_000  # of the format


@dataclass(frozen=True, slots=True)
class Weights:
    """A state dict under the names that it was saved with, float32 on the CPU, and its file."""

    file_name: str
    size_bytes: int
    sha256: str
    state: dict[str, Tensor]


def read(path: Path) -> Weights:
    """The state dict in ``path``: written by torch.save or safetensors, alone or in a container.

    Raises:
        UsageError: there is no such file, or it holds something else.
        BenchError: the file is damaged, or opening it would mean to run what it holds.
    """
    content = _bytes(path)
    loaded = _load(path, content)
    state = {name: _number(path, name, value) for name, value in _state_dict(path, loaded).items()}
    return Weights(path.name, len(content), hashlib.sha256(content).hexdigest(), state)


def _bytes(path: Path) -> bytes:
    if not path.exists():
        raise UsageError(f"no file {path}")
    if not path.is_file():
        raise UsageError(f"{path} is not a file; name the checkpoint itself")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BenchError(f"cannot read {path}: {error.strerror or error}") from error
    if not content:
        raise BenchError(f"{path} is empty; fetch it again")
    return content


def _kind(content: bytes) -> Kind | None:
    """By what the file starts with: names of files promise nothing."""
    if content.startswith(b"PK\x03\x04"):
        return "zip"
    if content[8:9] == b"{" and int.from_bytes(content[:8], "little") <= _SAFETENSORS_HEADER_LIMIT:
        return "safetensors"
    return "pickle" if content.startswith(pickle.PROTO) else None


def _load(path: Path, content: bytes) -> Any:
    """What the file holds, made of plain containers, numbers and tensors only."""
    kind = _kind(content)
    if kind is None:
        raise UsageError(f"{path} is not a checkpoint: neither of PyTorch nor of safetensors")
    if kind == "zip":
        _check_zip(path, content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about how torch reads old files; the result counts
            if kind == "safetensors":
                return safetensors.torch.load(content)
            return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BenchError(f"{path} was not opened: {_refusal(str(error))} {ADVICE}") from error
    except Exception as error:  # a damaged file breaks the readers in many ways
        raise _damaged(path, error) from error


def _check_zip(path: Path, content: bytes) -> None:
    """Refuse what is no zip file of torch.save; torch itself does not look at checksums."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name.rpartition("/")[2] for name in archive.namelist()]
            damaged = archive.testzip()
    except Exception as error:
        raise _damaged(path, "not a whole zip file") from error
    if damaged is not None:
        raise _damaged(path, f"wrong checksum of {damaged}")
    if "constants.pkl" in names:
        raise UsageError(f"{path} is a TorchScript program, not a state dict. {ADVICE}")
    if "data.pkl" not in names:
        raise UsageError(f"{path} is a zip file, but not a checkpoint of PyTorch")


def _refusal(text: str) -> str:
    found = re.search(r"GLOBAL ([\w.]+)", text)
    what = f"Python objects ({found[1]})" if found else "more than PyTorch's safe loader reads"
    return f"it holds {what}, and loading that can run code."


def _damaged(path: Path, why: object) -> BenchError:
    words = next(iter(str(why).splitlines()), "") or type(why).__name__
    return BenchError(f"{path} is damaged or was cut off ({words}); fetch it again")


def _state_dict(path: Path, loaded: Any) -> Mapping[Any, Any]:
    """The state dict itself, or the one in a container."""
    if isinstance(loaded, Mapping):
        inside = [name for name in CONTAINERS if isinstance(loaded.get(name), Mapping)]
        if len(inside) > 1:
            raise UsageError(f"{path} holds several state dicts: {', '.join(inside)}. {ADVICE}")
        state: Mapping[Any, Any] = loaded[inside[0]] if inside else loaded
        if any(isinstance(value, Tensor) for value in state.values()):
            return state
        what = ", ".join(str(name) for name in list(loaded)[:6]) or "nothing"
    else:
        what = f"a {type(loaded).__name__}"
    raise UsageError(
        f"{path} holds no state dict, neither alone nor under {', '.join(CONTAINERS)}, but {what}"
    )


def _number(path: Path, name: Any, value: Any) -> Tensor:
    """``value`` as float32 (counters as they are), with nothing in it that is not finite."""
    if not isinstance(name, str) or not isinstance(value, Tensor):
        raise UsageError(
            f"{path} holds no state dict alone: {name!r} ({type(value).__name__}) is not a tensor "
            f"with a name. {ADVICE}"
        )
    counter = name.endswith("num_batches_tracked")
    if not _is_plain(value) or not (value.is_floating_point() or counter):
        words = f"{value.dtype}, {value.layout}, {value.device}"
        raise UsageError(f"{path}: {name!r} is not a dense tensor of floats in memory ({words})")
    tensor: Tensor = value.detach() if counter else value.detach().float()
    if not bool(torch.isfinite(tensor).all()):
        raise BenchError(f"{path}: {name!r} holds values that are not finite (NaN or infinite)")
    return tensor


def _is_plain(value: Tensor) -> bool:
    """Dense, in memory, and no larger than what is stored of it."""
    return (
        value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
        and value.numel() * value.element_size() <= value.untyped_storage().nbytes()
    )
