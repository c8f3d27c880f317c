"""The ledger as JUnit XML: refuted is a failure, what says nothing is skipped."""

from dataclasses import replace
from xml.etree import ElementTree as Xml

import pytest

from bench.claims import ledger
from bench.claims.verdict import WORDS
from bench.report.claims import PARTS
from bench.report.junit import RESULTS, document
from tests.support.factories import make_record
from tests.support.tools import HOSTILE, assert_refused, bench


@pytest.fixture(scope="module")
def verdicts():
    """All of the ledger; the first four have each word once."""
    found = ledger.judge([make_record(20, network="cifar_resnet")])
    changed = [replace(each, word=word) for each, word in zip(found, WORDS, strict=False)]
    return (*changed, *found[len(WORDS) :])


def test_every_claim_is_a_case_in_the_suite_of_its_part(verdicts):
    root = Xml.fromstring(document(verdicts))
    assert root.get("tests") == str(len(verdicts)) == str(len(root.findall(".//testcase")))
    assert [suite.get("name") for suite in root] == list(PARTS.values())
    for suite in root:
        cases = suite.findall("testcase")
        assert suite.get("tests") == str(len(cases))
        for kind, counted in (("failure", "failures"), ("skipped", "skipped")):
            assert suite.get(counted) == str(len(suite.findall(f"testcase/{kind}")))


def test_the_verdict_decides_what_a_case_is(verdicts):
    root = Xml.fromstring(document(verdicts))
    cases = {case.get("name").partition(":")[0]: case for case in root.iter("testcase")}
    assert len(cases) == len(verdicts)
    for each in verdicts:
        children = [(child.tag, child.get("message")) for child in cases[each.claim.id]]
        tag = RESULTS[each.word]
        assert children == ([(tag, f"{each.word}: {each.reason}")] if tag else [])
    assert {word: RESULTS[word] for word in WORDS} == {
        "reproduced": None, "refuted": "failure", "inconclusive": "skipped", "not run": "skipped"
    }  # fmt: skip


def test_whatever_stands_in_a_reason_is_text(verdicts):
    odd = replace(verdicts[1], reason=f"{HOSTILE}\x00")
    failure = Xml.fromstring(document([odd])).find(".//failure")
    assert failure.get("message") == f"refuted: {HOSTILE}\ufffd"


def test_the_command_writes_it_beside_what_it_prints(tmp_path):
    done = bench("claims", "--results", tmp_path, "--junit", tmp_path / "ci" / "claims.xml")
    assert done.returncode == 0
    assert done.stdout == bench("claims", "--results", tmp_path).stdout
    root = Xml.parse(tmp_path / "ci" / "claims.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("134", "0")
    assert_refused(bench("claims", "--junit", tmp_path), 2, f"--junit {tmp_path}: no file can be")
