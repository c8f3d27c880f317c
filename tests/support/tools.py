"""The program as a user runs it, and the page as a reader sees it."""

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

import lxml.html
import pytest

from bench.cli.app import main

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"COLUMNS": "200", "NO_COLOR": "1"}
HOSTILE = "<script>alert('x')</script> \"quoted\" & <b>bold</b>"


def bench(*arguments, **variables):
    """The command line in this process, which has torch imported already: as a finished one."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (ENVIRONMENT | variables).items():
            patch.setenv(name, value)
        patch.setattr("sys.argv", ["python -m bench", *map(str, arguments)])
        patch.setattr("signal.signal", lambda *_: None)  # the signals are pytest's
        kept = io.BytesIO(), io.BytesIO()
        out, err = (io.TextIOWrapper(each, "utf-8", write_through=True) for each in kept)
        code: Any = 0
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
            except SystemExit as end:
                code = end.code or 0
    return subprocess.CompletedProcess([], code, *(each.getvalue().decode() for each in kept))


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
