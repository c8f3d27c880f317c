"""Every number of Tables 1 and 6, and all runs of the 2022 project, stand where a reader looks."""

import re

import pytest

from bench.reference.loader import load_paper, load_project2022
from tests.support.pages import page_of
from tests.support.tools import parsed, text_of


def section(name, which):
    (found,) = parsed(page_of(name)).findall(f".//section[@id='{which}']")
    return " ".join("".join(found.itertext()).split())


def numbers(text):
    return set(re.findall(r"\d[\d,]*(?:\.\d+)?", text))


@pytest.fixture(scope="module", params=["empty", "ten", "table6"])
def page(request):
    return request.param


def test_every_number_of_table_1(page):
    table, text = load_paper().tables.table1, section(page, "table-1")
    found = numbers(text)
    for side, other in table.output_sizes.values():
        assert side == other
        assert f"{side}×{side}" in text
    for depth, architecture in table.depths.items():
        assert f"{architecture.flops_printed / 1e9:.1f}" in found
        assert str(depth) in found
        basic = architecture.block == "basic"
        channels = table.basic_block_channels if basic else table.bottleneck_channels
        kernels = table.basic_kernels if basic else table.bottleneck_kernels
        for widths, count in zip(channels.values(), architecture.blocks, strict=True):
            layers = [
                f"{kernel}×{kernel}, {width}" for kernel, width in zip(kernels, widths, strict=True)
            ]
            assert f"[{' '.join(layers)}] × {count}" in text
    for words in ("7×7, 64, stride 2", "3×3 max pool, stride 2", "average pool", "1000-d fc"):
        assert words in text


def test_every_number_of_table_6(page):
    rows = parsed(page_of(page)).findall(".//div[@aria-label='Table 6 of the paper']//tbody/tr")
    shown = [["".join(cell.itertext()).strip() for cell in row] for row in rows]
    printed = load_paper().tables.table6.rows
    assert len(shown) == len(printed) == 12
    for cells, row in zip(shown, printed, strict=True):
        assert cells[0] == row.method
        assert cells[1] == (str(row.layers) if row.layers else "–")
        assert cells[2] == (f"{row.params / 1e6:.3g}" if row.params else "–")
        assert float(cells[5]) == row.error
        assert cells[6] == (f"{row.mean:.2f} ± {row.std:.2f}" if row.mean else "–")
        assert cells[7] == (str(row.runs) if row.runs else "–")


def test_every_run_of_the_2022_project(page):
    """Ten cells of the slides, the ten with other recipes: the ledger has them on every page."""
    text = section(page, "claims")
    runs = load_project2022().runs
    assert len(runs) == 20
    for run in runs:
        assert f"{run.test_accuracy_percent[-1]:g} %" in text, run.notebook
        assert run.notebook in text


def test_the_slides_beside_our_cells():
    text = text_of(page_of("ten"))
    for cell in load_project2022().cells():
        for accuracy in (cell.train_accuracy, cell.test_accuracy):
            assert f"{accuracy:.2f}" in text
        for loss in (cell.train_loss, cell.test_loss):
            assert f"{loss:.4f}" in text or f"{loss:.3f}" in text
