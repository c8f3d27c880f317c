"""Our results beside those of the paper and of the 2022 project.

Nothing is rounded here and no torch is imported.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd

from bench.analysis.labels import model_title, place
from bench.analysis.tables import BUDGET, CLEAN, SCORES, VARIANT
from bench.reference.loader import load_paper, load_project2022
from bench.reference.paper import Table6Row
from bench.reference.printed import look_up
from bench.reference.project2022 import ProjectCell
from bench.stats import wilson_interval

# Budgets closer than this (relative) count as equal.
BUDGET_TOLERANCE: Final = 0.02
TABLE6_NETWORKS: Final = ("cifar_resnet", "cifar_plain")
# The networks of ours that those of the 2022 project compare with.
_PROJECT2022: Final[dict[str, Any]] = {"network": "resnet", "stem": "imagenet", "shortcut": "B"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One network on one data set, its seeds together, beside what the references have of it.

    Accuracies and their intervals are percent. A number is the mean of the seeds that completed,
    None where none did.

    Attributes:
        lineage: None where no cell was run, as is the recipe.
        variant: what tells it from others of its data set, in words.
        panel: title of the networks that are drawn together.
        cell_ids: of every seed, failed ones too.
        status: ``completed``, ``not run`` or how it failed.
        seeds: that completed.
        clean_train_accuracy: of the final weights, on the images of the last epoch as they are;
            None where a seed was not looked at so, as is all that is clean.
        test_low: the Wilson interval's end, for the noise of the test set; with ``test_high``.
        test_min: of the seeds; with ``test_max``.
        theirs: the 2022 project's cell, where it has one of this network.
    """

    dataset: str
    network: str
    depth: int
    lineage: str | None = None
    stem: str
    shortcut: str
    recipe: str | None = None
    variant: str = ""
    panel: str = ""
    cell_ids: tuple[str, ...] = ()
    status: str = "not run"
    seeds: int = 0
    epochs: float | None = None
    steps: float | None = None
    images: float | None = None
    passes: float | None = None
    batch_size: float | None = None
    train_accuracy: float | None = None
    train_loss: float | None = None
    clean_train_accuracy: float | None = None
    clean_train_loss: float | None = None
    clean_train_images: float | None = None
    test_accuracy: float | None = None
    test_loss: float | None = None
    test_images: float = 0
    test_low: float | None = None
    test_high: float | None = None
    test_min: float | None = None
    test_max: float | None = None
    theirs: ProjectCell | None = None

    @property
    def title(self) -> str:
        return model_title(self.network, self.depth)

    @property
    def difference(self) -> float | None:
        """Ours minus theirs, in points of test accuracy."""
        if self.theirs is None or self.test_accuracy is None:
            return None
        return self.test_accuracy - self.theirs.test_accuracy

    @property
    def within_noise(self) -> bool:
        return self.theirs is not None and self._within_noise(
            self.theirs.test_accuracy, self.theirs.test_images
        )

    @property
    def equal_budget(self) -> bool:
        if self.theirs is None or self.images is None:
            return False
        return abs(self.images / self.theirs.images - 1) <= BUDGET_TOLERANCE

    @property
    def remarks(self) -> tuple[str, ...]:
        if self.theirs is None:
            return ()
        trained, frozen = self.theirs.trained_depth, self.theirs.frozen_after_epoch
        found = []
        if trained != self.depth:
            found.append(
                f"The 2022 project labels this cell ResNet-{self.depth}, but its notebook trains "
                f"ResNet-{trained}."
            )
        if frozen is not None:
            found.append(
                f"The 2022 project resumed after epoch {frozen} with an optimizer that still held "
                "the discarded network's parameters: no weight moved from there on."
            )
        return tuple(found)

    @property
    def test_error(self) -> float | None:
        return None if self.test_accuracy is None else 100 - self.test_accuracy

    @property
    def train_error(self) -> float | None:
        """In percent, counted while weights change."""
        return None if self.train_accuracy is None else 100 - self.train_accuracy

    @property
    def clean_train_error(self) -> float | None:
        """In percent, of the final weights on images as they are."""
        clean = self.clean_train_accuracy
        return None if clean is None else 100 - clean

    @property
    def printed(self) -> Table6Row | None:
        """Its row of Table 6; nothing is printed about plain nets and other shortcuts."""
        if (self.dataset, self.network, self.shortcut) != ("cifar10", "cifar_resnet", "A"):
            return None
        return load_paper().tables.table6.resnets.get(self.depth)

    @property
    def printed_error(self) -> float | None:
        return self.printed.expected if self.printed else None

    @property
    def printed_difference(self) -> float | None:
        """Ours minus the printed one, in points of test error."""
        if self.printed_error is None or self.test_error is None:
            return None
        return self.test_error - self.printed_error

    @property
    def within_noise_of_printed(self) -> bool:
        images = load_project2022().meta.datasets["cifar10"].test_images
        return self.printed_error is not None and self._within_noise(
            100 - self.printed_error, images
        )

    @property
    def paper_steps(self) -> int:
        return int(look_up("paper:cifar_section/hyperparameters/stop_iteration").value)

    @property
    def paper_budget(self) -> bool:
        batch_size = look_up("paper:cifar_section/hyperparameters/batch_size").value
        return (self.steps, self.batch_size) == (self.paper_steps, batch_size)

    def _within_noise(self, accuracy: float, images: float) -> bool:
        if self.test_accuracy is None:
            return False
        low, high = difference_interval(self.test_accuracy, self.test_images, accuracy, images)
        return low <= 0 <= high


def difference_interval(
    ours: float, our_images: float, theirs: float, their_images: float
) -> tuple[float, float]:
    """95 % interval, in points, of ours minus theirs, two accuracies in percent.

    Newcombe's hybrid of two Wilson intervals (Statistics in Medicine 17, 1998, method 10): the test
    set noise of both, as if they were tested on different images.
    """
    our_low, our_high = wilson_interval(ours, our_images)
    their_low, their_high = wilson_interval(theirs, their_images)
    difference = ours - theirs
    below = math.hypot(ours - our_low, their_high - theirs)
    above = math.hypot(our_high - ours, theirs - their_low)
    return difference - below, difference + above


def grid(summary: pd.DataFrame) -> list[Row]:
    """A row per (data set, depth, variant) of ``tables.summarize``, in the order of the page.

    Cells of the 2022 project that were not run have a row too, unless no cell is one of theirs.
    """
    groups = summary.groupby([*VARIANT, "depth"], sort=False)
    ours = [_row(cells) for _, cells in groups]
    beside = {(row.dataset, row.depth) for row in ours if row.theirs}
    if ours and not beside:
        return ours
    missing = [
        Row(dataset=cell.dataset, depth=cell.depth, theirs=cell, **_PROJECT2022)
        for key, cell in _their_cells().items()
        if key not in beside
    ]
    first: dict[str, Row] = {}
    for row in sorted(ours, key=lambda row: (row.depth, row.network, row.stem, row.shortcut)):
        first.setdefault(row.dataset, row)

    def among_first(row: Row) -> tuple[object, ...]:
        """Those that were not run stand among the first variant of their data set."""
        named = row if row.cell_ids else first.get(row.dataset, row)
        return place(replace(row, lineage=named.lineage, recipe=named.recipe))

    return sorted([*ours, *missing], key=among_first)


def _their_cells() -> dict[tuple[str, int], ProjectCell]:
    return {(cell.dataset, cell.depth): cell for cell in load_project2022().cells()}


def _row(cells: pd.DataFrame) -> Row:
    done = cells[cells["status"] == "completed"]
    first = cells.iloc[0]
    is_theirs = all(first[name] == value for name, value in _PROJECT2022.items())
    row = Row(
        depth=int(first["depth"]),
        cell_ids=tuple(cells["cell_id"]),
        seeds=len(done),
        status=_status(cells, done),
        theirs=_their_cells().get((first["dataset"], first["depth"])) if is_theirs else None,
        **{name: first[name] for name in (*VARIANT, "variant", "panel")},
    )
    if done.empty:
        return row
    # A loss that is not a number must not vanish among the others.
    names = [*SCORES, *BUDGET, *(CLEAN if done["clean_train_images"].notna().all() else ())]
    means: dict[str, Any] = {name: float(done[name].mean(skipna=False)) for name in names}
    images = float(done["test_images"].min())
    low, high = wilson_interval(means["test_accuracy"], images)
    return replace(
        row,
        test_images=images,
        test_low=low,
        test_high=high,
        test_min=float(done["test_accuracy"].min()),
        test_max=float(done["test_accuracy"].max()),
        **means,
    )


def _status(cells: pd.DataFrame, done: pd.DataFrame) -> str:
    failed = cells[cells["status"] == "failed"]
    if failed.empty:
        return "completed"
    failure = f"failed: {failed.iloc[0]['reason'] or 'no reason was recorded'}"
    return f"{len(done)} of {len(cells)} seeds completed; {failure}" if len(done) else failure


def project_curves() -> pd.DataFrame:
    """One row per epoch of the 2022 project's slide runs, in the columns of ``tables.curves``.

    ``network``, ``stem`` and ``shortcut`` name the networks of ours that they compare with. A run
    whose code trains another depth than its label says is no curve of that depth and left out.
    """
    project = load_project2022()
    runs = []
    for run in project.slide_runs():
        if run.trained_depth != run.labelled_depth:
            continue
        train_losses, test_losses = project.losses(run)
        epochs = range(1, run.epochs + 1)
        curves = {
            "dataset": run.dataset,
            "depth": run.trained_depth,
            **_PROJECT2022,
            "epoch": epochs,
            "images": [epoch * project.meta.datasets[run.dataset].train_images for epoch in epochs],
            "train_accuracy": run.train_accuracy_percent,
            "train_loss": train_losses,
            "test_accuracy": run.test_accuracy_percent,
            "test_loss": test_losses,
        }
        runs.append(pd.DataFrame(curves))
    return pd.concat(runs, ignore_index=True)


def table6(grid: Sequence[Row]) -> list[Row]:
    """The rows about networks of Table 6 on CIFAR-10, plain ones too."""
    return [row for row in grid if row.dataset == "cifar10" and row.network in TABLE6_NETWORKS]
