"""Recipes of a user's own: what a file may say, and what is refused with a line that helps."""

import pytest

from bench.config import recipe_files, recipes
from bench.config.recipe import StepSchedule
from bench.errors import UsageError


@pytest.fixture
def made(tmp_path):
    def make(text, dataset="cifar10", name="mine"):
        path = tmp_path / f"{name}.toml"
        path.write_text(text)
        return recipe_files.read(path).recipe(dataset)

    return make


@pytest.mark.parametrize("dataset", ["cifar10", "mnist"])
@pytest.mark.parametrize("base", recipe_files.BASES)
def test_a_base_alone_is_that_recipe_by_another_name(made, base, dataset):
    expected = recipe_files.BASES[base](dataset)
    assert made(f'base = "{base}"', dataset) == expected.model_copy(update={"name": "mine"})


def test_what_is_given_differs(made):
    made_from_full = made('base = "full"\nname = "longer"\nepochs = 60\nlearning_rate = 0.2')
    changes = {"name": "longer", "epochs": 60, "learning_rate": 0.2}
    assert made_from_full == recipes.full("cifar10").model_copy(update=changes)


def test_a_budget_in_iterations_takes_the_place_of_one_in_epochs(made):
    recipe = made('base = "full"\niterations = 100')
    assert (recipe.iterations, recipe.epochs) == (100, None)


def test_a_part_of_a_schedule_leaves_the_rest_of_it(made):
    recipe = made('base = "paper_cifar"\n[schedule]\nmilestones = [10, 20]')
    assert recipe.schedule == StepSchedule(unit="iteration", milestones=(10, 20), factor=0.1)
    other = made('base = "full"\n[schedule]\nkind="step"\nunit="epoch"\nmilestones=[3]\nfactor=0.5')
    assert other.schedule == StepSchedule(unit="epoch", milestones=(3,), factor=0.5)


def test_a_complete_recipe_needs_no_base(made):
    text = """
    optimizer = "sgd"
    learning_rate = 0.1
    schedule = { kind = "linear", warmup_fraction = 0.1 }
    weight_decay = 5e-4
    batch_size = 128
    epochs = 30
    augmentation = "crop_flip"
    zero_init_residual = true
    """
    assert made(text) == recipes.full("cifar10").model_copy(update={"name": "mine"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('base = "slow"', "no base slow; there are smoke, quick, full, paper_cifar"),
        ("base = 3", "no base 3; there are smoke"),
        ('base = "full"\nepoch = 3', "no setting epoch; there are base, name, optimizer"),
        ('base = "full"\nepochs = 0', "epochs: Input should be greater than 0"),
        ('base = "full"\nepochs = 2\niterations = 3', "one of the two"),
        ('base = "full"\nschedule = 3', "schedule: "),
        ('base = "full"\noptimizer = "lion"', "optimizer: Input should be 'sgd' or 'adamw'"),
        ('optimizer = "sgd"', r"Field required; a file without a base \(smoke, .*every setting"),
        ('base = "full"\nimages_per_epoch = 50001', "cifar10 has 50000 images to train on"),
        ('base = "full"\nnorm_batch_size = 129', "cannot see more than a batch of 128"),
        ('base = "full"\nname = "quick"', "quick is a recipe of ours: give it a name of its own"),
        ('base = "full"\nname = "My Recipe"', "name: String should match"),
        ("base =", "no valid TOML"),
    ],
)
def test_what_is_wrong_is_named(made, text, message):
    with pytest.raises(UsageError, match=rf"^--recipe .*mine\.toml: .*{message}"):
        made(text)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="no valid TOML"):
        recipe_files.read(tmp_path / "a.toml")
