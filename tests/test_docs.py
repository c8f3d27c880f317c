"""The documents say what the code does: recipes, commands, links."""

import re
from pathlib import Path

import pytest
import typer.core
import typer.main

from bench.analysis.labels import budget, schedule
from bench.claims import power, published
from bench.cli.app import app
from bench.config.profiles import PROFILES
from bench.config.recipe import START
from bench.records import store

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
TEXTS = {path.name: path.read_text() for path in DOCUMENTS}
GROUP = typer.main.get_command(app)
assert isinstance(GROUP, typer.core.TyperGroup)
COMMANDS = GROUP.commands


def recipe_row(recipe, dataset):
    return (
        f"| `{recipe.name}` | {dataset} | {recipe.optimizer} | {schedule(recipe)} "
        f"| {recipe.momentum:g} | {recipe.weight_decay:g} | {recipe.batch_size} "
        f"| {budget(recipe)} | {recipe.augmentation} | {recipe.normalisation} |"
    )


def test_recipe_table_equals_the_recipes():
    plans = [plan for profile in PROFILES.values() for plan in profile().plans]
    rows = dict.fromkeys(recipe_row(plan.recipe, plan.cell.dataset) for plan in plans)
    table = re.findall(r"^\| `\w+` \| (?:cifar10|mnist) .*\|$", TEXTS["methodology.md"], re.M)
    assert table == list(rows)


def test_the_table_of_powers_is_what_claims_state():
    assert power.table() in TEXTS["methodology.md"]


@pytest.mark.parametrize("name", TEXTS)
def test_links_to_files_lead_somewhere(name):
    document = next(path for path in DOCUMENTS if path.name == name)
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXTS[name])
    for target in targets:
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("name", TEXTS)
def test_commands_and_options_exist(name):
    calls = re.findall(r"(?:python -m bench|\./run_all\.sh)((?: [\w/.,-]+)*)", TEXTS[name])
    for call in calls:
        words = call.split()
        command = words.pop(0) if words and words[0] in COMMANDS else "run"
        options = {option for parameter in COMMANDS[command].params for option in parameter.opts}
        for word in words:
            assert not word.startswith("--") or word in options | {"--help"}, call


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_is_left_to_fill_in(name):
    words = set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", TEXTS[name]))
    variables = {"RESNET_BENCH_DATA", "OMP_PROC_BIND", "OMP_NUM_THREADS", "TORCH_INDEX"}
    assert words <= {"SCHEMA_VERSION", *variables}


@pytest.mark.parametrize(
    "folder",
    sorted((ROOT / "reports" / "published").glob("*/runs")),
    ids=lambda path: path.parent.name,
)
def test_published_results_can_be_read_and_stand_in_the_documents(folder):
    records, problems = store.load_all(folder)
    assert records
    assert problems == []
    for record in records:
        if START in record.recipe.name:
            continue  # what its first iterations show is no accuracy
        assert f"{record.final.test_accuracy:.2%}".replace("%", " %") in TEXTS["results.md"]


def test_the_published_verdicts_are_those_of_the_published_records():
    """``python -m bench.claims.published`` writes them again."""
    assert published.judge_published() == published.load_published()


def test_every_room_is_on_the_map():
    for path in (ROOT / "bench").glob("*/__init__.py"):
        assert f"`{path.parent.name}/`" in TEXTS["architecture.md"]
