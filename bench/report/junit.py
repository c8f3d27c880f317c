"""The ledger for CI systems: JUnit XML, as they show tests. No torch here.

A refuted claim is a failure, for the records speak against it; an inconclusive one and one that was
not run are skipped, for they say nothing. The attributes are those that all readers know.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Final
from xml.etree import ElementTree as Xml

from bench.claims.verdict import Verdict, Word
from bench.formats import fit_for_html
from bench.report.claims import PARTS

RESULTS: Final[dict[Word, str | None]] = {
    "reproduced": None, "refuted": "failure", "inconclusive": "skipped", "not run": "skipped"
}  # fmt: skip
"""A verdict -> the element that says so; None: the test passed."""


def document(verdicts: Sequence[Verdict]) -> str:
    """A suite for each part of the ledger, a test case for each claim."""
    root = Xml.Element("testsuites", {"name": "claims", **_counted(verdicts)})
    places = list(PARTS)
    in_order = sorted(verdicts, key=lambda each: places.index(each.claim.part))
    for part, found in groupby(in_order, lambda each: each.claim.part):
        group = list(found)
        suite = Xml.SubElement(root, "testsuite", {"name": PARTS[part], **_counted(group)})
        for each in group:
            names = {"classname": f"claims.{part}", "name": f"{each.claim.id}: {each.claim.text}"}
            case = Xml.SubElement(suite, "testcase", _fit(names))
            if result := RESULTS[each.word]:
                message = {"message": f"{each.word}: {each.reason}", "type": each.word}
                Xml.SubElement(case, result, _fit(message)).text = each.test
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _counted(verdicts: Sequence[Verdict]) -> dict[str, str]:
    counts = Counter(RESULTS[each.word] for each in verdicts)
    named = {"failures": counts["failure"], "errors": 0, "skipped": counts["skipped"]}
    return {"tests": str(len(verdicts))} | {name: str(count) for name, count in named.items()}


def _fit(attributes: dict[str, str]) -> dict[str, str]:
    return {name: str(fit_for_html(text)) for name, text in attributes.items()}
