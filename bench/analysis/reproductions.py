"""What others got with the paper's networks, beside what it prints. No torch here.

Errors are percent. Only what was tested alike stands side by side: a panel is a data set and a way
of cutting its images. In it stand networks with one shortcut option, A on CIFAR-10 and B on
ImageNet, that were trained about as the paper says; the rest is counted, and listed.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from bench.analysis.baselines import Row
from bench.analysis.labels import NETWORKS
from bench.reference.loader import load_paper, load_reproductions
from bench.reference.printed import look_up
from bench.reference.reproductions import Reproduction
from resnet_models import MODELS
from resnet_models.spec import Shortcut

CIFAR10: Final = "CIFAR-10"
ONE_CROP: Final = "ImageNet, one crop"
TEN_CROPS: Final = "ImageNet, ten crops"
_PANELS: Final = {
    ("cifar10", None): CIFAR10,
    ("imagenet", "1 crop"): ONE_CROP,
    ("imagenet", "10 crops"): TEN_CROPS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Top-1 errors of one network in one panel.

    Attributes:
        printed: by the paper for this network, the mean where it gives one; None where it prints
            none.
        results: of others, at least one, from the lowest error to the highest.
        apart: results with another shortcut option, or a recipe far from the paper's.
        ours: rows of ``baselines.table6`` with an error, whatever their budget.
    """

    panel: str
    model: str
    printed: float | None
    results: Sequence[Reproduction]
    apart: Sequence[Reproduction]
    ours: Sequence[Row]

    @property
    def depth(self) -> int:
        return MODELS[self.model].depth

    @property
    def network(self) -> str:
        return MODELS[self.model].network

    @property
    def median(self) -> float:
        return statistics.median(each.value for each in self.results)

    @property
    def best_epochs(self) -> int:
        """How many results were selected on test images."""
        return sum(each.kind == "best epoch" for each in self.results)

    @property
    def reruns(self) -> list[Reproduction]:
        return [each for each in self.results if each.runs]


def digests(table6: Sequence[Row]) -> list[Digest]:
    """Every network of the catalog that others report on, by panel and depth."""
    alike: dict[tuple[str, str], list[Reproduction]] = {}
    apart: dict[tuple[str, str], list[Reproduction]] = {}
    for each in load_reproductions():
        panel = _PANELS.get((each.dataset, each.view))
        trained = each.metric == "top-1 error %" and each.kind != "target"
        if panel and trained and each.network in MODELS:
            same = each.shortcut == _option(each.network) and not each.other_recipe
            (alike if same else apart).setdefault((panel, each.network), []).append(each)
    printed = _printed()
    found = [
        Digest(
            panel=panel,
            model=model,
            printed=printed.get((panel, model)),
            results=sorted(results, key=lambda each: each.value),
            apart=apart.get((panel, model), []),
            ours=_ours(model, table6) if panel == CIFAR10 else [],
        )
        for (panel, model), results in alike.items()
    ]
    order, networks = list(_PANELS.values()), list(NETWORKS)
    return sorted(
        found,
        key=lambda each: (order.index(each.panel), networks.index(each.network), each.depth),
    )


def _option(model: str) -> Shortcut:
    """The paper's; of ResNet-18 and 34 on ImageNet B, which others train."""
    return MODELS[model].shortcuts[0]


def _printed() -> dict[tuple[str, str], float]:
    """Tables 6 and 3; of ResNet-34 on ImageNet option B, as others trained it.

    Of ResNet-18, Table 2 has option A alone, which is another network than that of the others.
    """
    errors = {
        (CIFAR10, f"cifar_resnet{layers}"): row.expected
        for layers, row in load_paper().tables.table6.resnets.items()
    }
    methods = {34: "ResNet-34 B", 50: "ResNet-50", 101: "ResNet-101", 152: "ResNet-152"}
    for depth, method in methods.items():
        path = f"paper:tables/table3/rows/{method}/top1"
        errors[TEN_CROPS, f"resnet{depth}"] = look_up(path).value
    return errors


def _ours(model: str, table6: Sequence[Row]) -> list[Row]:
    """With the shortcut that the paper gives it."""
    return [
        row for row in table6
        if f"{row.network}{row.depth}" == model
        and row.shortcut == _option(model)
        and row.test_error is not None
    ]  # fmt: skip


def all_results() -> pd.DataFrame:
    """Every number that others report, also of relatives of the paper's networks.

    A row per number, the fields of ``Reproduction``; by data set, metric, network and value.
    """
    frame = pd.DataFrame([each.model_dump() for each in load_reproductions()])
    depth = frame["network"].str.extract(r"(\d+)", expand=False).astype(int)
    ordered = frame.assign(depth=depth, family=frame["network"].str.replace(r"\d+", "", regex=True))
    keys = ["dataset", "metric", "family", "depth", "value", "who"]
    ordered = ordered.sort_values(keys, ascending=[key != "metric" for key in keys], kind="stable")
    return ordered.drop(columns=["depth", "family"]).reset_index(drop=True)
