"""Event files: TensorBoard itself reads them back."""

import pytest

from bench.errors import UsageError
from bench.records import store
from bench.report import tensorboard
from tests.support.factories import make_failed, make_record
from tests.support.tools import HOSTILE, assert_refused, bench

pytest.importorskip("tensorboard")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData


def read(run):
    found = EventAccumulator(str(run))
    found.Reload()
    return found


def test_the_curves_are_those_of_the_epochs(tmp_path):
    record = make_record(18, recipe={"held_out_images": 100})
    tensorboard.write(tmp_path, [record])
    found = read(tmp_path / record.cell.id)
    assert set(found.Tags()["scalars"]) == {
        "accuracy/train", "accuracy/test", "accuracy/validation", "loss/train", "loss/test",
        "loss/validation", "learning rate", "images per second",
    }  # fmt: skip
    scalars = found.Scalars("accuracy/test")
    assert [each.step for each in scalars] == [1, 2, 3, 4]
    assert [each.value for each in scalars] == pytest.approx(
        [epoch.test_accuracy for epoch in record.epochs]
    )
    assert scalars[-1].wall_time == record.finished_at.timestamp()
    last = record.epochs[-1]
    assert scalars[-1].wall_time - scalars[-2].wall_time == pytest.approx(
        last.train_seconds + last.test_seconds
    )


def session(found, tag):
    content = found.SummaryMetadata(tag).plugin_data.content
    return HParamsPluginData.FromString(content)


def test_hyperparameters_status_and_the_cell_in_words(tmp_path):
    record, failed = make_record(18), make_failed(50, reason=HOSTILE)
    tensorboard.write(tmp_path, [record, failed])
    found = read(tmp_path / record.cell.id)
    start = session(found, hparams.SESSION_START_INFO_TAG).session_start_info
    told = dict(start.hparams)
    assert told["model"].string_value == "resnet18"
    assert told["recipe"].string_value == "quick"
    assert told["learning_rate"].number_value == record.recipe.learning_rate
    assert told["zero_init_residual"].bool_value is True
    assert session(found, hparams.SESSION_END_INFO_TAG).session_end_info.status == 1
    (text,) = found.Tensors("cell")
    words = text.tensor_proto.string_val[0].decode()
    assert words.startswith("# ResNet-18 on CIFAR-10\n")
    assert "| Batch size | 64 |" in words
    found = read(tmp_path / failed.cell.id)
    assert session(found, hparams.SESSION_END_INFO_TAG).session_end_info.status == 2
    (text,) = found.Tensors("cell")
    assert b"<script>" not in text.tensor_proto.string_val[0]


def test_the_same_record_is_written_again_and_another_run_refused(tmp_path):
    record = make_record(18)
    tensorboard.write(tmp_path, [record])
    (file,) = tmp_path.rglob("events*")
    before = file.read_bytes()
    tensorboard.write(tmp_path, [record])
    assert [path.read_bytes() for path in tmp_path.rglob("events*")] == [before]
    old = file.rename(file.with_name("events.out.tfevents.1.host"))
    with pytest.raises(UsageError, match="is of an older run, and TensorBoard would draw both as"):
        tensorboard.write(tmp_path, [make_record(34), record])
    assert list(tmp_path.rglob("events*")) == [old]  # none of the others either


def test_the_command_writes_all_records_or_one(tmp_path):
    for record in (make_record(18), make_record(34)):
        store.save(tmp_path / "runs", record)
    named = ["export", "--results", tmp_path, "--tensorboard", tmp_path / "events"]
    assert bench(*named, "--record", record.cell.id).returncode == 0
    assert [path.name for path in (tmp_path / "events").iterdir()] == [record.cell.id]
    done = bench(*named)
    assert done.stdout.startswith("2 runs written.")
    assert len(list((tmp_path / "events").iterdir())) == 2
    assert_refused(bench(*named, "--record", "x"), 2, "there is no record x in")
    assert_refused(bench(*named, "--hub", tmp_path), 2, "either --hub FOLDER or --tensorboard")
