"""Records of older versions read as they always did; newer ones than today's are refused."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from bench.config import recipes
from bench.config.recipe import LinearSchedule, Recipe
from bench.errors import BenchError
from bench.records import store
from bench.records.migrate import to_current
from bench.records.schema import SCHEMA_VERSION
from tests.support.factories import make_failed, make_record

PUBLISHED = Path(__file__).parents[3] / "reports" / "published" / "cpu-2-cores-2026-11-24" / "runs"
FOLDERS = sorted(path for path in PUBLISHED.iterdir() if path.is_dir())
NEW_IN_3, NEW_IN_5 = {"signals", "predictions"}, {"clean_training", "weights"}


def version_1(record):
    """``record`` in the words of version 1, and its epochs."""
    content = record.model_dump(
        mode="json", exclude={"epochs", "engine", "course", *NEW_IN_3, *NEW_IN_5}
    )
    content["schema_version"] = 1
    content["precision"] = record.engine.precision
    del content["cell"]["shortcut"]
    recipe = content["recipe"]
    recipe["warmup_fraction"] = recipe.pop("schedule")["warmup_fraction"]
    later = (
        "iterations held_out_images normalisation initialization freeze_weights_after_epoch "
        "norm_batch_size"
    )
    for name in later.split():
        del recipe[name]
    new = {"steps", "validation_images", "validation_correct", "validation_loss"}
    return content, [epoch.model_dump(mode="json", exclude=new) for epoch in record.epochs]


def write(folder, content, epochs):
    text = "".join(json.dumps(epoch) + "\n" for epoch in epochs)
    content = content | {"epochs_sha256": hashlib.sha256(text.encode()).hexdigest()}
    folder.mkdir(parents=True)
    (folder / store.EPOCHS_FILE).write_text(text)
    (folder / store.RECORD_FILE).write_text(json.dumps(content))
    return folder


def test_there_is_something_to_read():
    assert len(FOLDERS) == 10


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_published_record_is_read_and_left_as_it_is(folder):
    files = [folder / store.RECORD_FILE, folder / store.EPOCHS_FILE]
    before = [path.read_bytes() for path in files]
    content = json.loads(before[0])
    assert content["schema_version"] == 1
    record = store.load(folder)
    assert [path.read_bytes() for path in files] == before
    assert record.cell.id == folder.name
    assert (record.cell.shortcut, record.cell.stem) == ("B", "imagenet")
    assert record.engine.precision == content["precision"]
    assert (record.engine.tf32, record.engine.compiled, record.course.resumes) == (None, False, 0)
    told = content["recipe"]
    assert record.recipe == Recipe(
        **{name: value for name, value in told.items() if name != "warmup_fraction"},
        schedule=LinearSchedule(warmup_fraction=told["warmup_fraction"]),
        held_out_images=0,
        normalisation="dataset",
        initialization="he",
    )
    last = json.loads(before[1].splitlines()[-1])
    assert record.final.model_dump(include=set(last)) == last
    assert [epoch.steps * 64 for epoch in record.epochs] == [last["train_images"]] * 4
    for name in ("environment", "cost", "speed", "peak_memory"):
        assert getattr(record, name).model_dump(mode="json") == content[name]


WHOLE_PASSES = make_record(34, stem="cifar", recipe={"images_per_epoch": None, "batch_size": 128})


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(make_record(18), id="quick"),
        pytest.param(make_record(50, "mnist", seed=2, lineage="torchvision"), id="torchvision"),
        pytest.param(WHOLE_PASSES, id="whole passes"),
        pytest.param(make_failed(18), id="failed"),
    ],
)
def test_a_record_of_version_1_becomes_that_of_today(tmp_path, record):
    content, epochs = version_1(record)
    assert store.load(write(tmp_path / record.cell.id, content, epochs)) == record


@pytest.mark.parametrize("version", [2, 3])
def test_a_record_of_version_2_or_3_has_not_what_came_later(tmp_path, version):
    record = make_record(110, network="cifar_resnet", recipe=recipes.paper_cifar(warmup=True))
    content = record.model_dump(mode="json", exclude={"epochs", *NEW_IN_3, *NEW_IN_5})
    epochs = [epoch.model_dump(mode="json") for epoch in record.epochs]
    del content["course"]["uncaptured"]
    content["schema_version"] = version
    found = store.load(write(tmp_path / record.cell.id, content, epochs))
    assert found == record
    assert (found.schema_version, found.signals, found.predictions) == (SCHEMA_VERSION, (), None)


def test_a_record_of_version_4_knows_no_clean_training_error(tmp_path):
    record = make_record(18)
    content = record.model_dump(mode="json", exclude={"epochs", *NEW_IN_5})
    del content["recipe"]["norm_batch_size"]
    epochs = [epoch.model_dump(mode="json") for epoch in record.epochs]
    content["schema_version"] = 4
    found = store.load(write(tmp_path / record.cell.id, content, epochs))
    assert (found.schema_version, found.clean_training) == (SCHEMA_VERSION, None)
    assert found == record


def test_a_record_of_version_6_kept_no_weights(tmp_path):
    record = make_record(18)
    content = record.model_dump(mode="json", exclude={"epochs", "weights"})
    epochs = [epoch.model_dump(mode="json") for epoch in record.epochs]
    content["schema_version"] = 6
    found = store.load(write(tmp_path / record.cell.id, content, epochs))
    assert (found.schema_version, found.weights) == (SCHEMA_VERSION, None)
    assert found == record


def test_an_epoch_with_a_short_last_batch_had_one_more_step():
    _, epochs = to_current(*version_1(WHOLE_PASSES))
    assert [epoch["steps"] for epoch in epochs] == [391] * 4  # 50,000 / 128 = 390.6


def test_a_gpu_had_tf32_on_as_torch_does_by_itself(tmp_path):
    record = make_record(18)
    environment = record.environment.model_copy(update={"device": "cuda", "cuda": "13.0"})
    content, epochs = version_1(record.model_copy(update={"environment": environment}))
    assert store.load(write(tmp_path / record.cell.id, content, epochs)).engine.tf32 is True


def test_a_record_of_today_stays_as_it_is():
    content = {"schema_version": SCHEMA_VERSION, "anything": 1}
    assert to_current(content, [{}]) == (content, [{}])


DAMAGED = r"epochs\.jsonl is damaged: not a record of version 1"
OTHER = r"schema version .*, this program reads 1, 2, 3, 4, 5, 6, 7\. Delete the folder"


@pytest.mark.parametrize(
    ("change", "epoch", "message"),
    [
        ({"recipe": None}, {}, DAMAGED),
        ({"recipe": {"batch_size": 64}}, {}, DAMAGED),
        ({"cell": None}, {}, DAMAGED),
        ({"environment": {}}, {}, DAMAGED),
        ({"precision": "int8"}, {}, r"engine\.precision: Input should be"),
        ({}, {"train_images": "many"}, DAMAGED),
        ({}, {"train_images": None}, DAMAGED),
        *(({"schema_version": v}, {}, OTHER) for v in (0, "1", None, [1])),
    ],
)
def test_a_damaged_record_of_version_1_is_named_with_the_remedy(tmp_path, change, epoch, message):
    record = make_record(18)
    content, epochs = version_1(record)
    folder = write(tmp_path / record.cell.id, content | change, [epochs[0] | epoch, *epochs[1:]])
    with pytest.raises(BenchError, match=message) as caught:
        store.load(folder)
    assert re.search(r"record\.json .*Delete the folder .* run its cell again", str(caught.value))
