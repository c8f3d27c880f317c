"""Speed records, limits and evaluations on disk: whole, or named with what is wrong."""

import json

import pytest

from bench.errors import StorageError
from bench.records.store import load_speed, save_file
from tests.support.results import make_speed
from tests.support.speeds import make_limits, make_workload


def test_round_trip(tmp_path):
    slow, fast = make_speed(), make_speed(make_workload(direction="inference"))
    limits = make_limits()
    assert save_file(tmp_path, slow) == tmp_path / f"{slow.workload.id}.json"
    save_file(tmp_path, fast)
    assert save_file(tmp_path, limits) == tmp_path / "machine.json"
    assert load_speed(tmp_path) == ([fast, slow], limits, [])


def test_an_absent_folder_holds_nothing(tmp_path):
    assert load_speed(tmp_path / "speed") == ([], None, [])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"schema_version": 2}, "it has schema version 2, this program reads 1"),
        ({"schema_version": 2, "new": 1}, "it has schema version 2, this program reads 1"),
        ({"rounds": [[float("nan")]]}, "rounds.0.0: Input should be a finite number"),
        ({"rounds": [[-1]]}, "rounds.0.0: Input should be greater than 0"),
        ({"rounds": []}, "completed without a sample"),
        ({"rounds": [["1\x1b[31m"]]}, "rounds.0.0: Input should be a valid number"),
        ({"\x1b[31mred": 1}, r"'\x1b[31mred': Extra inputs are not permitted"),
        ({"workload": None}, "workload: Input should be an object"),
        ({"parameters": 0}, "parameters: Input should be greater than 0"),
    ],
)
def test_a_damaged_record_is_named_and_hides_no_other(tmp_path, changes, why):
    good = make_speed(make_workload(model="resnet34"))
    save_file(tmp_path, good)
    path = save_file(tmp_path, make_speed())
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    records, limits, (problem,) = load_speed(tmp_path)
    assert (records, limits) == ([good], None)
    assert problem.startswith(f"{path} is not a valid speed record: ")
    assert why in problem
    assert problem.endswith("Delete it, and python -m bench speed measures it again.")
    assert problem.isprintable()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null", b"[]"])
def test_what_is_no_json_or_no_object_is_named(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    (tmp_path / "machine.json").write_bytes(content)
    records, limits, problems = load_speed(tmp_path)
    assert (records, limits, len(problems)) == ([], None, 2)


def test_other_damage_is_named(tmp_path):
    path = save_file(tmp_path, make_speed())
    path.rename(tmp_path / "a.json")
    save_file(tmp_path, make_speed())
    path.write_text(path.read_text().replace('"resnet18"', '"resnet19"'))
    (tmp_path / "s.json").mkdir()
    records, _, (other_name, no_network, folder) = load_speed(tmp_path)
    assert records == []
    assert f"it is that of {path.stem}" in other_name
    assert "resnet19" in no_network
    assert "Is a directory" in folder


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        save_file(tmp_path / "file", make_speed())
