"""Weights from a file of somebody else's, without running anything that the file holds."""

import hashlib
import io
import pickle
import re
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import safetensors.torch
import torch
from torch import Tensor, nn

from bench.errors import BenchError, UsageError
from resnet_models.text import readable

CONTAINERS: Final = ("state_dict", "model_state_dict", "net", "model")
"""Where training scripts put the state dict beside the epoch and the like."""

ADVICE: Final = "Save the weights alone: torch.save(model.state_dict(), FILE)."

LARGEST: Final = 4 * 2**30
"""Bytes of a file that is looked at: several times ResNet-152 with its optimizer's state."""

Kind = Literal["zip", "pickle", "safetensors"]
_SAFETENSORS_HEADER_LIMIT: Final = 100_000_000  # of the format
_PATH_LENGTH: Final = 4096
_DIMENSIONS: Final = 64  # more of them PyTorch stores, but computes nothing with them
_FLOATS: Final = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True, slots=True)
class Weights:
    """A state dict under the names that it was saved with, float32 on the CPU, and its file.

    ``file_name`` can be printed and stored, whatever bytes the name of the file consists of.
    """

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
    where = readable(str(path), _PATH_LENGTH)
    kind, content = _content(path, where)
    saved = _state_dict(where, _load(where, kind, content))
    state = {name: _tensor(where, name, value) for name, value in saved.items()}
    # What the file does not hold all of could be huge as a copy.
    total = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    stored = (tensor.untyped_storage().nbytes() for tensor in state.values())
    if max(total, *stored) > len(content):
        raise UsageError(f"{where} holds no state dict: its tensors are larger than the file")
    state = {name: _number(where, name, tensor) for name, tensor in state.items()}
    digest = hashlib.sha256(content).hexdigest()
    return Weights(readable(path.name, _PATH_LENGTH), len(content), digest, state)


def _content(path: Path, where: str) -> tuple[Kind, bytes]:
    try:
        if not path.exists():
            raise UsageError(f"no file {where}")
        if not path.is_file():
            raise UsageError(f"{where} is not a file; name the checkpoint itself")
        with path.open("rb") as file:
            kind = _kind(where, file.read(9))
            if path.stat().st_size > LARGEST:
                raise UsageError(f"{where} is too large for a checkpoint of a network here")
            file.seek(0)
            return kind, file.read()
    except (OSError, MemoryError) as error:
        why = getattr(error, "strerror", None) or str(error) or "the memory does not suffice"
        raise BenchError(f"cannot read {where}: {why}") from error


def _kind(where: str, start: bytes) -> Kind:
    """By what the file starts with: names of files promise nothing."""
    if not start:
        raise BenchError(f"{where} is empty; fetch it again")
    if start.startswith(b"PK\x03\x04"):
        return "zip"
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= _SAFETENSORS_HEADER_LIMIT:
        return "safetensors"
    if start.startswith(pickle.PROTO):
        return "pickle"
    raise UsageError(f"{where} is not a checkpoint: neither of PyTorch nor of safetensors")


def _load(where: str, kind: Kind, content: bytes) -> Any:
    if kind == "zip":
        _check_zip(where, content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about how torch reads old files; the result counts
            if kind == "safetensors":
                return safetensors.torch.load(content)
            return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BenchError(f"{where} was not opened: {_refusal(str(error))} {ADVICE}") from error
    except Exception as error:  # a damaged file breaks the readers in many ways
        raise _damaged(where, error) from error


def _check_zip(where: str, content: bytes) -> None:
    """Refuse what is no zip file of torch.save; torch itself does not look at checksums."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except Exception as error:
        raise _damaged(where, "not a whole zip file") from error
    entries = archive.infolist()
    names = [entry.filename.rpartition("/")[2] for entry in entries]
    if "constants.pkl" in names:
        raise UsageError(f"{where} is a TorchScript program, not a state dict. {ADVICE}")
    if "data.pkl" not in names:
        raise UsageError(f"{where} is a zip file, but not a checkpoint of PyTorch")
    # torch.save does not compress, so nothing can become larger than the file.
    stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
    if not stored or sum(entry.file_size for entry in entries) > len(content):
        raise UsageError(f"{where} is a compressed zip file; torch.save writes no such. {ADVICE}")
    try:
        damaged = archive.testzip()
    except Exception as error:
        raise _damaged(where, "not a whole zip file") from error
    if damaged is not None:
        raise _damaged(where, f"wrong checksum of {damaged}")


def _refusal(text: str) -> str:
    if found := re.search(r"GLOBAL ([\w.]+)", text):
        return f"it holds Python objects ({readable(found[1])}), and loading that can run code."
    return "it is a pickle of a kind that PyTorch's safe loader does not read."


def _damaged(where: str, why: object) -> BenchError:
    words = next(iter(str(why).splitlines()), "") or type(why).__name__
    return BenchError(f"{where} is damaged or was cut off ({readable(words, 200)}); fetch it again")


def _state_dict(where: str, loaded: Any) -> dict[Any, Any]:
    if isinstance(loaded, dict):
        # Plain copies: a file may put its own attributes over the methods of an OrderedDict.
        content = dict(dict.items(loaded))
        inside = [name for name in CONTAINERS if isinstance(content.get(name), dict)]
        if len(inside) > 1:
            raise UsageError(f"{where} holds several state dicts: {', '.join(inside)}. {ADVICE}")
        state = dict(dict.items(content[inside[0]])) if inside else content
        if any(isinstance(value, Tensor) for value in state.values()):
            return state
        what = ", ".join(_name(key) for key in list(content)[:6]) or "nothing"
    else:
        what = f"a {type(loaded).__name__}"
    raise UsageError(
        f"{where} holds no state dict, neither alone nor under {', '.join(CONTAINERS)}, but {what}"
    )


def _name(key: object) -> str:
    """A key for an error message. Only a string: other objects print as much as a file likes."""
    return readable(key) if isinstance(key, str) else f"a key of type {type(key).__name__}"


def _tensor(where: str, name: object, value: object) -> Tensor:
    """``value`` without attributes that the file gave it; dense, in memory and of usual numbers."""
    # The exact types: what is derived from them may compute something else.
    plain = type(value) in (Tensor, nn.Parameter)
    if not (isinstance(name, str) and isinstance(value, Tensor) and plain):
        raise UsageError(
            f"{where} holds no state dict alone: {_name(name)} ({type(value).__name__}) is not a "
            f"tensor with a name. {ADVICE}"
        )
    tensor = Tensor.detach(value)
    dense = tensor.layout == torch.strided and not tensor.is_nested and tensor.device.type == "cpu"
    known = (*_FLOATS, torch.int64) if _is_counter(name) else _FLOATS
    if not dense or tensor.dtype not in known or tensor.ndim > _DIMENSIONS:
        words = f"{tensor.dtype}, {tensor.layout}, {tensor.device}, {tensor.ndim} dimensions"
        raise UsageError(f"{where}: {_name(name)} is not a dense tensor of floats ({words})")
    return tensor


def _is_counter(name: str) -> bool:
    return name.endswith("num_batches_tracked")


def _number(where: str, name: str, tensor: Tensor) -> Tensor:
    """``tensor`` as float32 (counters as they are), with nothing in it that is not finite."""
    number = tensor if _is_counter(name) else tensor.float()
    if not bool(torch.isfinite(number).all()):
        raise BenchError(f"{where}: {_name(name)} holds values that are not finite")
    return number
