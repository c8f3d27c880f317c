"""Tables in every format, to standard output or a file, and lists with commas."""

import csv
import io
import json

import pandas as pd
import pytest

from bench.cli.output import print_rows, written_to
from bench.cli.shared import console, folders
from bench.errors import UsageError
from tests.support.tools import assert_refused, bench

FRAME = pd.DataFrame(
    {"name": ["a_b|c", "d"], "count": pd.array([2**60, None], "Int64"), "share": [1 / 3, None]}
)


def printed(capsys, form):
    print_rows(FRAME, form)
    return capsys.readouterr().out


def test_json_has_every_digit_and_null_for_what_is_missing(capsys):
    assert json.loads(printed(capsys, "json")) == [
        {"name": "a_b|c", "count": 2**60, "share": 1 / 3},
        {"name": "d", "count": None, "share": None},
    ]


def test_csv_has_every_digit_and_nothing_for_what_is_missing(capsys):
    first, second = csv.DictReader(io.StringIO(printed(capsys, "csv")))
    assert (first["name"], int(first["count"]), float(first["share"])) == ("a_b|c", 2**60, 1 / 3)
    assert second == {"name": "d", "count": "", "share": ""}


def test_markup_is_escaped(capsys):
    lines = printed(capsys, "markdown").splitlines()
    assert lines[2] == f"| a\\_b\\|c | {2**60} | {1 / 3} |"
    assert lines[3] == "| d |  |  |"
    text = printed(capsys, "latex")
    assert rf"a\_b|c & {2**60} & {1 / 3} \\" in text
    assert r"d &  &  \\" in text


def test_a_file_gets_all_or_nothing_and_no_colour(tmp_path, monkeypatch, capsys):
    file = tmp_path / "new" / "out.txt"
    with pytest.raises(ZeroDivisionError), written_to(file):
        print(1, 1 / 0)
    assert not file.exists()
    monkeypatch.setattr(console, "_color_system", 3)
    with written_to(file):
        console.print("word", style="bold red")
    assert file.read_text() == "word\n"
    with (
        pytest.raises(UsageError, match=r"--output .*: no file can be written there"),
        written_to(tmp_path),
    ):
        pass
    with written_to(None):
        print("shown")
    assert capsys.readouterr().out == "shown\n"


@pytest.mark.parametrize("command", [["models"], ["models", "resnet18"], ["models", "--table1"]])
@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown", "latex"])
def test_what_is_printed_is_what_is_written(command, form, tmp_path):
    shown = bench(*command, "--format", form)
    assert shown.returncode == 0, shown.stderr
    assert bench(*command, "--format", form, "--output", tmp_path / "f").stdout == ""
    assert (tmp_path / "f").read_text() == shown.stdout


@pytest.mark.parametrize(
    ("command", "option", "form"),
    [(["claims", "--results", "."], "--json", "json"), (["models"], "--csv", "csv")],
)
def test_older_options_still_work(command, option, form):
    assert bench(*command, option).stdout == bench(*command, "--format", form).stdout


def test_an_unknown_format_exits_with_2():
    assert_refused(bench("models", "--format", "pdf"), 2, "'pdf' is not one of 'table'")


def test_folders_come_one_by_one_or_with_commas(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b").mkdir()
    assert [str(path) for path in folders(["a,b", "c, d", "e"])] == ["a,b", "c", "d", "e"]
    assert folders(None) == []
