"""A model card: what a trained network is and does, as the Hugging Face Hub reads it.

The metadata at its head follow https://huggingface.co/docs/hub/model-cards; results are its
``model-index``. No torch here, and nothing is sent anywhere.
"""

import json
from pathlib import Path
from typing import Any, Final

from bench.analysis import labels
from bench.config.cell import Cell
from bench.data.datasets import SPECS, normalised
from bench.errors import UsageError
from bench.formats import in_markdown, markdown_table
from bench.records.schema import Record
from bench.records.writing import write_files
from bench.reference.loader import dataset_title
from bench.stats import wilson_interval

README: Final = "README.md"
WEIGHTS: Final = "model.safetensors"
CONFIG: Final = "config.json"
"""The names that the Hub and its libraries look for."""

HUB_NAMES: Final = {"cifar10": "uoft-cs/cifar10", "mnist": "ylecun/mnist"}


def write(folder: Path, record: Record, weights: Path) -> None:
    """Write card, weights and the network's definition to ``folder``, which may hold other files.

    Raises:
        UsageError: one of the three is there already, or the network is a user's own.
        StorageError: they cannot be written, for want of space perhaps.
    """
    cell = record.cell
    if cell.custom:
        raise UsageError(f"{cell.id}: only you can build this network, so no card can say how")
    if there := [name for name in (README, WEIGHTS, CONFIG) if (folder / name).exists()]:
        raise UsageError(f"--hub {folder} has {' and '.join(there)} already: name another folder")
    files = {
        folder / WEIGHTS: weights.read_bytes(),
        folder / CONFIG: (json.dumps(_definition(cell), indent=2) + "\n").encode(),
        folder / README: card(record).encode(),
    }
    write_files(files, kept="", option="--hub")


def _definition(cell: Cell) -> dict[str, Any]:
    """The arguments of ``resnet_models.build``, with the name first."""
    spec = SPECS[cell.dataset]
    return {
        "name": cell.model,
        **cell.model_dump(include={"lineage", "stem", "shortcut"}),
        "in_channels": spec.channels,
        "num_classes": spec.classes,
    }


def card(record: Record) -> str:
    """The text of README.md: metadata in YAML, and what people read."""
    cell = record.cell
    title = f"{labels.model_title(cell.network, cell.depth)} on {dataset_title(cell.dataset)}"
    metadata = json.dumps(_metadata(record, title), indent=2, ensure_ascii=False)
    facts = markdown_table(["", ""], _facts(record).items())
    name, *options = (
        repr(value) if key == "name" else f"{key}={value!r}"
        for key, value in _definition(cell).items()
    )
    return f"""\
---
{metadata}
---

# {title}

A network of He, Zhang, Ren and Sun, [Deep Residual Learning for Image
Recognition](https://arxiv.org/abs/1512.03385), trained by resnet-bench.

{facts}

The accuracy is that of one seed; nothing was selected on test images. With resnet-bench installed:

```python
from resnet_models import build
from safetensors.torch import load_file

network = build({name}, {", ".join(options)})
network.load_state_dict(load_file("{WEIGHTS}"))
network.eval()
```

The run can be made again:

```sh
{record.command}
```
"""


def _facts(record: Record) -> dict[str, str]:
    """Title -> Markdown."""
    cell, recipe, final, machine = record.cell, record.recipe, record.final, record.environment
    assert final is not None
    accuracy = 100 * final.test_accuracy
    low, high = wilson_interval(accuracy, final.test_images)
    spec = normalised(SPECS[cell.dataset], recipe.normalisation)
    mean, deviation = (
        ", ".join(f"{value:g}" for value in values)
        for values in (spec.channel_mean, spec.channel_std)
    )
    return {
        "Test accuracy after the last epoch": f"{accuracy:.2f} % of {final.test_images:,} images "
        f"(95 % interval {low:.2f} to {high:.2f} %)",
        "Definition": f"`{cell.model}`, lineage {cell.lineage}, {cell.stem} stem, shortcut "
        f"{cell.shortcut}",
        "Recipe": f"`{recipe.name}`: {labels.budget(recipe)}, {recipe.optimizer}, learning rate "
        f"{labels.schedule(recipe)}, batch {recipe.batch_size}, seed {cell.seed}",
        "Images": f"{spec.resolution}×{spec.resolution} pixels in [0, 1]; mean {mean} and "
        f"deviation {deviation} of the channels",
        "Made with": f"resnet-bench {machine.resnet_bench} ({machine.commit or 'no commit'}), "
        f"PyTorch {machine.torch}, {labels.engine(record)}, {in_markdown(machine.device_name)}",
    }


def _metadata(record: Record, title: str) -> dict[str, Any]:
    """JSON, which is YAML too."""
    cell, final = record.cell, record.final
    assert final is not None
    dataset = {
        "name": dataset_title(cell.dataset), "type": HUB_NAMES[cell.dataset], "split": "test"
    }  # fmt: skip
    metrics = [
        {"name": "Accuracy", "type": "accuracy", "value": 100 * final.test_accuracy},
        {"name": "Loss", "type": "loss", "value": final.test_loss},
    ]
    task = {"name": "Image Classification", "type": "image-classification"}
    return {
        "license": "mit",
        "pipeline_tag": "image-classification",
        "tags": ["resnet", "resnet-bench", cell.model],
        "datasets": [HUB_NAMES[cell.dataset]],
        "metrics": ["accuracy"],
        "model-index": [
            {"name": title, "results": [{"task": task, "dataset": dataset, "metrics": metrics}]}
        ],
    }
