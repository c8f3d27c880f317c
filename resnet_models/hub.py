"""Networks of the catalog with weights from a file, by torch alone: what ``hubconf.py`` offers."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Unpack

import torch
from torch import Tensor, nn

from resnet_models.convert import NAMINGS, StateDict, convert, recognise, rename, unwrap
from resnet_models.definition import Options, build

ABOUT: Final = "resnet-bench"
"""The one entry in the header of our safetensors files: what the weights are of, as JSON."""

RECORD_FILE: Final = "record.json"
WEIGHTS_FILE: Final = "weights.safetensors"
_TYPES: Final = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64,
}  # fmt: skip


def load(name: str, weights: Path | str | None = None, **options: Unpack[Options]) -> nn.Module:
    """The network ``name``: with fresh weights, or with those of a file.

    Args:
        name: of the catalog.
        weights: a safetensors file or a state dict of torch.save, ours or of another project; or
            the folder of a record that kept its weights.
        options: of ``resnet_models.define``. With weights, what they show need not be given: stem,
            shortcut, channels and classes; and the lineage, where the file is one of ours.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no weights, not those of this network, or not those of its record.
    """
    if weights is None:
        return build(name, **options)
    state, about = _read(Path(weights))
    if about.get("model", name) != name:
        raise ValueError(f"{weights} holds weights of {about['model']}, not of {name}")
    lineage = options.get("lineage") or about.get("lineage")
    found = recognise(state, name, lineage=lineage)
    _, plain = unwrap(state)
    ends = {end: _named(plain, end).shape for end in ("conv1.weight", "fc.weight")}
    found = replace(found, in_channels=ends["conv1.weight"][1], num_classes=ends["fc.weight"][0])
    given: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    with torch.device("meta"):  # fresh weights would be thrown away
        network = replace(found, **given).build()
    _, state = convert(state, network.state_dict())
    numbers = {
        key: each.float() if each.is_floating_point() else each for key, each in state.items()
    }
    network.load_state_dict(numbers, assign=True)
    return network


def _named(state: StateDict, ours: str) -> Tensor:
    return next(state[name] for naming in NAMINGS if (name := rename(ours, naming)) in state)


def _read(path: Path) -> tuple[StateDict, dict[str, Any]]:
    """The state dict in a file or in a record's folder, and what the file says of it."""
    content = bytearray((path / WEIGHTS_FILE if path.is_dir() else path).read_bytes())
    if path.is_dir():
        _prove(path, content)
    elif content[8:9] != b"{":
        return _read_pickle(path), {}
    try:
        return _read_safetensors(content)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(
            f"{path} is no safetensors file of weights, or damaged: {error}"
        ) from error


def _prove(folder: Path, content: bytes | bytearray) -> None:
    kept = json.loads((folder / RECORD_FILE).read_bytes()).get("weights")
    if kept is None or kept["sha256"] != hashlib.sha256(content).hexdigest():
        raise ValueError(f"{folder / WEIGHTS_FILE} is not what was written with its record")


def _read_pickle(path: Path) -> StateDict:
    saved = torch.load(path, map_location="cpu", weights_only=True)
    state = saved.get("state_dict", saved) if isinstance(saved, dict) else saved
    if not isinstance(state, dict) or not all(isinstance(each, Tensor) for each in state.values()):
        raise ValueError(f"{path} holds no state dict, neither alone nor under state_dict")
    return state


def _read_safetensors(content: bytearray) -> tuple[StateDict, dict[str, Any]]:
    """By the format's definition: 8 bytes of length, a header in JSON, the numbers."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    about = json.loads(header.pop("__metadata__", {}).get(ABOUT, "{}"))
    state = {}
    for name, each in header.items():
        dtype = _TYPES[each["dtype"]]
        begin, end = (start + offset for offset in each["data_offsets"])
        count = (end - begin) // dtype.itemsize
        tensor = torch.frombuffer(content, dtype=dtype, count=count, offset=begin)
        state[name] = tensor.reshape(each["shape"])
    return state, about
