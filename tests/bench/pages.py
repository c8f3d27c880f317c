"""Pages made of synthetic records, and what a reader finds on them."""

from functools import cache

import html5lib

from bench import report
from tests.bench.factories import make_failed, make_grid, make_profile, make_record, make_signals
from tests.bench.tools import HOSTILE

RECORDS = {
    "empty": [],
    "one": [make_record()],
    "one of table 6": [make_record(56, network="cifar_plain")],
    "failed": [make_failed(reason=HOSTILE)],
    "ten": make_grid(),
    "mixed": [*make_grid()[2:], make_failed(18), make_record(50, lineage="torchvision")],
    "fifty": make_grid(seeds=5),
    "full": make_profile("full"),
    "table6": make_profile("table6"),
    "table6 with seeds": [r for r in make_profile("table6", seeds=3) if r.cell.depth < 40],
    "project2022": make_profile("project2022"),
    "signals": [r.model_copy(update={"signals": make_signals(r)}) for r in make_grid(seeds=2)],
}


@cache
def page_of(name):
    """The page of RECORDS[name], with a damaged record."""
    return report.render(RECORDS[name], ["runs/x/record.json is damaged: " + HOSTILE])


@cache
def parsed(page):
    return html5lib.parse(page, namespaceHTMLElements=False)


def table_of(page, label):
    """The rows of the table in the scroll box with this label, each a list of its cells' texts."""
    (box,) = parsed(page).findall(f".//div[@aria-label='{label}']")
    return [["".join(cell.itertext()) for cell in row] for row in box.findall(".//tbody/tr")]
