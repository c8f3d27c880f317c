"""The page by the rules of HTML, as html-validate knows them: what may stand in what."""

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from bench.data.sources import default_data_dir
from tests.support.pages import odd_page, page_of
from tests.support.tools import HOSTILE, ROOT

pytestmark = pytest.mark.heavy

PINNED = Path(__file__).parent / "html_validate"
ODD = HOSTILE + "</script></style><!--\x1b[31mred\x00"
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


def varied(page):
    """A page without figures and sections that are alike in all of them: a second each."""
    until = r'(?=<div class="part"|</section>)'
    constant = rf'<div class="part" id="(ledger|table-1|audit|others)">.*?{until}|<svg .*?</svg>'
    return re.sub(constant, "", page, flags=re.DOTALL)


def pages():
    yield "everything", page_of("everything", figures=True)
    yield "odd", varied(odd_page(ODD))
    for name in ("empty", "failed"):
        yield name, varied(page_of(name))
    for file in ROOT.glob("reports/published/*/index.html"):
        yield file.parent.name, varied(file.read_text("utf-8"))


@pytest.fixture(scope="module")
def complaints(tmp_path_factory):
    """(name of the page, rule, line, message) of each complaint, of pages and of what is wrong."""
    lock = hashlib.sha256((PINNED / "package-lock.json").read_bytes()).hexdigest()
    folder = default_data_dir() / f"html-validate-{lock[:12]}"
    if not folder.exists():
        install(folder)
    files = tmp_path_factory.mktemp("html")
    for name, page in pages():
        (files / f"{name}.html").write_text(page, encoding="utf-8")
    for rule, body in WRONG.items():
        head = "<head><title>x</title></head>"
        page = f'<!DOCTYPE html><html lang="en">{head}<body>{body}</body></html>'
        (files / f"wrong {rule}.html").write_text(page)
    program = folder / "node_modules" / ".bin" / "html-validate"
    command = [program, "--config", PINNED / "rules.json", "--formatter", "json", *files.iterdir()]
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


def test_pages_are_valid(complaints):
    assert [each for each in complaints if not each[0].startswith("wrong ")] == []


def test_what_is_wrong_is_found(complaints):
    found = {(name, rule) for name, rule, *_ in complaints}
    assert {(f"wrong {rule}", rule) for rule in WRONG} <= found
