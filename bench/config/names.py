"""What to say of a name that a profile does not have, or no device. No torch here."""

import re
from collections.abc import Mapping, Sequence

from bench.errors import UsageError
from resnet_models.text import meant, near


def unknown(
    kind: str, word: str, known: Sequence[str], elsewhere: Mapping[str, Sequence[str]] | None = None
) -> str:
    """What to tell whoever asked for ``word``, which is no ``kind`` of ``known``.

    ``elsewhere`` gives every name that there is, with the profiles that have it.
    """
    elsewhere = elsewhere or {}
    there = f"there are {', '.join(known)}"
    if word in elsewhere:
        profiles = " or ".join(elsewhere[word])
        where = f"--profile {profiles} has it" if profiles else "no profile has it"
        return f"no {kind} named {word!r} in this profile ({where}); {there}"
    like = near(word, dict.fromkeys([*known, *elsewhere]))
    hint = meant(_placed(name, known, elsewhere) for name in like)
    return f"no {kind} named {word!r}{hint}; {there}"


def checked_device(name: str) -> str:
    """``name`` as it is, once it is a word for a device, there or not.

    Raises:
        UsageError: no device is ever called so.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise UsageError(f"no device named {name!r}; there are auto, cpu, cuda, cuda:1 ...")
    return name


def _placed(name: str, known: Sequence[str], elsewhere: Mapping[str, Sequence[str]]) -> str:
    """``name``, with a profile that has it where it is not of ``known``."""
    profiles = () if name in known else elsewhere[name]
    return f"{name} with --profile {profiles[0]}" if profiles else name
