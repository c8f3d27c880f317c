"""``run --dry-run``, and the question before a run of an hour or more."""

import re

import pytest
from typer import Exit

from bench.cli import ahead
from bench.config.profiles import make
from bench.runner import estimate
from bench.runner.estimate import Estimate
from tests.support.grids import make_options
from tests.support.tools import bench

PLANS = make("lecture", has_gpu=False).plans
ASKED = "Go on?"


@pytest.fixture
def takes(monkeypatch):
    """Make the four cells take so many seconds in all, on a terminal where ``answer`` is given."""

    def take(seconds, answer=None):
        found = [Estimate(each, seconds / 4, "a step tried now") for each in PLANS]
        monkeypatch.setattr(estimate, "estimate", lambda *_: found)
        monkeypatch.setattr("sys.stdin.isatty", lambda: answer is not None, raising=False)
        asked = []

        def confirm(text):
            asked.append(text)
            return answer

        monkeypatch.setattr(ahead, "confirm", confirm)
        return asked

    return take


def ask(tmp_path, *, yes=False):
    ahead.ask(PLANS, make_options(tmp_path), yes=yes)


def test_hours_are_told_and_asked_about_on_a_terminal(tmp_path, takes, capsys):
    asked = takes(7300, answer=True)
    ask(tmp_path)
    assert asked == [ASKED]
    assert "In all about 2 h 01 min, by a step tried now." in capsys.readouterr().out


def test_a_no_runs_nothing(tmp_path, takes, capsys):
    takes(7300, answer=False)
    with pytest.raises(Exit):
        ask(tmp_path)
    assert "Nothing was run." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "answer", "yes", "told"),
    [(7300, False, True, True), (7300, None, False, True), (3599, False, False, False)],
    ids=["--yes", "no terminal", "less than an hour"],
)
def test_nothing_is_asked(tmp_path, takes, capsys, seconds, answer, yes, told):
    asked = takes(seconds, answer)
    ask(tmp_path, yes=yes)
    assert asked == []
    assert ("In all about" in capsys.readouterr().out) == told


def test_a_dry_run_tells_each_cell_and_writes_nothing(tmp_path, takes):
    takes(2400)
    done = bench("run", "--profile", "lecture", "--device", "cpu", "--out", tmp_path, "--dry-run")
    assert done.returncode == 0
    for each in PLANS:
        assert re.search(rf"{each.cell.id} +10 min 00 s +a step tried now", done.stdout)
    assert "In all about 40 min 00 s" in done.stdout
    assert "Nothing was run." in done.stdout
    assert not list(tmp_path.iterdir())
