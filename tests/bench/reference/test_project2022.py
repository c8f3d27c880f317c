"""The runs of the 2022 project, checked against themselves and against its slides."""

import pytest
from pydantic import ValidationError

from bench.config.profiles import DATASETS, DEPTHS
from bench.reference.loader import ProjectRun, dataset_title, load_project2022
from bench.reference.project2022 import Project2022
from tests.support.references import changed

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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"in_channels": 2}, "in_channels\n.*1 or 3"),
        ({"lr": "0.1"}, "lr\n.*valid number"),
        ({"lr": None}, "lr\n.*valid number"),
        ({"recipe": "other"}, "recipe\n.*'base', 'normalize'"),
        ({"frozen_after_epoch": 60}, "Resnet101_Training_CIFAR10.ipynb: frozen_after_epoch"),
        ({"train_accuracy_percent": (100.5,) * 60}, "train_accuracy_percent.0\n.*100"),
        ({"train_loss_sum_of_batch_means": (0.0,) * 60}, "sum_of_batch_means.0\n.*greater than 0"),
        ({"learning_rate": 0.1}, "learning_rate\n.*not permitted"),
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
    settings = {(run.lr, run.momentum, run.weight_decay, run.lr_decay_epochs) for run in RUNS}
    assert settings == {(0.1, 0.9, 2e-4, (100, 150))}
    assert {(run.dataset, run.in_channels) for run in RUNS} == {("cifar10", 3), ("mnist", 1)}
    by_recipe = {
        (run.recipe, run.train_batch_size, run.test_batch_size, run.normalize) for run in RUNS
    }
    assert by_recipe == {
        ("base", 128, 100, None),
        ("normalize", 128, 100, "imagenet_mean_std"),
        ("normalize_batch32", 32, 32, "imagenet_mean_std"),
    }
    augmented = {(run.dataset, run.augmentation) for run in RUNS}
    assert augmented == {("cifar10", ("random_crop_pad4", "horizontal_flip")), ("mnist", ())}
    assert all(run.epochs <= min(run.lr_decay_epochs) for run in RUNS)


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
