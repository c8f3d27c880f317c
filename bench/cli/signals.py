"""``signals``: how untrained networks respond, and how the gradient passes their blocks."""

import json as to_json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Final

from typer import Option

from bench.cli.options import DataDir, DataSource, Device, Json, count
from bench.cli.shared import load, names, plain_table, refuse_unwritable, say, wide
from bench.errors import UsageError
from bench.formats import significant
from bench.records.writing import write_atomic
from resnet_models import Definition, define

if TYPE_CHECKING:
    from bench.records.schema import Signals

DATASET: Final = "cifar10"
LESSON: Final = ("cifar_plain20", "cifar_plain56", "cifar_resnet20", "cifar_resnet56")
COLUMNS: Final = [
    "Network", "Seeds", "Response", "Gradient, first blocks", "last blocks", "Powers of ten",
]  # fmt: skip
LEGEND: Final = (
    "Means over the seeds, on the first training images. Response: standard deviation of what a "
    "3x3 convolution gives, after BatchNorm, which makes it 1 here; the mean of all layers. "
    "Gradient: norm of that of the loss by a block's input, the median of the first and of the "
    "last quarter of the blocks; the powers of ten between the two, and those of the lowest and "
    "the highest seed."
)

Models = Annotated[str, Option(help=f"Comma-separated; {', '.join(LESSON)} where left out.")]
Seeds = Annotated[int, count("--seeds", "Draw the weights of N seeds: 0, 1, ...")]


def signals(
    *,
    models: Models = "",
    seeds: Seeds = 5,
    device: Device = "auto",
    data_dir: DataDir = None,
    data_source: DataSource = "auto",
    json: Json = None,
) -> None:
    """Show layer responses and gradients at initialisation, on CIFAR-10; train nothing."""
    definitions = [_define(model) for model in names(models) or LESSON]
    if json:
        refuse_unwritable("--json", json)
    from bench.data.batches import DeviceData
    from bench.training.environment import choose_device
    from bench.training.signals import at_initialisation

    torch_device = choose_device(device)
    dataset = load([DATASET], data_dir, data_source)[DATASET]
    data = DeviceData(dataset.train, dataset.spec, torch_device)
    found = {
        each.model: [at_initialisation(each, data, seed) for seed in range(seeds)]
        for each in definitions
    }
    _show(found)
    if json:
        _write(found, json)


def _define(model: str) -> Definition:
    try:
        return define(model, num_classes=10)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _show(found: "dict[str, list[Signals]]") -> None:
    table = plain_table(COLUMNS, "lrrrrr")
    for model, each in found.items():
        table.add_row(model, str(len(each)), *_cells(each))
    wide.print(table)
    say(LEGEND)


def _cells(found: "Sequence[Signals]") -> list[str]:
    from bench.claims.measures import drift, gradient_ends

    response = significant(fmean(fmean(each.response_std) for each in found))
    ends = [gradient_ends(each.input_gradient_norm) for each in found]
    there = [pair for pair in ends if pair is not None]
    if len(there) < len(ends):
        return [response, "vanished in a seed", "–", "–"]
    first, last = (f"{fmean(norms):.2e}" for norms in zip(*there, strict=True))
    drifts = sorted(map(drift, there))
    return [response, first, last, f"{fmean(drifts):.2f} ({drifts[0]:.2f} to {drifts[-1]:.2f})"]


def _write(found: "dict[str, list[Signals]]", path: Path) -> None:
    raw = {
        model: [each.model_dump(mode="json") for each in seeds] for model, seeds in found.items()
    }
    write_atomic(path, to_json.dumps(raw, indent=1) + "\n")
    say(f"Every layer and block: {path}")
