"""Entry points of torch.hub: ``torch.hub.load(REPOSITORY, "cifar_resnet56", weights=FILE)``.

Every network of the catalog under its own name, and those of Table 6 also as ``resnet20`` to
``resnet1202``, as the common CIFAR-10 repositories call them. They need torch alone.
"""

from collections.abc import Callable as _Callable
from pathlib import Path as _Path
from typing import Any as _Any

from resnet_models.catalog import MODELS as _MODELS
from resnet_models.hub import load as _load

dependencies = ["torch"]

_ALIASES = {
    name.removeprefix("cifar_"): name for name in _MODELS if name.startswith("cifar_resnet")
}


def _entry_point(called: str, name: str) -> _Callable[..., _Any]:
    def entry_point(weights: _Path | str | None = None, **options: _Any) -> _Any:
        return _load(name, weights, **options)

    entry_point.__name__ = called
    entry_point.__doc__ = (
        f"{name} of He et al. (2015). weights: a file, or the folder of a record; fresh ones where "
        "left out. Options: lineage, stem, shortcut, in_channels, num_classes."
    )
    return entry_point


for _called, _name in {**{name: name for name in _MODELS}, **_ALIASES}.items():
    globals()[_called] = _entry_point(_called, _name)
