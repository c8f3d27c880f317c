"""Predicted classes survive the disk, and no other file passes for them."""

import io
from hashlib import sha256

import numpy as np
import pytest

from bench.errors import BenchError
from bench.records import predictions, store
from bench.records.schema import Predictions
from tests.support.factories import make_record

PREDICTED = np.arange(10_000, dtype=np.uint8) % 10
LABELS = PREDICTED[::-1].copy()


def with_predictions(content, **changes):
    named = Predictions(images=10_000, sha256=sha256(content).hexdigest())
    return make_record(predictions=named, **changes)


@pytest.fixture
def saved(tmp_path):
    content = predictions.encode(PREDICTED, LABELS)
    record = with_predictions(content)
    return record, store.save(tmp_path, record, content)


def test_round_trip(tmp_path, saved):
    record, folder = saved
    assert store.load(folder) == record
    predicted, labels = store.load_predictions(tmp_path, record)
    np.testing.assert_array_equal(predicted, PREDICTED)
    np.testing.assert_array_equal(labels, LABELS)
    assert (folder / store.PREDICTIONS_FILE).stat().st_size < 20_200
    # Anybody's NumPy reads it.
    np.testing.assert_array_equal(np.load(folder / store.PREDICTIONS_FILE), [PREDICTED, LABELS])


def test_a_record_without_them_has_none_and_removes_those_of_the_one_before(tmp_path, saved):
    _, folder = saved
    store.save(tmp_path, make_record())
    assert not (folder / store.PREDICTIONS_FILE).exists()
    assert store.load_predictions(tmp_path, make_record()) is None


def test_the_files_of_two_runs_never_pass_for_one(tmp_path, saved):
    record, folder = saved
    other = predictions.encode(LABELS, LABELS)
    (folder / store.PREDICTIONS_FILE).write_bytes(other)
    with pytest.raises(BenchError, match=r"predictions\.npy: its hash is not the one in the rec"):
        store.load_predictions(tmp_path, record)


def array_file(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"garbage", "allow_pickle"),
        (array_file(np.zeros((2, 3))), r"an array of float64 \(2, 3\), not"),
        (array_file(PREDICTED), r"an array of uint8 \(10000,\), not"),
        (array_file(np.array([{}], dtype=object), allow_pickle=True), "allow_pickle"),
    ],
    ids=["empty", "garbage", "floats", "one row", "pickle"],
)
def test_what_is_no_array_of_classes_is_refused(tmp_path, content, message):
    record = with_predictions(content)
    folder = store.save(tmp_path, record, content)
    with pytest.raises(BenchError, match=message) as caught:
        store.load_predictions(tmp_path, record)
    assert str(folder / store.PREDICTIONS_FILE) in str(caught.value)
    assert "Run its cell again" in str(caught.value)


def test_a_lost_file_is_named(tmp_path, saved):
    record, folder = saved
    (folder / store.PREDICTIONS_FILE).unlink()
    with pytest.raises(BenchError, match=r"cannot read .*predictions\.npy: No such file"):
        store.load_predictions(tmp_path, record)
