"""The options of ``run``: which cells, how they are trained, and in which engine."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Option

from bench.cli.options import AnyPrecision, count
from bench.config.profiles import PROFILES
from resnet_models.spec import Lineage, Shortcut, Stem

Profile = Annotated[
    str,
    Option(help=f"{', '.join(PROFILES)}, or auto: full with a GPU, quick without."),
]
PlannedExperiment = Annotated[
    str | None,
    Option(
        "--experiment",
        metavar="NAME",
        help="Run what is planned by that name; python -m bench experiments lists them.",
    ),
]
Cells = Annotated[str, Option(metavar="IDS", help="Only these, by the names of their folders.")]
Seeds = Annotated[int | None, count("--seeds", "Train N seeds: 0, 1, ... Without: seed 0.")]
Seed = Annotated[int | None, count("--seed", "Train seed N alone.", least=0)]
Network = Annotated[
    str | None,
    Option(
        metavar="MODULE:FACTORY",
        help="Train your own network, factory(in_channels, num_classes); alone without --models.",
    ),
]
RecipeFile = Annotated[
    Path | None, Option(metavar="FILE", help="Train by the recipe in this TOML file.")
]
RunLineage = Annotated[Lineage | None, Option(help="Which definition networks of Table 1 follow.")]
RunStem = Annotated[Stem | None, Option(help="First layers of the networks.")]
RunShortcut = Annotated[Shortcut | None, Option(help="Shortcuts of the networks.")]
BatchSize = Annotated[int | None, count("--batch-size", "Train on N images a step.")]
Rate = Annotated[
    float | None, Option("--learning-rate", metavar="R", help="Highest rate of the schedule.")
]
Minutes = Annotated[
    int | None,
    count(
        "--minutes",
        "Let profile quick take up to N: what its ten cells leave goes to ResNet-20 and plain-20.",
    ),
]
Epochs = Annotated[int | None, count("--epochs", "Train N epochs instead of the profile's.")]
Iterations = Annotated[
    int | None,
    count("--iterations", "Train N steps instead of the profile's, with drops to scale."),
]
Fraction = Annotated[
    float | None, Option(metavar="F", help="Train this share of the iterations, say 0.1.")
]
Start = Annotated[
    int | None, count("--start", "Train the first N iterations alone; drops stay where they are.")
]
Images = Annotated[
    int | None, count("--images-per-epoch", "Draw N training images for each epoch.")
]
HeldOut = Annotated[
    int | None, count("--held-out", "Keep the last N training images for validation.")
]
NormBatch = Annotated[
    int | None, count("--norm-batch", "Let BatchNorm see N images of a batch at a time.")
]
Precision = Annotated[
    AnyPrecision,
    Option(help="auto (what is fastest here), float32, bfloat16 or float16."),
]
Compile = Annotated[
    Literal["auto", "on", "off"],
    Option("--compile", help="torch.compile; auto: where a long run gains from it."),
]
Deterministic = Annotated[
    bool, Option("--deterministic", help="The same bits in every run, on a GPU too; slower.")
]
Seconds = Annotated[
    float, Option(min=0, metavar="S", help="Least time between checkpoints of a cell.")
]
DryRun = Annotated[
    bool, Option("--dry-run", help="Say which cells would run, and how long; run none.")
]
Yes = Annotated[bool, Option("--yes", help="Do not ask before a run of an hour or more.")]
NoWeights = Annotated[
    bool, Option("--no-weights", help="Keep no weights of finished cells; smoke keeps none anyway.")
]
Fresh = Annotated[bool, Option("--fresh", help="Start every cell over and replace its record.")]
