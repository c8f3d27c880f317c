"""The page by the rules of HTML, as html-validate knows them: what may stand in what."""

import hashlib
import json
import shutil
import subprocess
import tempfile
from functools import cache, partial
from pathlib import Path

import pytest

from bench.data.sources import default_data_dir
from bench.records import blocks
from tests.support.block_files import content, four_timings, timing, write
from tests.support.factories import make_record
from tests.support.pages import odd_page, page_of, render
from tests.support.tools import HOSTILE, ROOT

PINNED = Path(__file__).parent / "html_validate"
TEXTS = {"hostile": HOSTILE, "end of script": "</script></style><!--", "control": "\x1b[31mred\x00"}


@cache
def odd_blocks():
    """A page with timings of blocks whose every text is hostile."""
    with tempfile.TemporaryDirectory() as folder:
        hostile = timing(0.1, stage=HOSTILE, block=HOSTILE, lineage=HOSTILE, dtype=HOSTILE)
        machine = content()["machine_info"] | {"device_name": HOSTILE}
        path = write(Path(folder), content(hostile, *four_timings(), machine_info=machine))
        return render([make_record()], [], blocks=blocks.load(path))


KINDS = ("empty", "failed", "project2022", "signals", "table6")
PAGES = (
    {name: partial(page_of, name, figures=True) for name in KINDS}
    | {name: partial(odd_page, text) for name, text in TEXTS.items()}
    | {"blocks": odd_blocks}
)


def install(folder):
    """What the lock file names, with its checksums, in ``folder``; skips where that fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PINNED / name, work)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            subprocess.run(command, cwd=work, check=True, capture_output=True, timeout=250)
        except FileNotFoundError:
            pytest.skip("npm is not installed")
        except subprocess.SubprocessError as error:
            pytest.skip(f"html-validate cannot be fetched: {error}")
        shutil.move(work, folder)
        Path(work).mkdir()  # for the one that removes it


@pytest.fixture(scope="module")
def complaints():
    """Gives the complaints about HTML files: (name of the file, rule, line, message) of each."""
    lock = hashlib.sha256((PINNED / "package-lock.json").read_bytes()).hexdigest()
    folder = default_data_dir() / f"html-validate-{lock[:12]}"
    if not folder.exists():
        install(folder)
    program = folder / "node_modules" / ".bin" / "html-validate"

    def complaints_about(*files):
        command = [program, "--config", PINNED / "rules.json", "--formatter", "json", *files]
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output:  # it truncates pipes
            done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, timeout=250)
            output.seek(0)
            found = json.load(output)
        assert done.stderr == b""
        return [
            (Path(file["filePath"]).stem, each["ruleId"], each["line"], each["message"])
            for file in found
            for each in file["messages"]
        ]

    return complaints_about


def test_pages_are_valid(complaints, tmp_path):
    for name, page in PAGES.items():
        (tmp_path / f"{name}.html").write_text(page(), encoding="utf-8")
    assert complaints(*tmp_path.iterdir()) == []


def test_published_pages_are_valid(complaints):
    assert complaints(*ROOT.glob("reports/published/*/index.html")) == []


WRONG = {
    "no-dup-id": '<p id="a">x</p><p id="a">x</p>',
    "close-order": "<div>x",
    "element-permitted-content": "<ul><div>x</div></ul>",
    "no-implicit-close": "<p>x<div>y</div>",
    "attribute-allowed-values": '<table><tr><th scope="column">x</th></tr></table>',
    "attribute-misuse": '<a target="_blank">x</a>',
    "no-deprecated-attr": '<table><tr><td align="right">x</td></tr></table>',
    "no-missing-references": '<input aria-labelledby="nothing">',
    "deprecated": "<center>x</center>",
}


def test_what_is_wrong_is_found(complaints, tmp_path):
    for rule, body in WRONG.items():
        head = "<head><title>x</title></head>"
        page = f'<!DOCTYPE html><html lang="en">{head}<body>{body}</body></html>'
        (tmp_path / f"{rule}.html").write_text(page)
    found = complaints(*tmp_path.iterdir())
    assert {(rule, rule) for rule in WRONG} - {each[:2] for each in found} == set()
