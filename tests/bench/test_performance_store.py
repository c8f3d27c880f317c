"""Speed records on disk: a damaged file is a sentence and hides no other."""

import pytest

from bench.errors import StorageError
from bench.performance.store import MACHINE, load_speed, save_limits, save_record
from tests.bench.speeds import make_limits, make_speed_record, make_workload


def test_records_and_limits_come_back_by_id(tmp_path):
    workloads = [make_workload(precision=precision) for precision in ("float32", "bfloat16")]
    records = [make_speed_record(workload) for workload in workloads]
    for record in records:
        save_record(tmp_path, record)
    save_limits(tmp_path, make_limits())
    loaded, limits, problems = load_speed(tmp_path)
    assert loaded == records[::-1]
    assert (limits, problems) == (make_limits(), [])


def test_a_new_record_replaces_the_old_one(tmp_path):
    save_record(tmp_path, make_speed_record())
    newer = make_speed_record(rounds=((0.5,),))
    save_record(tmp_path, newer)
    assert load_speed(tmp_path)[0] == [newer]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path):
    assert load_speed(tmp_path / "speed") == ([], None, [])


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("cut.json", '{"schema_version": 1, "wor', "Invalid JSON"),
        ("list.json", "[]", "Input should be an object"),
        (MACHINE, "{}", "command: Field required"),
        ("new.json", '{"schema_version": 9}', "schema_version: Input should be 1"),
    ],
)
def test_damaged_files_become_problems_in_words(tmp_path, name, text, why):
    save_record(tmp_path, make_speed_record())
    (tmp_path / name).write_text(text)
    records, limits, (problem,) = load_speed(tmp_path)
    assert records == [make_speed_record()]
    assert limits is None
    assert problem.startswith(f"{tmp_path / name} is not a valid speed record: ")
    assert why in problem
    assert problem.endswith("Delete it and measure again with python -m bench speed.")


def test_a_record_under_another_name_is_a_problem(tmp_path):
    save_record(tmp_path, make_speed_record())
    path = tmp_path / f"{make_workload().id}.json"
    path.rename(tmp_path / "other.json")
    records, _, (problem,) = load_speed(tmp_path)
    assert records == []
    assert f"it is that of {make_workload().id}" in problem


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path):
    (tmp_path / "folder.json").mkdir()
    assert "Is a directory" in load_speed(tmp_path)[2][0]


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "speed").write_text("a file")
    with pytest.raises(StorageError, match="cannot write"):
        save_record(tmp_path / "speed", make_speed_record())
