"""The reference files, read once and validated. No torch here.

Percentages are percent, losses are mean cross-entropy per image in nats, and the paper's FLOPs are
multiply-adds (MACs).
"""

from functools import cache

from bench.reference.paper import Paper
from bench.reference.project2022 import Project2022
from bench.reference.reproductions import Metric, Reproduction, Reproductions
from bench.reference.sources import read
from resnet_models.spec import Shortcut


@cache
def load_paper() -> Paper:
    return Paper.model_validate_json(read("paper.json"))


@cache
def load_project2022() -> Project2022:
    return Project2022.model_validate_json(read("project2022.json"))


@cache
def load_reproductions() -> tuple[Reproduction, ...]:
    """Results of others, in the order of the file."""
    return Reproductions.model_validate_json(read("reproductions.json")).flat()


def reproductions_of(
    network: str, dataset: str, shortcut: Shortcut, metric: Metric = "top-1 error %"
) -> tuple[Reproduction, ...]:
    """What others report of a network with this shortcut option on ``cifar10`` or ``imagenet``.

    What has another option, or none that is known, is another network, and left out.
    """
    wanted = (network, dataset, shortcut, metric)
    return tuple(
        result
        for result in load_reproductions()
        if (result.network, result.dataset, result.shortcut, result.metric) == wanted
    )


def dataset_title(dataset: str) -> str:
    """How people write the name: ``CIFAR-10`` for ``cifar10``."""
    facts = load_project2022().meta.datasets.get(dataset)
    return facts.title if facts else dataset
