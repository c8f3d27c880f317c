"""Predicted classes survive the disk, and no other file passes for them."""

import io
from hashlib import sha256

import numpy as np
import pytest

from bench.errors import BenchError
from bench.records import store
from bench.records.schema import Predictions
from tests.support.factories import make_record

PREDICTED = np.arange(10_000, dtype=np.uint8) % 10
CLASSES = np.stack([PREDICTED, PREDICTED[::-1]])


def file_of(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


@pytest.fixture
def saved(tmp_path):
    folder = store.save(tmp_path, make_record(), CLASSES)
    return store.load(folder), folder


def test_round_trip(tmp_path, saved):
    record, folder = saved
    content = (folder / store.PREDICTIONS_FILE).read_bytes()
    named = Predictions(images=10_000, sha256=sha256(content).hexdigest())
    assert record == make_record(predictions=named)
    np.testing.assert_array_equal(store.load_predictions(tmp_path, record), CLASSES)
    assert len(content) < 20_200


def test_a_record_without_them_has_none_and_removes_those_of_the_one_before(tmp_path, saved):
    _, folder = saved
    store.save(tmp_path, make_record())
    assert not (folder / store.PREDICTIONS_FILE).exists()
    assert store.load_predictions(tmp_path, make_record()) is None


def test_the_files_of_two_runs_never_pass_for_one(tmp_path, saved):
    record, folder = saved
    (folder / store.PREDICTIONS_FILE).write_bytes(file_of(CLASSES[::-1]))
    with pytest.raises(BenchError, match=r"predictions\.npy: its hash is not the one in the rec"):
        store.load_predictions(tmp_path, record)
    (folder / store.PREDICTIONS_FILE).unlink()
    with pytest.raises(BenchError, match=r"cannot read .*predictions\.npy: No such file"):
        store.load_predictions(tmp_path, record)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"garbage", "allow_pickle"),
        (file_of(np.zeros((2, 3))), r"an array of float64 \(2, 3\), not"),
        (file_of(PREDICTED), r"an array of uint8 \(10000,\), not"),
        (file_of(np.array([{}], dtype=object), allow_pickle=True), "allow_pickle"),
    ],
    ids=["empty", "garbage", "floats", "one row", "pickle"],
)
def test_what_is_no_array_of_classes_is_refused(tmp_path, content, message):
    named = Predictions(images=10_000, sha256=sha256(content).hexdigest())
    record = make_record(predictions=named)
    path = store.save(tmp_path, record) / store.PREDICTIONS_FILE
    path.write_bytes(content)
    with pytest.raises(BenchError, match=f"{path}: .*{message}.*Run its cell again"):
        store.load_predictions(tmp_path, record)
