"""Chromium with the page of synthetic records, opened as a reader does: from a file."""

import hashlib
import shutil
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.data import npm
from bench.data.datasets import SourceError
from bench.data.sources import default_data_dir
from tests.support.pages import odd_page, page_of, page_with_a_failed_figure, write_page
from tests.support.tools import ROOT

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PUBLISHED = ROOT / "reports" / "published"
PUBLISHED_NAMES = sorted(path.name for path in PUBLISHED.iterdir())
"""The names of pages are these, those of ``tests.support.pages``, and two of ``address``."""
AXE = "axe-core@4.14.1"
AXE_SHA256 = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"
"""Of the tarball."""


def pytest_addoption(parser):
    parser.getgroup("browser").addoption(
        "--screenshots",
        metavar="DIR",
        type=Path,
        help="Write pictures of whole pages there: narrow and wide, light and dark, printed.",
    )


@pytest.fixture(scope="package")
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: pip install -e '.[dev]'"
    )
    found = filter(None, map(shutil.which, CHROMIUM))
    executable = next(found, None)
    if executable is None:
        pytest.skip(f"no Chromium is installed (looked for {', '.join(CHROMIUM)})")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=executable)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def address(tmp_path_factory):
    """Gives the file address of the page with this name, drawn anew; one of them has figures."""
    folder = tmp_path_factory.mktemp("pages")

    def address_of(name):
        file = folder / f"{name}.html"
        if not file.exists():
            if (PUBLISHED / name).exists():
                write_page(PUBLISHED / name / "runs", file)
            elif name == "a failed figure":
                file.write_text(page_with_a_failed_figure(), encoding="utf-8")
            elif name == "long texts":
                file.write_text(odd_page("x" * 10_000), encoding="utf-8")
            else:
                file.write_text(page_of(name, figures=name == "everything"), encoding="utf-8")
        return file.as_uri()

    return address_of


@contextmanager
def opener(browser, address):
    """Gives what opens a page by its name; fails where one complains or asks for more."""
    contexts, complaints, requests, opened = [], [], [], set()

    def open_one(name="everything", fragment="", script="", **options):
        # Without motion nothing waits for the end of a smooth scroll.
        usual = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}
        context = browser.new_context(**(usual | options))
        contexts.append(context)
        context.set_default_timeout(60_000)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        opened.add(address(name))
        page.goto(address(name) + fragment)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []
    # Itself, and what it makes itself, such as a picture of its own text.
    loaded = {request.partition("#")[0] for request in requests}
    assert {each for each in loaded if not each.startswith(("data:", "blob:"))} <= opened


@pytest.fixture
def open_page(browser, address):
    """Opens a page by its name."""
    with opener(browser, address) as open_one:
        yield open_one


@pytest.fixture(scope="module")
def page(browser, address):
    """The page with every section, opened once: each test leaves it as it found it."""
    with opener(browser, address) as open_one:
        yield open_one()


@pytest.fixture(scope="package")
def axe():
    """The text of axe-core, from the user's cache folder or fetched into it."""
    cached = default_data_dir() / f"{AXE.replace('@', '-')}.tgz"
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cached.parent) as work:
            try:
                npm.pack(AXE, Path(work)).replace(cached)
            except SourceError as error:
                pytest.skip(f"axe-core cannot be fetched: {error}")
    assert hashlib.sha256(cached.read_bytes()).hexdigest() == AXE_SHA256, f"remove {cached}"
    with tarfile.open(cached) as tar:
        return tar.extractfile("package/axe.min.js").read().decode()
