"""Networks of a user's own: any module from a callable, named ``package.module:factory``.

Nothing is known of them by formula: what a record says of one is counted on the module itself.
"""

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from resnet_models.text import readable

if TYPE_CHECKING:
    from torch import nn

PREFIX: Final = "custom_"
"""Before the names of such networks, which no network of the catalog has."""


@dataclass(frozen=True, slots=True)
class Factory:
    """What makes a network; found by ``find``.

    Attributes:
        path: as the user named it.
        make: called with ``in_channels`` and ``num_classes``.
        sha256: of the file of its module, which other files may still change the meaning of.
    """

    path: str
    make: Callable[..., Any]
    sha256: str

    @property
    def model(self) -> str:
        """``custom_preact20`` for ``my.networks:PreAct20``: fit for the name of a folder."""
        name = re.sub(r"[^a-z0-9]+", "_", self.path.partition(":")[2].lower()).strip("_")
        return PREFIX + name

    def build(self, *, in_channels: int, num_classes: int) -> "nn.Module":
        """A fresh network.

        Raises:
            ValueError: the factory fails, or gives something else; the message says what.
        """
        from torch import nn

        called = f"{self.path}(in_channels={in_channels}, num_classes={num_classes})"
        try:
            network = self.make(in_channels=in_channels, num_classes=num_classes)
        except Exception as error:
            raise ValueError(f"{called} raised {_told(error)}") from error
        if isinstance(network, nn.Module):
            return network
        raise ValueError(f"{called} gives {type(network).__name__}, and no torch.nn.Module")

    def layers(self, *, in_channels: int, num_classes: int, resolution: int) -> int:
        """How many convolutions and fully connected layers it has, after a look at what it gives.

        Raises:
            ValueError: as ``build``; or it has nothing to train, or does not take two images
                (2, in_channels, resolution, resolution) to logits (2, num_classes).
        """
        import torch
        from torch import nn

        network = self.build(in_channels=in_channels, num_classes=num_classes)
        if not any(parameter.requires_grad for parameter in network.parameters()):
            raise ValueError(f"{self.path} has no parameter to train")
        shape = (2, in_channels, resolution, resolution)
        try:
            with torch.inference_mode():
                logits = network.eval()(torch.zeros(shape))
        except Exception as error:
            raise ValueError(f"{self.path} fails on images {shape}: {_told(error)}") from error
        given = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        if given != (2, num_classes):
            raise ValueError(
                f"{self.path} takes images {shape} to {given}; logits {(2, num_classes)} are needed"
            )
        kinds = nn.Conv2d, nn.Linear
        return max(1, sum(isinstance(module, kinds) for module in network.modules()))


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomDefinition:
    """A ``Factory``'s network with nothing left open, as ``Definition`` is one of the catalog."""

    factory: Factory
    in_channels: int
    num_classes: int

    def build(self, **_first_weights: object) -> "nn.Module":
        """Make the network; its factory decides about the first weights, whatever is asked for."""
        return self.factory.build(in_channels=self.in_channels, num_classes=self.num_classes)


def find(path: str) -> Factory:
    """The callable at ``package.module:name``, imported from where Python finds modules.

    Raises:
        ValueError: ``path`` is of another form, or there is no such callable.
    """
    module_name, _, name = path.partition(":")
    if not (module_name and name):
        raise ValueError(f"{readable(path)}: package.module:factory is needed")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise ValueError(f"{readable(module_name)} cannot be imported: {_told(error)}") from error
    make = getattr(module, name, None)
    if make is None or not callable(make):
        own = {key: getattr(value, "__module__", None) for key, value in vars(module).items()}
        known = ", ".join(sorted(key for key, home in own.items() if home == module_name))
        raise ValueError(f"{module_name} has no callable {readable(name)}; there are {known}")
    file = getattr(module, "__file__", None)
    found = Factory(path, make, sha256(Path(file).read_bytes() if file else b"").hexdigest())
    if found.model == PREFIX:
        raise ValueError(f"{readable(path)}: its name needs a letter or a digit of ASCII")
    return found


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {readable(' '.join(str(error).split()), 300)}"
