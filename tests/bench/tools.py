"""The program as a user runs it, and the page as a reader sees it."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import html5lib

ROOT = Path(__file__).parents[2]
HOSTILE = "<script>alert('x')</script> \"quoted\" & <b>bold</b>"


def bench(*arguments, stdout=subprocess.PIPE, **variables):
    """``python -m bench``; returns the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"} | variables,
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
def text_of(page):
    """What a reader sees, white space folded."""
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    for parent in tree.iter():
        for child in list(parent):
            if child.tag in ("script", "style"):
                parent.remove(child)
    return " ".join("".join(tree.itertext()).split())
