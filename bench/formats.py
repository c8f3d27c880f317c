"""How numbers, times and sizes are written for people."""

import html
import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final


def number(value: float | None, digits: int = 2, *, signed: bool = False) -> str:
    """``1,234.50``, with a true minus sign; a dash for a value that is not there."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:{'+' if signed else ''},.{digits}f}".replace("-", "−")


def significant(value: float | None, digits: int = 3) -> str:
    """Three significant digits, without an exponent: for rates that span orders of magnitude."""
    if value is None or not math.isfinite(value) or value == 0:
        return number(value, 0)
    return number(value, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


def size(size_bytes: float | None) -> str:
    """Bytes in MiB below one GiB, else in GiB."""
    if size_bytes is None:
        return "–"
    mebibytes = size_bytes / 2**20
    return f"{mebibytes:,.0f} MiB" if mebibytes < 1024 else f"{mebibytes / 1024:,.2f} GiB"


def duration(seconds: float) -> str:
    """``1 h 02 min``, ``3 min 20 s`` or ``4.2 s``."""
    if not math.isfinite(seconds):
        return number(seconds)
    if seconds < 59.95:  # which rounds to 60.0
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def period(first: datetime, last: datetime) -> str:
    """From ``first`` to ``last``, with the date once where both share it."""
    first, last = first.astimezone(UTC), last.astimezone(UTC)
    if first.date() == last.date():
        return f"{first:%Y-%m-%d %H:%M} – {last:%H:%M} UTC"
    return f"{first:%Y-%m-%d %H:%M} – {last:%Y-%m-%d %H:%M} UTC"


def listed(words: Iterable[str]) -> str:
    """``a``, ``a and b`` or ``a, b and c``, each once."""
    *first, last = dict.fromkeys(words)
    return f"{', '.join(first)} and {last}" if first else last


def in_markdown(text: str) -> str:
    """One line of Markdown that shows ``text`` as it is: no markup, no HTML, no table cell."""
    line = html.escape(" ".join(text.split()), quote=False)
    line = re.sub(r"([\\`*_\[\]|~$#])", r"\\\1", line)
    # GitHub reads a name as a mention, and #1 as a link to an issue, whatever is escaped: a space
    # without width keeps the two apart.
    return re.sub(r"[@#](?=\w)", r"\g<0>&#8203;", line)


def markdown_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int | None = None
) -> str:
    """A table in the Markdown of GitHub, of cells that are Markdown; right behind ``left`` many."""
    rules = ["---" if left is None or place < left else "---:" for place in range(len(columns))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (columns, rules, *rows))


# Control characters but tab and line ends, and what Unicode calls noncharacters.
_NOT_HTML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")


def fit_for_html(value: object) -> object:
    """A text with � for each character that no HTML may hold; anything else as it is."""
    return _NOT_HTML.sub("\ufffd", value) if type(value) is str else value
