"""``experiments`` and ``run --experiment``: what is planned, what is done, what is refused."""

import json

import pytest

from bench.claims.experiments import decided_by
from bench.config.experiments import COMPILE, PRECISION, SPEED_SAMPLES, find, load_experiments
from bench.records import store
from bench.records.schema import Engine
from tests.support.factories import make_record
from tests.support.tools import assert_refused, bench

LISTED = ["experiments", "--no-hours", "--format", "json"]


def recorded(folder, plan, precision="bfloat16"):
    record = make_record(
        plan.cell.depth,
        seed=plan.cell.seed,
        network=plan.cell.network,
        recipe=plan.recipe,
        engine=Engine(precision=precision, micro_batch_size=plan.recipe.batch_size),
    )
    assert record.cell == plan.cell
    store.save(folder / store.RUNS, record)


def test_every_experiment_has_its_seeds_in_turn_and_the_command_of_a_profile():
    for experiment in load_experiments().values():
        config = experiment.config()
        seeds = [each.cell.seed for each in config.plans]
        assert seeds == sorted(seeds)
        assert set(seeds) == set(experiment.seeds)
        assert config.profile == experiment.profile
        assert config.speed_samples == SPEED_SAMPLES
        assert len(config.words or ()) == len(experiment.changes)


def test_what_an_experiment_decides_follows_from_its_cells_and_seeds():
    planned = find("gradients").config().plans
    ids = {claim.id for claim in decided_by(planned)}
    assert "gradients.identity.56.initial" in ids
    assert not any("final" in each or "table6.error" in each for each in ids)
    assert decided_by(planned[:-1]) != decided_by(planned)  # a seed of plain-56 is missing
    # The accident at a small budget is claimed of seeds from 3 on.
    assert {each.kind for each in decided_by(find("accident").config().plans)} == {"2022 project"}


def test_a_start_is_also_in_the_whole_recipe():
    start = {each.id for each in decided_by(find("warmup").config().plans)}
    assert "warmup.length" in start
    assert start <= {each.id for each in decided_by(find("table6").config().plans)}


def test_the_list_tells_what_is_done_and_what_is_left(tmp_path):
    first, second, *_ = find("tenth").config().plans
    recorded(tmp_path, first)
    recorded(tmp_path, second, precision="float32")  # in another precision it does not count
    rows = json.loads(bench(*LISTED, "--results", tmp_path).stdout)
    assert [row["experiment"] for row in rows] == list(load_experiments())
    (tenth,) = (row for row in rows if row["experiment"] == "tenth")
    assert (tenth["cells"], tenth["done"], tenth["seeds"]) == (20, 1, 5)
    assert tenth["claims"] == len(decided_by(find("tenth").config().plans)) >= 15
    assert tenth["hours_left"] is None
    told = bench("experiments", "tenth", "--no-hours", "--results", tmp_path).stdout
    assert "1 of 20 cells done, 5 seeds; – hours left." in told
    assert "iterations6400: 4 left, seeds 1, 2, 3 and 4" in told
    assert "tenth.plain.figure1.train: At a tenth of the paper's budget" in told


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["--experiment", "tenht"], [r"no experiment named 'tenht' \(did you mean tenth"]),
        (["--experiment", "tenth", "--fraction", "0.5"], ["fixes .*leave out --fraction$"]),
        (
            ["--experiment", "tenth", "--profile", "full", "--precision", "float32"],
            ["leave out --profile, --precision"],
        ),
        (["--experiment", "tenth", "--seed", "9"], ["--seed 9: .*tenth plans 0, 1, 2, 3, 4"]),
        (["--experiment", "tenth", "--models", "resnet18"], ["no model named 'resnet18'"]),
        (["--profile", "table6", "--start", "64000"], ["--start 64000: .*its start has fewer"]),
        (["--profile", "quick", "--start", "9"], ["--start 9: .*is told in epochs"]),
        (["--profile", "full", "--minutes", "5"], ["--minutes is about the whole profile quick"]),
        (["--minutes", "5", "--epochs", "9"], ["--minutes is about the whole profile quick"]),
    ],
)
def test_what_does_not_fit_is_refused(words, texts, tmp_path):
    done = bench("run", *words, "--device", "cpu", "--out", tmp_path / "out")
    assert_refused(done, 2, *texts)
    assert not (tmp_path / "out").exists()


def test_records_of_another_engine_are_refused_with_what_differs(tmp_path):
    plan = find("tenth").config().plans[0]
    recorded(tmp_path, plan, precision="float32")
    words = ["--experiment", "tenth", "--models", plan.cell.model, "--seed", "0", "--dry-run"]
    done = bench("run", *words, "--device", "cpu", "--out", tmp_path)
    assert_refused(done, 2, f"precision 'float32', now '{PRECISION}'", "--fresh")
    assert COMPILE == "off"


def test_records_of_another_machine_are_used_and_named(tmp_path):
    plan = find("tenth").config().plans[0]
    recorded(tmp_path, plan)
    words = ["--experiment", "tenth", "--models", plan.cell.model, "--seed", "0", "--dry-run"]
    done = bench("run", *words, "--device", "cpu", "--out", tmp_path)
    assert "1 cells, 1 finished before" in done.stdout
    assert "1 of them were made on another machine: " in done.stdout
