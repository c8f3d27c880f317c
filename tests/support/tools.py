"""The program as a user runs it, and the page as a reader sees it."""

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import lxml.html
import pytest

from bench.cli.app import main

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"COLUMNS": "200", "NO_COLOR": "1"}
HOSTILE = "<script>alert('x')</script> \"quoted\" & <b>bold</b>"


@dataclass(frozen=True)
class Done:
    """What ``python -m bench`` would have left, had it run in a process of its own."""

    returncode: int
    stdout: str
    stderr: str


def bench(*arguments, **variables):
    """The command line in this process, which has torch imported already."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (ENVIRONMENT | variables).items():
            patch.setenv(name, value)
        patch.setattr("sys.argv", ["python -m bench", *map(str, arguments)])
        patch.setattr("signal.signal", lambda *_: None)  # the signals are pytest's
        out, err = Output(), Output()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
            except SystemExit as end:
                code = end.code
            else:
                code = 0
    return Done(code or 0, out.text(), err.text())


class Output(io.TextIOWrapper):
    """Standard output or standard error, kept."""

    def __init__(self):
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def text(self):
        return self.buffer.getvalue().decode()


def bench_process(*arguments, stdout=subprocess.PIPE, **variables):
    """``python -m bench`` as a user starts it; returns the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | ENVIRONMENT | variables,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=250,
    )


def assert_refused(done, code, *texts):
    assert done.returncode == code, done.stderr
    assert "Traceback" not in f"{done.stderr}{done.stdout}"
    for text in texts:
        assert re.search(text, done.stderr), done.stderr


@cache
def parsed(page):
    """The tree of a page."""
    parser = lxml.html.HTMLParser(remove_comments=True, huge_tree=True)
    return lxml.html.document_fromstring(page, parser)


@cache
def text_of(page):
    """What a reader sees, white space folded."""
    shown = parsed(page).xpath("//text()[not(ancestor::script or ancestor::style)]")
    return " ".join("".join(shown).split())
