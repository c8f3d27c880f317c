"""What is installed: the wheel holds all that the program needs, the image all that it copies."""

import os
import subprocess
import sys
import tomllib
import zipfile
from fnmatch import fnmatch

import pytest

from bench import __version__
from bench.records import store
from tests.support.factories import make_record
from tests.support.tools import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = ("bench", "resnet_models")
FILES = [
    path.relative_to(ROOT)
    for package in PACKAGES
    for path in (ROOT / package).rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
]


def test_every_file_beside_the_code_is_package_data():
    patterns = PROJECT["tool"]["setuptools"]["package-data"]
    beside = [path for path in FILES if path.suffix != ".py"]
    assert len(beside) > 30
    for path in beside:
        inside = path.relative_to(path.parts[0]).as_posix()
        assert any(fnmatch(inside, pattern) for pattern in patterns[path.parts[0]]), path


def python(*arguments, cwd, **variables):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd, env=os.environ | variables, capture_output=True, text=True, timeout=250,
    )  # fmt: skip


@pytest.mark.heavy
def test_the_wheel_works_where_nothing_else_of_the_project_is(tmp_path):
    """Built without network, and put where no checkout is on the path."""
    pytest.importorskip("setuptools")
    source, wheels, target = (tmp_path / name for name in ("source", "wheels", "target"))
    for path in (*FILES, *(ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE"))):
        copy = source / (path if path in FILES else path.name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / path).read_bytes())
    words = ["--no-deps", "--no-build-isolation", "--no-index", "-w", wheels, source]
    built = python("-m", "pip", "wheel", "-q", *words, cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    (wheel,) = wheels.glob("*.whl")
    assert wheel.name == f"resnet_bench-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        archive.extractall(target)
    assert held == {path.as_posix() for path in FILES}
    here = tmp_path / "here"
    store.save(here / "reports" / "runs", make_record())
    for words in (["models"], ["claims"], ["report"], ["schema", "record"]):
        done = python("-m", "bench", *words, cwd=here, PYTHONPATH=str(target))
        assert done.returncode == 0, done.stderr
    assert (here / "reports" / "index.html").exists()


@pytest.mark.heavy
def test_the_shell_is_told_commands_and_options(tmp_path):
    program = "import sys; sys.argv[0] = 'resnet-bench'; from bench.cli.app import main; main()"
    words = {"_TYPER_COMPLETE_ARGS": "", "_RESNET_BENCH_COMPLETE": "complete_bash"}
    for typed, offered in (("resnet-bench sp", "speed"), ("resnet-bench run --no-w", "--no-weigh")):
        variables = words | {"COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
        done = python("-c", program, cwd=ROOT, **variables)
        assert offered in done.stdout, done.stderr


def test_the_image_copies_what_is_there_and_in_its_context():
    context = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = {word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]}
    assert copied == context
    assert all((ROOT / name).exists() for name in copied)
    assert {*PACKAGES, PROJECT["project"]["readme"]} < copied
    assert 'ENTRYPOINT ["resnet-bench"]' in lines
    assert "resnet-bench" in PROJECT["project"]["scripts"]
