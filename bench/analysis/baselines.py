"""Our results beside those of the paper and of the 2022 project, as DataFrames.

Nothing is rounded here and no torch is imported.
"""

import math
from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from bench.analysis.tables import BUDGET, SCORES, TEST, VARIANT, in_order
from bench.reference.loader import Project2022, ProjectRun, load_paper, load_project2022
from bench.stats import wilson_interval

NOT_RUN: Final = "not run"
# Budgets closer than this (relative) count as equal.
BUDGET_TOLERANCE: Final = 0.02

_SEEDS: Final = ["cell_ids", "status", "seeds", "test_min", "test_max"]
_GRID: Final = ["depth", *VARIANT, "variant", "panel", *_SEEDS, *BUDGET, *SCORES, *TEST]
# The networks that the 2022 project and Table 6 of the paper have figures of.
_PROJECT2022: Final = {"network": "resnet", "stem": "imagenet", "shortcut": "B"}
_TABLE6: Final = {"dataset": "cifar10", "network": "cifar_resnet", "shortcut": "A"}
TABLE6_NETWORKS: Final = ("cifar_resnet", "cifar_plain")


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


def grid_table(summary: pd.DataFrame) -> pd.DataFrame:
    """One row per (data set, depth, variant): ours averaged over seeds beside the 2022 project's.

    ``difference`` is ours minus theirs in points of test accuracy, ``within_noise`` whether the
    noise of the two test sets alone could make it; ``equal_budget`` says whether both saw equally
    many training images. ``theirs_*`` are NaN where they have no such cell. Theirs that were not
    run have a row too, unless no cell is one of theirs.
    """
    groups = summary.groupby([*VARIANT, "depth"], sort=False)
    ours = pd.DataFrame([_grid_row(group) for _, group in groups], columns=_GRID)
    theirs = pd.DataFrame([cell.model_dump() for cell in load_project2022().cells()])
    theirs = theirs.rename(columns=lambda name: f"theirs_{name}").rename(
        columns={"theirs_dataset": "dataset", "theirs_depth": "depth"}
    )
    keys = ["dataset", "depth", *_PROJECT2022]
    grid = ours.astype({"depth": "int64"}).merge(
        theirs.assign(**_PROJECT2022), on=keys, how="outer"
    )
    if (grid["cell_ids"].notna() & grid["theirs_images"].notna()).any() or ours.empty:
        grid["status"] = grid["status"].fillna(NOT_RUN)
    else:
        grid = grid[grid["cell_ids"].notna()]
    grid = _in_place(grid)
    grid["difference"] = grid["test_accuracy"] - grid["theirs_test_accuracy"]
    grid["within_noise"] = [
        _within_noise(row["test_accuracy"], row["test_images"],
                      row["theirs_test_accuracy"], row["theirs_test_images"])
        for row in grid.to_dict("records")
    ]  # fmt: skip
    ratio = grid["images"] / grid["theirs_images"]
    grid["equal_budget"] = (ratio - 1).abs() <= BUDGET_TOLERANCE
    return grid


def project_curves() -> pd.DataFrame:
    """One row per epoch of the 2022 project's slide runs, in the columns of ``tables.curves``.

    ``network``, ``stem`` and ``shortcut`` name the networks of ours that they compare with. A run
    whose code trains another depth than its label says is no curve of that depth and left out.
    """
    project = load_project2022()
    rows = [
        {"dataset": run.dataset, "depth": run.trained_depth, **_PROJECT2022, "epoch": epoch}
        | {"images": epoch * project.meta.datasets[run.dataset].train_images}
        | dict(zip(SCORES, scores, strict=True))
        for run in project.slide_runs()
        if run.trained_depth == run.labelled_depth
        for epoch, scores in enumerate(_scores(run, project), start=1)
    ]
    return pd.DataFrame(rows)


def _scores(run: ProjectRun, project: Project2022) -> Iterator[tuple[float, ...]]:
    """What SCORES names, epoch by epoch."""
    train_losses, test_losses = project.losses(run)
    return zip(
        run.train_accuracy_percent, train_losses, run.test_accuracy_percent, test_losses,
        strict=True,
    )  # fmt: skip


def table6(grid: pd.DataFrame) -> pd.DataFrame:
    """Our test errors of the networks of Table 6 on CIFAR-10 beside the printed ones, in percent.

    A row for each row of ``grid`` that is one. ``printed`` is the mean where the paper gives one,
    ``difference`` ours minus that, ``paper_budget`` whether ours was trained as long as section 4.2
    does. Nothing is printed about plain nets.
    """
    table = grid[(grid["dataset"] == "cifar10") & grid["network"].isin(TABLE6_NETWORKS)].copy()
    table["test_error"] = 100 - table["test_accuracy"]
    table["train_error"] = 100 - table["train_accuracy"]
    printed = {
        row.layers: row.mean or row.error
        for row in load_paper().tables.table6.rows
        if row.method == "ResNet"
    }
    is_printed = (table[list(_TABLE6)] == pd.Series(_TABLE6)).all(axis=1)
    table["printed"] = table["depth"].map(printed).where(is_printed)
    table["difference"] = table["test_error"] - table["printed"]
    images = load_project2022().meta.datasets["cifar10"].test_images
    table["within_noise"] = [
        _within_noise(row["test_accuracy"], row["test_images"], 100 - row["printed"], images)
        for row in table.to_dict("records")
    ]
    training = load_paper().cifar_section.hyperparameters
    table["paper_steps"] = training.stop_iteration
    table["paper_budget"] = (table["steps"] == training.stop_iteration) & (
        table["batch_size"] == training.batch_size
    )
    return table.reset_index(drop=True)


def table1(summary: pd.DataFrame) -> pd.DataFrame:
    """Table 1: measured parameters and MACs beside the printed FLOPs, a row per depth and lineage.

    ``difference_percent`` is measured MACs against the printed value, ``expected_*`` the exact
    count of the lineage (that of the paper where nothing ran).
    """
    paper = load_paper()
    keys = ["depth", "lineage"]
    published = summary[summary["shortcut"] == "B"]  # neither plain nets nor other options
    measured = published.dropna(subset=["table1_macs"]).drop_duplicates(keys)
    measured = measured[[*keys, "cell_id", "table1_parameters", "table1_macs"]]
    printed = pd.DataFrame(
        {"depth": depth} | column.model_dump()
        for depth, column in paper.tables.table1.depths.items()
    )
    table = printed.merge(measured.astype({"depth": "int64"}), on="depth", how="left")
    lineages = table["lineage"].fillna("paper")
    expected = [
        paper.cost(depth, lineage) for depth, lineage in zip(table["depth"], lineages, strict=True)
    ]
    table["expected_parameters"] = [cost.params for cost in expected]
    table["expected_macs"] = [cost.macs_total for cost in expected]
    table["difference_percent"] = 100 * (table["table1_macs"] / table["flops_printed"] - 1)
    return table.sort_values(keys, ignore_index=True)


def _in_place(grid: pd.DataFrame) -> pd.DataFrame:
    """Rows in order, those that were not run among the first variant of their data set."""
    keys = grid.copy()
    for name in ("lineage", "recipe"):
        keys[name] = keys[name].fillna(keys.groupby("dataset")[name].transform("first"))
    return grid.loc[in_order(keys).index].reset_index(drop=True)


def _within_noise(ours: float, our_images: float, theirs: float, their_images: float) -> bool:
    if not math.isfinite(ours - theirs):
        return False
    low, high = difference_interval(ours, our_images, theirs, their_images)
    return low <= 0 <= high


def _grid_row(group: pd.DataFrame) -> dict[str, Any]:
    """Seeds of one cell: means over those that finished, the reason where one did not."""
    done = group[group["status"] == "completed"]
    first = group.iloc[0]
    row = {name: first[name] for name in ["depth", *VARIANT, "variant", "panel"]}
    row |= {"cell_ids": list(group["cell_id"]), "seeds": len(done), "status": _status(group, done)}
    if done.empty:
        return row
    # A loss that is not a number must not vanish among the others.
    row |= {name: done[name].mean(skipna=False) for name in [*SCORES, *BUDGET]}
    images = done["test_images"].min()
    low, high = wilson_interval(done["test_accuracy"].mean(), images)
    row |= {"test_low": low, "test_high": high, "test_images": images}
    return row | {"test_min": done["test_accuracy"].min(), "test_max": done["test_accuracy"].max()}


def _status(group: pd.DataFrame, done: pd.DataFrame) -> str:
    failed = group[group["status"] == "failed"]
    if failed.empty:
        return "completed"
    failure = f"failed: {failed.iloc[0]['reason'] or 'no reason was recorded'}"
    return f"{len(done)} of {len(group)} seeds completed; {failure}" if len(done) else failure
