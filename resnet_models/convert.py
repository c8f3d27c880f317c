"""State dicts of other projects: their names for our tensors, both ways.

A state dict is read by asking for each of our tensors under the name that a naming gives it. So
names that are missing, left over or given twice show by themselves, and no name is ever guessed.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, get_args

import torch
from torch import Tensor

from resnet_models.catalog import MODELS
from resnet_models.definition import Definition, define
from resnet_models.spec import Lineage, Naming, Shortcut, Stem
from resnet_models.text import readable

StateDict = dict[str, Tensor]

NAMINGS: Final[tuple[Naming, ...]] = get_args(Naming)
WRAPPERS: Final = ("module.", "_orig_mod.")
"""What nn.DataParallel and torch.compile put before every name."""
_PREFIX_LENGTH: Final = 100  # more than anybody wraps; a file may repeat a wrapper endlessly

# BatchNorm's counter of batches: absent from checkpoints older than PyTorch 0.4.1, without
# influence on what a network of this package computes.
COUNTER: Final = "num_batches_tracked"

_PROJECT2022_ENDS: Final = {
    "conv1": "encoder.gate.0", "bn1": "encoder.gate.1", "fc": "decoder.decoder",
}  # fmt: skip
_BLOCK: Final = re.compile(r"layer(\d+)\.(\d+)\.(.+)")
_LISTED: Final = 4


class ConversionError(ValueError):
    """A state dict is not one of the network; the message says what differs."""


def rename(key: str, naming: Naming) -> str:
    if naming == "torchvision":
        return key
    module, _, tensor = key.rpartition(".")
    if naming == "cifar":
        module = "linear" if module == "fc" else module.replace(".downsample.", ".shortcut.")
    elif match := _BLOCK.fullmatch(module):
        stage, block, inner = match.groups()
        module = f"encoder.blocks.{int(stage) - 1}.blocks.{block}.{_project2022_inner(inner)}"
    else:
        module = _PROJECT2022_ENDS[module]
    return f"{module}.{tensor}"


def _project2022_inner(inner: str) -> str:
    """Inside a block: conv1, bn2 ... lie at 0, 2, 4 (ReLUs between them), or in the shortcut."""
    if inner.startswith("downsample."):
        return {"0": "shortcut.conv", "1": "shortcut.bn"}[inner[-1]]
    kind, number = inner[:-1], int(inner[-1])
    return f"blocks.{2 * (number - 1)}.{kind}"


def export(state: Mapping[str, Tensor], naming: Naming) -> StateDict:
    """A state dict of this package under the names of ``naming``; the tensors are the same."""
    return {rename(key, naming): tensor for key, tensor in state.items()}


def unwrap(state: Mapping[str, Tensor]) -> tuple[str, StateDict]:
    """What wrappers put before every name ('' if nothing), and the state dict without it."""
    prefix, names = "", list(state)
    while names and len(prefix) < _PREFIX_LENGTH:
        wrapper = next((w for w in WRAPPERS if all(n.startswith(w) for n in names)), "")
        if not wrapper:
            break
        prefix += wrapper
        names = [name.removeprefix(wrapper) for name in names]
    return prefix, dict(zip(names, state.values(), strict=True))


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the names of a state dict fit those of a network under one naming."""

    naming: Naming
    found: dict[str, str]  # our name -> theirs
    missing: list[str]  # their names
    leftover: list[str]

    @property
    def misfits(self) -> int:
        return len(self.missing) + len(self.leftover)


def _read(state: Mapping[str, Tensor], expected: Iterable[str]) -> _Reading:
    """The best reading of the names of ``state``; of equally good ones that of our own naming."""
    return min((_read_as(naming, state, expected) for naming in NAMINGS), key=lambda r: r.misfits)


def _read_as(naming: Naming, state: Mapping[str, Tensor], expected: Iterable[str]) -> _Reading:
    names = {ours: rename(ours, naming) for ours in expected}
    found = {ours: theirs for ours, theirs in names.items() if theirs in state}
    missing = [name for name in names.values() if name not in state and not name.endswith(COUNTER)]
    used = set(found.values())
    return _Reading(naming, found, missing, [name for name in state if name not in used])


def convert(
    state: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> tuple[Naming, StateDict]:
    """The naming of ``state`` and its tensors under our names.

    Of ``expected``, the network's own state dict, only names and shapes count: it may be on "meta".

    Raises:
        ConversionError: names are missing, left over or given twice, or a shape differs.
    """
    _, state = unwrap(state)
    reading = _read(state, expected)
    if reading.misfits:
        raise ConversionError(_misfit_text(reading))
    _check_shapes(state, reading.found, expected)
    converted = {
        ours: state[reading.found[ours]] if ours in reading.found else torch.tensor(0)
        for ours in expected
    }
    return reading.naming, converted


def recognise(
    state: Mapping[str, Tensor],
    model: str,
    *,
    lineage: Lineage | None = None,
    in_channels: int = 3,
    num_classes: int | None = None,
) -> Definition:
    """The variant of ``model`` whose names and stem ``state`` has.

    The shortcut shows in the names (but for option A, see ``assumed``) and the stem in the first
    kernel. The lineage shows in neither: where it is None, names of the 2022 project mean that
    project's, any other names torchvision's (stride on the 3x3), which published weights have. For
    Table 6 there is only one.

    Raises:
        ConversionError: no variant of ``model`` has these names; the message names models that do.
        ValueError: there is no such model, or it has no such lineage.
    """
    spec = define(model).spec
    _, state = unwrap(state)
    readings = {option: _read(state, _names(model, option)) for option in spec.shortcuts}
    shortcut, best = min(readings.items(), key=lambda item: item[1].misfits)
    if best.misfits:
        raise ConversionError(f"not weights of {model}: {_misfit_text(best)}{_advice(state)}")
    stem: Stem = "cifar"
    if spec.family == "table1":
        lineage = lineage or ("project2022" if best.naming == "project2022" else "torchvision")
        if state[best.found["conv1.weight"]].shape[-1:] != (3,):
            stem = "imagenet"
    return define(
        model,
        lineage=lineage or "paper",
        stem=stem,
        shortcut=shortcut,
        in_channels=in_channels,
        num_classes=num_classes,
    )


def assumed(definition: Definition) -> list[str]:
    """What no state dict shows: networks that differ in it have the same names and shapes."""
    model, lineage = definition.model, definition.lineage
    words = []
    if definition.spec.family == "table1":
        stride = f"stride on the {'first 1x1' if lineage == 'paper' else '3x3'}, "
        stride = stride if definition.spec.block == "bottleneck" else ""
        relu = "no ReLU" if lineage == "project2022" else "a ReLU"
        words.append(f"lineage {lineage} ({stride}{relu} at the end of a block)")
    if definition.stem == "cifar":
        words.append("no pool after the stem")
    if definition.shortcut == "A":
        words.append("zeros of option A on both sides")
        plain = model.replace("resnet", "plain")
        words += [f"shortcuts ({plain} has the same names)"] if plain in MODELS else []
    if definition.shortcut == "none":
        other = model.replace("plain", "resnet")
        words.append(f"no shortcuts ({other} with option A has the same names)")
    return words


@functools.cache  # building ResNet-1202 takes a second
def _names(model: str, shortcut: Shortcut) -> tuple[str, ...]:
    """Names of a network's tensors; nothing else about it shows in them."""
    with torch.device("meta"):
        return tuple(define(model, shortcut=shortcut).build().state_dict())


def fitting_models(state: Mapping[str, Tensor]) -> list[str]:
    """Models of which some variant has the names of ``state``."""
    _, state = unwrap(state)
    convolutions = sum(tensor.ndim == 4 for tensor in state.values())
    return [
        name
        for name, spec in MODELS.items()
        if 0 <= convolutions - (spec.depth - 1) <= sum(spec.layers)  # others need no look
        and any(_read(state, _names(name, option)).misfits == 0 for option in spec.shortcuts)
    ]


def _advice(state: Mapping[str, Tensor]) -> str:
    fitting = [f"--model {name}" for name in fitting_models(state)]
    return f". They are those of {' or '.join(fitting)}" if fitting else ""


def _misfit_text(reading: _Reading) -> str:
    names = {rename(ours, naming): ours for ours in reading.found for naming in NAMINGS}
    if twice := next((name for name in reading.leftover if name in names), None):
        other = reading.found[names[twice]]
        return f"ambiguous names: one tensor is there as {other!r} and as {twice!r}"
    parts = [f"missing {_listed(reading.missing)}"] if reading.missing else []
    parts += [f"left over {_listed(reading.leftover)}"] if reading.leftover else []
    return f"read with the {reading.naming} names, {'; '.join(parts)}"


def _listed(names: list[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(map(readable, names[:_LISTED])) + (f" and {more} more" if more > 0 else "")


def _check_shapes(
    state: Mapping[str, Tensor], found: Mapping[str, str], expected: Mapping[str, Tensor]
) -> None:
    """Compare the shapes of ``found`` tensors, the telling ones first."""
    for ours in sorted(found, key=lambda name: name not in ("conv1.weight", "fc.weight")):
        given, wanted = tuple(state[found[ours]].shape), tuple(expected[ours].shape)
        if given != wanted:
            what = _difference(ours, given, wanted)
            raise ConversionError(
                f"{what}{found[ours]} has the shape {readable(str(given))}, not {wanted} as in the "
                "network"
            )


def _difference(ours: str, given: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """What a difference in shape means to a user, where it means something."""
    if len(given) != len(wanted):
        return ""
    if ours == "fc.weight" and given[1:] == wanted[1:]:
        return f"weights for {given[0]} classes, not {wanted[0]}: "
    if ours == "conv1.weight" and given[2:] != wanted[2:]:
        kernels = [f"{shape[2]}x{shape[3]}" for shape in (given, wanted)]
        return f"the stem starts with a {kernels[0]} convolution, not {kernels[1]}: "
    if ours == "conv1.weight" and given[1] != wanted[1]:
        return f"weights for images of {given[1]} channels, not {wanted[1]}: "
    return ""
