"""The runs of the 2022 project, checked against themselves and against its slides."""

import pytest
from pydantic import ValidationError

from bench.config.profiles import DATASETS, DEPTHS
from bench.reference.loader import dataset_title, load_project2022
from bench.reference.project2022 import Project2022, ProjectRun
from tests.support.references import changed, content

CELLS = {(cell.dataset, cell.depth): cell for cell in load_project2022().cells()}
RUNS = load_project2022().runs


def test_slides_quote_the_last_epoch_of_the_base_recipe():
    assert set(CELLS) == {(dataset, depth) for dataset in DATASETS for depth in DEPTHS}
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


def test_mislabelled_and_frozen_cells_of_the_slides():
    trained = {k: c.trained_depth for k, c in CELLS.items() if c.trained_depth != c.depth}
    assert trained == {("mnist", 50): 34}
    frozen = {k: c.frozen_after_epoch for k, c in CELLS.items() if c.frozen_after_epoch}
    assert frozen == {("cifar10", 34): 60, **dict.fromkeys(
        [("cifar10", 50), ("cifar10", 101), ("cifar10", 152)], 20
    )}  # fmt: skip


@pytest.mark.parametrize(
    "run", [run for run in RUNS if run.frozen_after_epoch], ids=lambda run: run.notebook
)
def test_frozen_means_that_train_accuracy_stands_still(run):
    frozen = run.train_accuracy_percent[run.frozen_after_epoch + 1 :]
    moving = run.train_accuracy_percent[: run.frozen_after_epoch]
    assert max(frozen) - min(frozen) < 0.7
    assert max(moving) - min(moving) > 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test_accuracy_percent": (50.0,) * 59}, "test_accuracy_percent has 59 of 60"),
        ({"lr": "0.1"}, "lr\n.*valid number"),
        ({"lr": None}, "lr\n.*valid number"),
        ({"recipe": "other"}, "recipe\n.*'base', 'normalize'"),
        ({"frozen_after_epoch": 60}, "Resnet101_Training_CIFAR10.ipynb: frozen_after_epoch"),
        ({"train_accuracy_percent": (100.5,) * 60}, "train_accuracy_percent.0\n.*100"),
        ({"train_loss_sum_of_batch_means": (0.0,) * 60}, "sum_of_batch_means.0\n.*greater than 0"),
    ],
)
def test_a_run_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        ProjectRun.model_validate(RUNS[0].model_dump() | changes)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["runs"], [], "runs\n.*at least 20"),
        (["source"], "", "source\n.*at least 1 character"),
        (["meta", "datasets"], {}, "runs: no meta.datasets for cifar10, mnist"),
        (["meta", "datasets", "mnist", "test_images"], 0, "mnist.test_images\n.*greater than 0"),
    ],
)
def test_a_broken_file_is_refused(path, value, message):
    with pytest.raises(ValidationError, match=message):
        Project2022.model_validate_json(changed("project2022.json", path, value))


def test_the_settings_are_those_of_the_notebooks():
    runs = content("project2022.json")["runs"]
    optimizer = {"lr": 0.1, "momentum": 0.9, "weight_decay": 2e-4, "lr_decay_epochs": [100, 150]}
    by_recipe = {
        "base": (128, 100, None),
        "normalize": (128, 100, "imagenet_mean_std"),
        "normalize_batch32": (32, 32, "imagenet_mean_std"),
    }
    by_data = {"cifar10": (3, ["random_crop_pad4", "horizontal_flip"]), "mnist": (1, [])}
    for run in runs:
        assert optimizer.items() <= run.items()
        sizes = run["train_batch_size"], run["test_batch_size"], run["normalize"]
        assert sizes == by_recipe[run["recipe"]]
        assert (run["in_channels"], run["augmentation"]) == by_data[run["dataset"]]
        assert run["epochs"] <= 100
    assert {run["recipe"] for run in runs} == set(by_recipe)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.notebook)
def test_exactly_the_resumed_runs_froze_where_they_were_resumed(run):
    assert run.frozen_after_epoch == run.resumed_after_epoch


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.notebook)
def test_accuracies_are_counts_of_images(run):
    facts = load_project2022().meta.datasets[run.dataset]
    pairs = [(run.train_accuracy_percent, facts.train_images),
             (run.test_accuracy_percent, facts.test_images)]  # fmt: skip
    for accuracies, images in pairs:
        counts = [accuracy * images / 100 for accuracy in accuracies]
        assert counts == pytest.approx([round(count) for count in counts], abs=1e-6)


def test_dataset_title():
    assert dataset_title("cifar10") == "CIFAR-10"
    assert dataset_title("other") == "other"
