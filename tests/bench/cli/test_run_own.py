"""A network, a recipe and variants of a user's own: from the command line to the page."""

import json
import shlex
import sys

import pytest

from bench.records import store
from tests.support.own import write_networks
from tests.support.pages import without_figures
from tests.support.small import small_dataset
from tests.support.tools import assert_refused, bench, text_of

RECIPE = """
base = "smoke"
batch_size = 8
images_per_epoch = 16
test_images = 16
final_test_images = 16
"""


@pytest.fixture
def small_world(tmp_path, monkeypatch):
    """A folder with networks and a recipe of one's own, and images that nobody has to fetch."""
    monkeypatch.setattr("bench.data.sources.load", lambda name, **_: small_dataset(name))
    write_networks(tmp_path, monkeypatch)
    (tmp_path / "short.toml").write_text(RECIPE)
    return tmp_path


def run(*arguments):
    with without_figures():
        return bench("run", "--device", "cpu", *arguments)


def own(folder):
    return (
        *("--profile", "smoke", "--datasets", "mnist", "--network", "own_nets:Tiny"),
        *("--recipe", folder / "short.toml", "--out", folder / "out"),
    )


@pytest.mark.heavy
def test_a_network_and_a_recipe_of_ones_own_become_a_record_and_a_page(small_world):
    done = run(*own(small_world), "--models", "resnet18", "--seed", "7")
    assert done.returncode == 0, done.stderr
    records, problems = store.load_all(small_world / "out" / "runs")
    assert problems == []
    tiny, resnet = records
    assert tiny.cell.id == "custom_tiny-mnist-short-seed7"
    assert resnet.cell.id == "resnet18-paper-imagenet-mnist-short-seed7"
    assert tiny.status == "completed", tiny.reason
    assert tiny.recipe.batch_size == 8
    assert (tiny.cell.custom.factory, tiny.cell.custom.layers) == ("own_nets:Tiny", 2)
    # One channel to 8 with a bias, 13x13 places, 9 taps; 8 numbers to 10 classes.
    assert tiny.cost.parameters == 8 * 9 + 8 + 10 * 8 + 10
    assert tiny.cost.macs == 13 * 13 * 8 * 9 + 10 * 8
    assert (tiny.cost.table1_macs, tiny.signals) == (None, ())
    page = text_of((small_world / "out" / "index.html").read_text())
    assert "not of the catalog: own_nets:Tiny, 2 convolutions" in page
    assert "what needs a formula or named blocks" in page
    assert "tiny" in (small_world / "out" / "summary.md").read_text()


@pytest.mark.heavy
def test_its_record_is_reused_made_again_by_its_command_and_read_without_the_module(small_world):
    assert run(*own(small_world)).returncode == 0
    folder = small_world / "out" / "runs" / "custom_tiny-mnist-short-seed0"
    first = store.load(folder)
    assert "0 cells run, 1 reused" in run(*own(small_world)).stdout
    again = shlex.split(first.command)[4:]
    assert "1 cells run, 0 reused" in run(*again, "--out", small_world / "out").stdout
    assert store.load(folder).epochs[-1].train_loss == first.epochs[-1].train_loss
    module = small_world / "own_nets.py"
    module.write_text(module.read_text() + "# another\n")
    sys.modules.pop("own_nets")
    assert_refused(run(*own(small_world)), 2, "was made with network .*own_nets:Tiny of a file")
    module.unlink()
    with without_figures():
        assert "\nReport: " in bench("report", "--out", small_world / "out").stdout
    content = json.loads((small_world / "out" / "summary.json").read_text())
    assert [each["network"] for each in content["networks"] if each["cell_ids"]] == ["tiny"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("own_nets", "--network own_nets: package.module:factory is needed"),
        ("nowhere:net", "--network nowhere cannot be imported: ModuleNotFoundError: No module"),
        ("broken:net", "--network broken cannot be imported: SyntaxError: "),
        ("own_nets:Big", "own_nets has no callable Big; there are Tiny, __, fails, flat, frozen"),
        ("own_nets:fails", r"own_nets:fails\(in_channels=1.*\) raised RuntimeError: no such thing"),
        ("own_nets:three", r"gives int, and no torch\.nn\.Module"),
        ("own_nets:frozen", "own_nets:frozen has no parameter to train"),
        ("own_nets:flat", r"own_nets:flat fails on images \(2, 1, 28, 28\): RuntimeError: mat1"),
        ("own_nets:wide", r"own_nets:wide .* to \(2, 11\); logits \(2, 10\) are needed"),
        ("own_nets:__", "its name needs a letter or a digit"),
    ],
)
def test_what_is_no_network_exits_with_2(small_world, path, message):
    (small_world / "broken.py").write_text("def net(:\n")
    arguments = ["--profile", "smoke", "--datasets", "mnist", "--network", path]
    done = run(*arguments, "--out", small_world / "out")
    assert_refused(done, 2, message)
    assert done.stderr.count("\n") == 1
    assert not (small_world / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seed", "7", "--seeds", "2"], "--seed is one seed alone"),
        (["--seed", "-1"], "--seed -1: a whole number from 0 to"),
        (["--recipe", "nowhere.toml"], "--recipe nowhere.toml: No such file"),
        (["--learning-rate", "0"], "--learning-rate 0.0: a number above 0 is needed"),
        (["--learning-rate", "nan"], "--learning-rate nan: a number above 0 is needed"),
        (["--batch-size", "0"], "--batch-size 0: a whole number from 1"),
        (
            ["--profile", "table6", "--stem", "imagenet"],
            "--stem imagenet: cifar_resnet20 has the stem 'cifar' .*; --models chooses others",
        ),
        (
            ["--profile", "table6", "--shortcut", "B"],
            "--shortcut B: cifar_plain20 with shortcut 'B' does not exist; it has none",
        ),
    ],
)
def test_wrong_variants_exit_with_2(arguments, message, tmp_path):
    assert_refused(bench("run", *arguments, "--out", tmp_path / "out"), 2, message)
