"""scripts/setup.sh: the environment is made once, and a failure is one line that says why."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path):
    """A checkout with its scripts alone."""
    for name in ("pyproject.toml", "constraints.txt", "run_all.sh", "run_tests.sh", "scripts"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    return tmp_path


def fake_python(folder, *, venv="exit 0", pip="exit 0"):
    """A python3 whose venv makes a python whose pip and bench do as told."""
    inner = f"""#!/bin/sh
echo "$*" >> {folder}/calls
case "$*" in
  *"pip install"*) log=.venv/install.log; {pip} ;;
  *"-m bench"*) echo "ran: $*" ;;
esac
"""
    outer = f"""#!/bin/sh
case "$*" in
  *version_info*) exit 0 ;;
  --version) echo Python 3.99 ;;
  *venv*) mkdir -p .venv/bin && cp {folder}/inner .venv/bin/python; {venv} ;;
esac
"""
    for name, text in (("inner", inner), ("outer", outer)):
        (folder / name).write_text(text)
        (folder / name).chmod(stat.S_IRWXU)
    return folder / "outer"


def run(checkout, python, *arguments):
    return subprocess.run(
        ["./run_all.sh", *arguments],
        cwd=checkout,
        env=os.environ | {"PYTHON_FOR_VENV": str(python)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def installs(checkout):
    calls = (checkout / "calls").read_text().splitlines()
    return sum("pip install" in call for call in calls)


def test_arguments_reach_the_runner_and_a_second_call_reuses_the_environment(checkout):
    python = fake_python(checkout)
    first = run(checkout, python, "--profile", "smoke", "--fresh")
    assert first.returncode == 0, first.stderr
    assert "Setting up .venv with Python 3.99" in first.stdout
    assert "ran: -m bench run --profile smoke --fresh" in first.stdout
    second = run(checkout, python)
    assert second.stdout == "ran: -m bench run\n"
    assert installs(checkout) == 1


def test_changed_requirements_are_installed(checkout):
    python = fake_python(checkout)
    run(checkout, python)
    with (checkout / "constraints.txt").open("a") as file:
        file.write("# changed\n")
    run(checkout, python)
    assert installs(checkout) == 2


def test_an_installation_that_failed_is_tried_again(checkout):
    assert run(checkout, fake_python(checkout, pip="exit 1")).returncode == 1
    done = run(checkout, fake_python(checkout))
    assert done.returncode == 0
    assert "ran: -m bench run" in done.stdout


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full: "),
        ("ERROR: Could not install: Connection refused", "the package index cannot be reached"),
        ("ERROR: No matching distribution found for x==9", "lacks a pinned version: ERROR: No mat"),
        ("error: command 'gcc' failed", "installation failed: error: command 'gcc' failed"),
    ],
)
def test_a_failed_installation_says_why_in_one_line(checkout, log, reason):
    python = fake_python(checkout, pip=f'echo "{log}" > $log; exit 1')
    done = run(checkout, python)
    assert done.returncode == 1
    assert done.stderr.startswith("error: installation failed: ")
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "ran:" not in done.stdout


def test_a_python_without_venv_or_too_old_is_named_with_the_remedy(checkout):
    done = run(checkout, fake_python(checkout, venv="echo No module named venv; exit 1"))
    assert done.returncode == 1
    assert "no venv module: install it" in done.stderr
    done = run(checkout, "/no/such/python")
    assert done.returncode == 1
    assert re.match("error: Python 3.11 or newer is needed.*PYTHON_FOR_VENV=", done.stderr, re.S)
