"""Names from people and from their files, for one line on a terminal. No torch here."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_SUGGESTED: Final = 3


def readable(text: str, most: int = 100) -> str:
    """``text`` as it is where that is safe to print, else as Python writes it; cut after ``most``.

    Escape codes, line breaks, bytes that are no text and an empty name then show as what they are.
    """
    shown = text if len(text) <= most else f"{text[:most]}…"
    return shown if shown.isprintable() and shown else repr(shown)


def near(word: str, known: Iterable[str]) -> list[str]:
    """Of ``known``, those that ``word`` is a part of (``resnet20``), else those spelt like it."""
    plain = {_plain(name): name for name in known}
    wanted = _plain(word)
    within = [name for name in plain if wanted and wanted in name]
    return [plain[name] for name in (within or get_close_matches(wanted, plain))[:_SUGGESTED]]


def meant(names: Iterable[str]) -> str:
    """A question to stand behind a wrong name; nothing without ``names``."""
    listed = " or ".join(names)
    return f" (did you mean {listed}?)" if listed else ""


def _plain(name: str) -> str:
    """Neither case nor hyphens count: ``ResNet-50`` is ``resnet50``."""
    return re.sub(r"[\W_]", "", name.lower())
