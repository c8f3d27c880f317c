"""Names from files of other people, for one line on a terminal. No torch here."""


def readable(text: str, most: int = 100) -> str:
    """``text`` as it is where that is safe to print, else as Python writes it; cut after ``most``.

    Escape codes, line breaks, bytes that are no text and an empty name then show as what they are.
    """
    shown = text if len(text) <= most else f"{text[:most]}…"
    return shown if shown.isprintable() and shown else repr(shown)
