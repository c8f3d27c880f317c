"""Records survive the disk unchanged; what is damaged is named and never believed."""

import errno
import json
import os
from typing import Any
from unittest.mock import Mock

import pytest
from pydantic import ValidationError

from bench.config import recipes
from bench.config.cell import Cell
from bench.errors import BenchError
from bench.records import store
from bench.records.schema import SCHEMA_VERSION, Course, Engine, Signals
from tests.support.factories import make_failed, make_record, make_signals


@pytest.fixture
def stored(tmp_path):
    return store.save(tmp_path, make_record())


EPOCHS = make_record().epochs
RECORDS = {
    "quick": make_record(),
    "diverged": make_record(
        epochs=(*EPOCHS[:-1], EPOCHS[-1].model_copy(update={"train_loss": float("inf")}))
    ),
    "failed": make_failed(reason="<b>0 & 1</b>\n\x00"),
    "iterations": make_record(
        110,
        network="cifar_resnet",
        recipe=recipes.hold_out(recipes.paper_cifar(warmup=True), 5000),
        engine=Engine(
            precision="float16", micro_batch_size=32, compiled=True, cuda_graph=True,
            deterministic=True, tf32=False,
        ),
        course=Course(resumes=2, checkpoints=9, checkpoint_seconds=1.5, warmup_steps=400),
    ),
    "frozen": make_record(
        50,
        lineage="project2022",
        recipe=recipes.project2022("cifar10", epochs=3, freeze_weights_after_epoch=2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_round_trip(tmp_path, record):
    assert store.find(tmp_path, record.cell) is None
    folder = store.save(tmp_path, record)
    assert json.loads((folder / store.RECORD_FILE).read_text())["schema_version"] == SCHEMA_VERSION
    assert store.load(folder) == store.find(tmp_path, record.cell) == record


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "damaged"),
        ('{"schema_version": 1', "damaged"),
        pytest.param("[" * 100_000, "damaged", id="deep"),
        ("[1, 2]", "does not hold a record"),
        ("\udcff", "damaged"),
        pytest.param(r'{"schema_version": 3, "profile": "\ud800"}', "damaged", id="surrogate"),
        ("{}", "schema version None"),
        ('{"schema_version": "6"}', "schema version '6', this program reads 1, 2, 3, 4, 5, 6, 7"),
        ('{"schema_version": 1}', "does not belong to the record.json"),
        ('{"schema_version": 3}', "does not belong to the record.json"),
    ],
)
def test_garbage_is_named_with_the_remedy(stored, content, message):
    path = stored / store.RECORD_FILE
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(BenchError, match=f"{message}.*Delete the folder {stored}"):
        store.load(stored)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cell": None}, "not a valid record: cell: Input should be an object"),
        ({"surprise": 1}, "surprise: Extra inputs"),
    ],
)
def test_wrong_fields_are_refused(stored, changes, message):
    path = stored / store.RECORD_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(BenchError, match=message):
        store.load(stored)


@pytest.mark.parametrize(
    ("part", "key", "value", "message"),
    [
        ("cell", "model", "resnet19", "cell: .*no model named 'resnet19'"),
        ("cell", "lineage", "v2", "cell.lineage: Input should be"),
        ("recipe", "optimizer", "lion", "recipe.optimizer: Input should be"),
        ("recipe", "mixup", 0.2, "recipe.mixup: Extra inputs"),
    ],
)
def test_a_record_of_an_unknown_network_or_recipe_is_no_damage(stored, part, key, value, message):
    path = stored / store.RECORD_FILE
    content = json.loads(path.read_text())
    content[part][key] = value
    path.write_text(json.dumps(content))
    with pytest.raises(store.ForeignRecordError, match=message) as caught:
        store.load(stored)
    assert "Another version made it, which reads it: it stays." in str(caught.value)
    assert "Delete" not in str(caught.value)
    content["status"] = "lost"  # a damage beside it
    path.write_text(json.dumps(content))
    with pytest.raises(BenchError, match="Delete the folder"):
        store.load(stored)


def test_a_record_of_a_newer_version_is_no_damage(stored):
    path = stored / store.RECORD_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 99}))
    with pytest.raises(
        store.ForeignRecordError, match=r"99, this program reads up to \d+\."
    ) as told:
        store.load(stored)
    assert "A newer version of it made the record, and reads it: it stays." in str(told.value)


def test_lost_or_foreign_epochs_are_noticed(stored):
    path = stored / store.EPOCHS_FILE
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(BenchError, match=r"epochs.jsonl does not belong to the record.json"):
        store.load(stored)
    path.unlink()
    with pytest.raises(BenchError, match="cannot read"):
        store.load(stored)


def test_a_record_in_the_wrong_folder_is_refused(stored):
    moved = stored.rename(stored.with_name("elsewhere"))
    with pytest.raises(BenchError, match="not of its folder"):
        store.load(moved)


def test_one_bad_record_does_not_hide_the_good_ones(tmp_path):
    good = make_record(18)
    store.save(tmp_path, good)
    bad = store.save(tmp_path, make_record(50))
    (bad / store.RECORD_FILE).write_text("garbage")
    records, (problem,) = store.load_all(tmp_path)
    assert records == [good]
    assert str(bad) in problem


@pytest.mark.parametrize("failing_call", [1, 2])
def test_a_full_disk_while_replacing_a_record_keeps_the_old_one(stored, monkeypatch, failing_call):
    old = store.load(stored)
    no_space = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    results = [None] * (failing_call - 1) + [no_space]
    monkeypatch.setattr(os, "fsync", Mock(side_effect=results))
    with pytest.raises(BenchError, match=r"cannot write .*No space left.*--out"):
        store.save(stored.parent, make_record(reason="new", status="failed"))
    assert store.load(stored) == old
    assert {path.name for path in stored.iterdir()} == {store.RECORD_FILE, store.EPOCHS_FILE}


@pytest.mark.parametrize("part", ["train", "test", "validation"])
def test_more_correct_predictions_than_images_are_refused(part):
    epoch = make_record(recipe={"held_out_images": 10}).epochs[0]
    too_many = getattr(epoch, f"{part}_images") + 1
    with pytest.raises(ValidationError, match="more correct predictions than images"):
        type(epoch)(**{**epoch.model_dump(), f"{part}_correct": too_many})


@pytest.mark.parametrize("part", ["response_std", "input_gradient_norm"])
def test_signals_need_a_value_for_each_layer_and_block(part):
    signals = make_signals(make_record())[0].model_dump()
    with pytest.raises(ValidationError, match="not one value for each layer and block"):
        Signals(**signals | {part: (1.0,)})


def test_a_cell_that_does_not_exist_is_refused():
    cell = make_record().cell.model_dump()
    with pytest.raises(ValidationError, match="no model named 'resnet19'"):
        Cell(**cell | {"model": "resnet19"})
    with pytest.raises(ValidationError, match="resnet18 with shortcut 'none' does not exist"):
        Cell(**cell | {"shortcut": "none"})


def test_unfinished_budgets_are_refused():
    with pytest.raises(ValidationError, match="not numbered"):
        make_record(epochs=EPOCHS[1:], status="failed")
    with pytest.raises(ValidationError, match="completed with 3 of 4 epochs"):
        make_record(epochs=EPOCHS[:3])
    paper: dict[str, Any] = {"network": "cifar_resnet", "recipe": recipes.paper_cifar(warmup=False)}
    epochs = make_record(20, **paper).epochs
    with pytest.raises(ValidationError, match="completed with 63733 of 64000 iterations"):
        make_record(20, epochs=epochs[:-1], **paper)
    make_record(20, epochs=epochs[:-1], status="failed", **paper)
