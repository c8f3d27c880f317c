"""Pictures of the page for people to look at: made on request only."""

import pytest

from tests.browser.conftest import PUBLISHED_NAMES

pytestmark = pytest.mark.heavy


def test_screenshots(open_page, request):
    """Whole pages, each in three widths, light and dark, and as they are printed."""
    folder = request.config.getoption("screenshots", default=None)
    if folder is None:
        pytest.skip("no pictures wanted (--screenshots DIR)")
    for name in ("empty", "everything", *PUBLISHED_NAMES):
        for scheme in ("light", "dark"):
            page = open_page(name, color_scheme=scheme)
            for width in (360, 768, 1440):
                page.set_viewport_size({"width": width, "height": 900})
                file = folder / f"{name}-{width}-{scheme}.png"
                page.screenshot(path=file, full_page=True)
                assert file.stat().st_size > 10_000
        page.pdf(path=folder / f"{name}.pdf", format="A4")
