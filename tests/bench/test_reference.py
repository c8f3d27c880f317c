"""The reference files, checked against formulas and against themselves."""

import pytest
from pydantic import ValidationError

from bench.config import DATASETS, DEPTHS
from bench.reference.loader import ProjectRun, dataset_title, load_paper, load_project2022

CELLS = {(cell.dataset, cell.depth): cell for cell in load_project2022().cells()}
RUNS = load_project2022().runs


def test_slides_have_every_depth_on_both_data_sets():
    assert set(CELLS) == {(dataset, depth) for dataset in DATASETS for depth in DEPTHS}


def test_slides_quote_the_last_epoch_of_the_base_recipe():
    cell = CELLS["cifar10", 18]
    assert (round(cell.train_accuracy, 2), round(cell.test_accuracy, 2)) == (83.02, 76.69)
    assert cell.epochs == 100
    assert cell.images == 100 * 50_000


@pytest.mark.parametrize("cell", CELLS.values(), ids=lambda cell: f"{cell.dataset}-{cell.depth}")
def test_losses_are_means_per_image(cell):
    """A network that is right p of the time has a loss well below that of guessing, ln 10."""
    assert 0 < cell.train_loss < 1.3
    assert 0 < cell.test_loss < 1.3
    train_batches = -(-(50_000 if cell.dataset == "cifar10" else 60_000) // 128)
    assert cell.train_loss * train_batches == pytest.approx(cell.train_loss_original)
    assert cell.test_loss / 100 == pytest.approx(cell.test_loss_original)


def test_first_epoch_of_mnist_would_not_fit_the_other_convention():
    """The two loss columns differ by orders of magnitude as stored and agree once converted."""
    cell = CELLS["mnist", 18]
    assert cell.train_loss_original > 1000 * cell.test_loss_original
    assert 0.1 < cell.train_loss / cell.test_loss < 10


def test_only_mnist_resnet50_is_mislabelled():
    assert [key for key, cell in CELLS.items() if cell.trained_depth != cell.depth] == [
        ("mnist", 50)
    ]
    assert CELLS["mnist", 50].trained_depth == 34


def test_frozen_cells_of_the_slides():
    frozen = {
        key: cell.frozen_after_epoch for key, cell in CELLS.items() if cell.frozen_after_epoch
    }
    assert frozen == {
        ("cifar10", 34): 60,
        ("cifar10", 50): 20,
        ("cifar10", 101): 20,
        ("cifar10", 152): 20,
    }


@pytest.mark.parametrize(
    "run", [run for run in RUNS if run.frozen_after_epoch], ids=lambda run: run.notebook
)
def test_frozen_means_that_train_accuracy_stands_still(run):
    frozen = run.train_accuracy_percent[run.frozen_after_epoch + 1 :]
    moving = run.train_accuracy_percent[: run.frozen_after_epoch]
    assert max(frozen) - min(frozen) < 0.7
    assert max(moving) - min(moving) > 10


def test_a_run_with_a_missing_epoch_is_refused():
    content = RUNS[0].model_dump()
    content["test_accuracy_percent"] = content["test_accuracy_percent"][:-1]
    with pytest.raises(ValidationError, match="test_accuracy_percent has 59 of 60"):
        ProjectRun.model_validate(content)


@pytest.mark.parametrize("depth", DEPTHS)
def test_exact_macs_of_the_paper_lineage_fit_the_printed_flops(depth):
    paper = load_paper()
    printed = paper.tables.table1.depths[depth].flops_printed
    assert paper.cost(depth, "paper").macs_total == pytest.approx(printed, rel=0.02)


@pytest.mark.parametrize("depth", DEPTHS)
def test_depth_counts_the_weighted_layers_of_the_blocks(depth):
    column = load_paper().tables.table1.depths[depth]
    layers_per_block = {"basic": 2, "bottleneck": 3}[column.block]
    assert 2 + layers_per_block * sum(column.blocks) == depth


def test_stride_on_the_3x3_costs_more_in_bottlenecks_only():
    paper = load_paper()
    for depth in DEPTHS:
        ours, other = paper.cost(depth, "paper"), paper.cost(depth, "torchvision")
        assert ours.params == other.params
        assert (other.macs_total > ours.macs_total) == (depth >= 50)
        assert paper.cost(depth, "project2022") == other


def test_table6_has_the_only_mean_of_five_runs():
    rows = load_paper().tables.table6.rows
    assert [(row.layers, row.error, row.mean, row.std) for row in rows if row.runs] == [
        (110, 6.43, 6.61, 0.16)
    ]


def test_dataset_title():
    assert dataset_title("cifar10") == "CIFAR-10"
    assert dataset_title("other") == "other"
